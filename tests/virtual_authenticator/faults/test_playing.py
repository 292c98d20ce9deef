"""How a case is played: control, attack, and what is sent next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, Needs
from authctl.virtual_authenticator.faults.played import Afterwards, Played
from authctl.virtual_authenticator.faults.stage import Lab, Person
from authctl.virtual_authenticator.harness.relying_party import Verdict
from tests.virtual_authenticator.faults.fake_party import ACCEPTED, CRASHED, REFUSED, UNCLEAR, FakeParty, FakeVisit

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case


PLAYED_ON_ODD_OPTIONS = (
    "ok.reg-none",
    "ok.login",
    "reg.opt.shape",
    "reg.opt.user-handle",
    "reg.state.exclude-list",
    "reg.state.user-swap",
    "auth.opt.lists-the-passkey",
    "auth.opt.unknown-user",
)


def case_named(name: str) -> Case:
    return next(case for case in cases() if case.name == name)


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


def test_a_message_is_begun_anew_while_chance_keeps_the_fault_out_of_it() -> None:
    party = FakeParty()
    challenges = iter([bytes(32), bytes(32), b"\xff" * 32])
    honest = FakeVisit.begin_login

    class Choosing(FakeVisit):
        def begin_login(self, *, named: bool = True) -> Any:
            return {**honest(self, named=named), "challenge": encode(next(challenges))}

    party.visit = lambda account=None: Choosing(party, account or FakeParty().visit().account)  # type: ignore[method-assign]
    case = replace(case_named("cd.challenge-std-alphabet:authentication"), needs=Needs(logins=0))
    assert case.play(Lab(party)).reactions == (ACCEPTED,)
    assert b"////" in decode(party.sent[-1]["response"]["clientDataJSON"])


def test_a_case_is_not_applicable_when_no_message_can_have_the_fault() -> None:
    party = FakeParty(options={"challenge": encode(bytes(32))})
    found = played("cd.challenge-std-alphabet:registration", party)
    assert "no character that the other alphabet" in found.not_applicable


@pytest.mark.parametrize(
    "options",
    [
        {"authenticatorSelection": [1]},
        {"authenticatorSelection": "x"},
        {"allowCredentials": [7, {"id": 7}, {"id": "?"}, None]},
        {"excludeCredentials": {"id": "x"}},
        {"user": 7},
        {"pubKeyCredParams": [7]},
        {"extensions": {"credentialProtectionPolicy": []}},
        {"extensions": {"credentialProtectionPolicy": {}, "enforceCredentialProtectionPolicy": True}},
    ],
)
def test_no_case_raises_whatever_the_options_are(options: dict[str, Any]) -> None:
    for name in PLAYED_ON_ODD_OPTIONS:
        found = case_named(name).play(Lab(FakeParty(options=options), frozenset(CAPABILITIES)))
        assert not found.problem.startswith("could not be played"), (name, found)


def test_a_play_that_goes_astray_is_no_end_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "register", lambda _: 1 // 0)
    assert played("ok.reg-none", FakeParty()).problem.startswith("could not be played: ZeroDivisionError")
