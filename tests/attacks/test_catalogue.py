"""The catalogue of malformed and malicious ceremonies: each case gets the verdict that it is owed, for its reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from authctl.server.ceremonies.reasons import Reason
from authctl.virtual_authenticator.faults.catalogue import cases
from tests.attacks.reasons import Owed, read_reasons
from tests.attacks.summary import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.needs import Needs
    from tests.attacks.own_service import OwnService

pytestmark = pytest.mark.thorough

CASES = {case.name: case for case in cases()}
REASONS = read_reasons()
BY_PROFILE = {
    "refuse": {"refused"},
    "accept": {"accepted"},
    "either": {"accepted", "refused"},
    "one": {"accepted+refused"},
}
WITHOUT_USE = {"reg.key.rsa-e3", "reg.key.rsa-prime"}
"""Keys that the service takes as a matter of policy and whose private part nobody has here."""


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_ceremony_gets_the_verdict_it_is_owed_when_one_thing_is_altered(
    case: Case,
    service_for: Callable[[Needs], OwnService],
    record_property: Callable[[str, object], None],
) -> None:
    """R-WA-01 to R-WA-20, R-CH-02 to R-CH-06, R-CH-09: and for the reason it is owed, lest another check hide ours."""
    played = case.play(service_for(case.needs).lab())
    told = Owed.of(case.name, played)
    record_property(PROPERTY, [case.name, told.verdict])
    assert told == REASONS[case.name]


def test_the_table_has_every_case_of_the_catalogue_and_no_other() -> None:
    assert list(REASONS) == list(CASES)


def test_no_case_that_has_to_be_refused_is_left_out_but_for_algorithms_that_are_not_offered() -> None:
    """Everything else is played, whether a setting could meet it or not."""
    left_out = {
        (CASES[name].needs.algorithm, owed.not_applicable)
        for name, owed in REASONS.items()
        if owed.not_applicable and CASES[name].expected["l3"] == "refuse"
    }
    not_offered = "None of the algorithms that the server offers (-8, -7, -257) is one of this authenticator's"
    assert left_out == {("PS256", not_offered), ("ML-DSA-44", not_offered)}


def test_every_case_that_was_played_keeps_to_its_profile_unless_the_service_takes_no_such_attestation() -> None:
    for name, owed in REASONS.items():
        if not owed.not_applicable and not owed.control:
            assert owed.verdict in BY_PROFILE[CASES[name].expected["l3"]], name


def test_a_control_is_refused_only_for_a_format_that_no_setting_can_meet() -> None:
    refused = {owed.control for owed in REASONS.values() if owed.control}
    formats = {CASES[name].needs.attestation for name, owed in REASONS.items() if owed.control}
    assert refused == {"attestation_format_refused"}
    assert formats == {"packed-x5c", "fido-u2f", "tpm", "android-key", "apple"}


def test_what_is_accepted_can_log_in_afterwards() -> None:
    locked_out = {name for name, owed in REASONS.items() if owed.afterwards == "login refused"}
    assert locked_out == WITHOUT_USE


def test_a_refusal_uses_up_the_challenge_unless_the_answer_named_none() -> None:
    """R-CH-03."""
    unread = Counter(owed.reason for owed in REASONS.values() if owed.afterwards == "repeat accepted")
    assert set(unread) == {"invalid_request", "malformed_response", "client_data_malformed", "challenge_unknown"}


def test_every_refusal_names_a_reason_that_the_service_has() -> None:
    known = {*Reason, "invalid_request", "the first passkey is not excluded"}
    for owed in REASONS.values():
        assert not owed.reason or owed.reason in known, owed


def test_the_reasons_of_refusals_are_not_those_of_a_catch_all() -> None:
    """R-WA-20: what the library raises is refused too, but no case should need that."""
    told = Counter(owed.reason for owed in REASONS.values())
    assert told["library_error"] == 0
    assert {name for name, owed in REASONS.items() if owed.reason == "library_refused"} == {
        f"cd.tokenbinding-{kind}:{ceremony}"
        for kind in ("bad-status", "no-status", "unsupported")
        for ceremony in ("registration", "authentication")
    }
