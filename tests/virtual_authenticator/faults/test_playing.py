"""How a case is played: control, attack, and what is sent next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.faults.catalogue import matching
from authctl.virtual_authenticator.faults.played import Afterwards, Played
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.relying_party import Verdict
from tests.virtual_authenticator.faults.fake_party import ACCEPTED, CRASHED, REFUSED, UNCLEAR, FakeParty

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case


def case_named(name: str) -> Case:
    (case,) = matching([name])
    return case


def played(name: str, party: FakeParty) -> Played:
    return case_named(name).play(Lab(party))


def test_a_registration_is_followed_by_a_login_when_it_is_accepted() -> None:
    party = FakeParty()
    assert played("reg.key.off-curve", party) == Played(ACCEPTED, (ACCEPTED,), ACCEPTED, Afterwards.LOGIN)
    control, attack, login = party.sent
    assert control["id"] != attack["id"] == login["id"]
    assert party.closed == 2


def test_the_login_after_a_registration_carries_its_flags_and_a_higher_count() -> None:
    party = FakeParty()
    played("reg.ad.be-bs", party)
    data = decode(party.sent[-1]["response"]["authenticatorData"])
    assert data[32] == 0x1D
    assert int.from_bytes(data[33:37], "big") == 1


def test_no_login_follows_a_registration_with_the_largest_count() -> None:
    assert played("reg.ad.counter-max", FakeParty()) == Played(ACCEPTED, (ACCEPTED,))


@pytest.mark.parametrize(("again", "is_consumed"), [(REFUSED, True), (ACCEPTED, False), (CRASHED, None)])
def test_the_valid_message_follows_a_registration_that_is_refused(again: object, is_consumed: bool | None) -> None:
    party = FakeParty(registrations=[ACCEPTED, REFUSED, again])  # type: ignore[list-item]
    found = played("reg.env.id-missing", party)
    assert found == Played(ACCEPTED, (REFUSED,), again, Afterwards.REPEAT, is_consumed)  # type: ignore[arg-type]
    _, attack, valid = party.sent
    assert {name: attack[name] for name in attack} == {name: valid[name] for name in valid if name != "id"}


def test_nothing_follows_when_a_limit_is_met() -> None:
    party = FakeParty(registrations=[ACCEPTED, UNCLEAR])
    assert played("reg.env.id-missing", party) == Played(ACCEPTED, (UNCLEAR,))


def test_a_login_is_attacked_after_one_that_was_accepted() -> None:
    party = FakeParty(logins=[ACCEPTED, REFUSED, REFUSED])
    found = played("auth.sig.bit-flip", party)
    assert found == Played(ACCEPTED, (REFUSED,), REFUSED, Afterwards.REPEAT, is_consumed=True)
    assert len(party.sent) == 4


def test_nothing_follows_a_login_that_is_accepted() -> None:
    assert played("auth.sig.bit-flip", FakeParty()) == Played(ACCEPTED, (ACCEPTED,))


def test_several_logins_come_before_the_attack_when_a_case_needs_them() -> None:
    party = FakeParty()
    played("auth.ad.counter-lower", party)
    counts = [int.from_bytes(decode(sent["response"]["authenticatorData"])[33:37], "big") for sent in party.sent[1:]]
    assert counts == [1, 2, 3, 2]


@pytest.mark.parametrize("party", [FakeParty(registrations=[REFUSED]), FakeParty(logins=[REFUSED])])
def test_no_login_is_attacked_when_the_control_is_refused(party: FakeParty) -> None:
    assert played("auth.sig.bit-flip", party) == Played(REFUSED)


def test_a_registration_is_attacked_even_when_the_control_is_refused() -> None:
    party = FakeParty(registrations=[REFUSED, ACCEPTED])
    found = played("reg.tpm.magic", party)
    assert (found.control, found.reactions) == (REFUSED, (ACCEPTED,))


def test_a_case_is_not_applicable_when_a_capability_is_lacking() -> None:
    found = played("reg.state.challenge-expired", FakeParty())
    assert found == Played(not_applicable="not known of this server: the time of a ceremony can be let pass")


def test_a_case_is_not_applicable_when_the_options_ask_for_other_user_verification() -> None:
    found = played("auth.ad.uv-clear-required", FakeParty(options={"userVerification": "discouraged"}))
    assert found.not_applicable == "The options ask for user verification 'preferred'"


def test_a_case_is_not_applicable_when_its_algorithm_is_not_offered() -> None:
    assert "None of the algorithms" in played("alg.es384:registration", FakeParty()).not_applicable


def test_an_algorithm_that_is_offered_is_no_fault() -> None:
    party = FakeParty(options={"pubKeyCredParams": [{"type": "public-key", "alg": n} for n in (-7, -35)]})
    assert played("reg.key.alg-es384-not-offered", party).not_applicable == "The algorithm -35 is offered"


def test_a_case_says_what_kept_it_from_being_played() -> None:
    assert played("ok.reg-none", FakeParty(silent={"registration"})) == Played(problem="There are no options")
    assert played("ok.login", FakeParty(silent={"login"})) == Played(problem="There are no options")


def test_what_was_accepted_is_told_even_when_no_login_can_be_begun_after_it() -> None:
    found = played("reg.key.off-curve", FakeParty(silent={"login"}))
    assert found == Played(ACCEPTED, (ACCEPTED,), problem="There are no options")


def test_the_authenticator_is_where_the_server_wants_it() -> None:
    wanted = {"authenticatorSelection": {"authenticatorAttachment": "cross-platform"}}
    party = FakeParty(options=wanted)
    assert played("ok.reg-none", party).control == ACCEPTED
    assert party.sent[0]["authenticatorAttachment"] == "cross-platform"


def test_a_related_origin_is_the_one_that_the_lab_knows() -> None:
    party = FakeParty()
    case = case_named("cd.origin-related:authentication")
    found = case.play(Lab(party, frozenset({"related-origin"}), related="https://example.net"))
    assert found.reactions[0].verdict is Verdict.ACCEPTED
    assert b'"origin":"https://example.net"' in decode(party.sent[-1]["response"]["clientDataJSON"])
