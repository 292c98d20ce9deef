"""Cases of several messages, told to a server that believes everything: each has to see that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.interface import PLAYS
from authctl.virtual_authenticator.faults.needs import CAPABILITIES
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.faults.state import problem_of, problem_of_challenges
from authctl.virtual_authenticator.faults.state_login import difference
from authctl.virtual_authenticator.harness.relying_party import Verdict
from tests.virtual_authenticator.faults.fake_party import ACCEPTED, REFUSED, FakeParty, FakeVisit

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.played import Played

TOLD = [case for case in cases() if case.key in PLAYS]
REQUIRED = {"userVerification": "required", "authenticatorSelection": {"userVerification": "required"}}


def lab(party: FakeParty, used: list[str] | None = None) -> Lab:
    """All capabilities; of abilities it is noted that they were used."""
    told = [] if used is None else used

    def ability(name: str) -> Any:
        return lambda *_: told.append(name)

    abilities = {name: ability(name) for name in ("expiry", "delete-passkey", "disable-user", "delete-user")}
    return Lab(party, frozenset(CAPABILITIES) - {*abilities}, abilities)


def case_named(name: str) -> Case:
    return next(case for case in cases() if case.name == name)


def told(name: str, party: FakeParty) -> Played:
    case = case_named(name)
    return case.play(lab(party))


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
def test_a_play_sees_that_a_server_believes_everything(case: Case) -> None:
    party = FakeParty(options=REQUIRED if case.needs.uv else {})
    found = case.play(lab(party))
    assert found.control == ACCEPTED
    assert (found.problem, found.not_applicable) == ("", "")
    expected = {"auth.opt.unknown-user"}
    verdicts = {reaction.verdict for reaction in found.reactions}
    assert verdicts == {Verdict.REFUSED if case.id in expected else Verdict.ACCEPTED}
    assert len(found.reactions) == (2 if case.expected["l3"] == "one" else 1)
    assert party.closed >= 1


@pytest.mark.parametrize(
    ("name", "ability"),
    [
        ("reg.state.challenge-expired", "expiry"),
        ("auth.state.challenge-expired", "expiry"),
        ("auth.id.deleted-credential", "delete-passkey"),
        ("auth.id.disabled-user/disabled", "disable-user"),
        ("auth.id.disabled-user/deleted", "delete-user"),
    ],
)
def test_a_play_has_the_harness_do_what_no_message_does(name: str, ability: str) -> None:
    used: list[str] = []
    case = case_named(name)
    case.play(lab(FakeParty(), used))
    assert used == [ability]


def test_a_passkey_is_added_by_the_harness_when_it_can() -> None:
    added: list[object] = []

    def add(_: object, document: object) -> Any:
        added.append(document)
        return REFUSED if len(added) > 1 else None

    party = FakeParty()
    case = case_named("auth.id.id-swap-after-sign")
    case.play(Lab(party, abilities={"second-passkey": add}))
    assert added == [party.sent[2]]
    case.play(Lab(FakeParty(), abilities={"second-passkey": add}))
    assert len(added) == 2


@pytest.mark.parametrize("name", ["reg.state.existing-account", "auth.opt.unknown-user", "auth.id.unknown-user"])
def test_no_options_are_an_answer_too_when_they_are_for_somebody_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, begun = FakeParty(), set[int]()
    for ceremony in ("begin_registration", "begin_login"):
        _only_for_the_first(monkeypatch, ceremony, begun)
    found = told(name, party)
    assert found.reactions[0].verdict is Verdict.REFUSED
    assert found.reactions[0].reason == "There are no options"


def _only_for_the_first(monkeypatch: pytest.MonkeyPatch, ceremony: str, begun: set[int]) -> None:
    honest = getattr(FakeVisit, ceremony)

    def begin(visit: FakeVisit, **named: bool) -> Any:
        if not begun:
            begun.add(id(visit))
        if id(visit) not in begun:
            raise ServerUnreachable("There are no options")
        return honest(visit, **named)

    monkeypatch.setattr(FakeVisit, ceremony, begin)


def test_a_client_that_cannot_answer_makes_a_play_not_applicable() -> None:
    elsewhere = {"rp": {"id": "example.net", "name": "Elsewhere"}, "rpId": "example.net"}
    for name in ("reg.state.existing-account", "auth.opt.unknown-user"):
        assert "example.net" in told(name, FakeParty(options=elsewhere)).not_applicable


OPTIONS = {
    "rp": {"id": "example.org", "name": "Fake"},
    "user": {"id": encode(b"x" * 16), "name": "pat", "displayName": "Pat"},
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
}
SHAPES: dict[str, dict[str, Any]] = {
    "rp has no name": {"rp": {"id": "example.org"}},
    "user has no name or no displayName": {"user": {"id": encode(b"x" * 16), "name": "pat"}},
    "user.id has not 1 to 64 bytes": {"user": {"id": "", "name": "pat", "displayName": "Pat"}},
    "pubKeyCredParams offers nothing": {"pubKeyCredParams": []},
    "pubKeyCredParams has an entry of another type": {
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "password", "alg": -7}]
    },
}


@pytest.mark.parametrize("problem", SHAPES)
def test_creation_options_are_refused_when_their_shape_is_wrong(problem: str) -> None:
    assert problem_of(OPTIONS) == ""
    assert problem_of({**OPTIONS, **SHAPES[problem]}) == problem


@pytest.mark.parametrize("name", ["reg.opt.challenge-entropy", "auth.opt.challenge-unique"])
def test_challenges_are_refused_when_they_come_again(name: str) -> None:
    party = FakeParty(options={"challenge": encode(b"x" * 32)})
    assert told(name, party).reactions[0].reason == "the challenge comes again"


def test_challenges_are_refused_when_they_are_short() -> None:
    several = [{"challenge": encode(bytes([number]) * 15)} for number in range(2)]
    assert problem_of_challenges(several) == "a challenge has fewer than 16 bytes"
    assert problem_of_challenges([{"challenge": encode(bytes([number]) * 16)} for number in range(2)]) == ""


def test_the_user_handle_must_not_be_the_e_mail() -> None:
    party = FakeParty()
    honest = FakeVisit.begin_registration

    class Telling(FakeVisit):
        def begin_registration(self) -> Any:
            handle = encode(self.account.email.encode())
            return {**honest(self), "user": {"id": handle, "name": "pat", "displayName": "Pat"}}

    party.visit = lambda account=None: Telling(party, account or FakeParty().visit().account)  # type: ignore[method-assign]
    assert told("reg.opt.user-handle", party).reactions[0].reason == "the user handle is the e-mail"


def test_options_have_to_exclude_and_to_list_what_the_user_has() -> None:
    silent: dict[str, Any] = {"excludeCredentials": [], "allowCredentials": []}
    assert told("reg.state.exclude-list", FakeParty(options=silent)).reactions[0].reason == (
        "the first passkey is not excluded"
    )
    assert told("auth.opt.lists-the-passkey", FakeParty(options=silent)).reactions[0].reason == (
        "the options do not list the user's passkey"
    )


KNOWN = {"challenge": "a", "allowCredentials": [{"type": "public-key", "id": "a"}]}
DECOY = {"challenge": "b", "allowCredentials": [{"type": "public-key", "id": "b"}]}
TELLING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "options for an unknown user have other members": ({"challenge": "b"}, DECOY),
    "options for an unknown user list no passkeys": ({**DECOY, "allowCredentials": []}, DECOY),
    "options for an unknown user list other passkeys every time": (DECOY, KNOWN),
    "the passkeys of an unknown user have other members": (
        {**DECOY, "allowCredentials": [{"id": "b"}]},
        {**DECOY, "allowCredentials": [{"id": "b"}]},
    ),
}


@pytest.mark.parametrize("problem", TELLING)
def test_options_for_an_unknown_user_are_told_from_others(problem: str) -> None:
    unknown, again = TELLING[problem]
    assert difference(KNOWN, unknown, again) == problem
    assert difference(KNOWN, DECOY, DECOY) == ""


def test_a_swap_is_none_when_the_passkey_is_not_in_the_other_account() -> None:
    assert told("reg.state.user-swap", FakeParty(logins=[REFUSED])).reactions[0].reason == (
        "the passkey is not in the other account"
    )
    listing = FakeParty(options={"allowCredentials": [{"type": "public-key", "id": encode(b"x" * 32)}]})
    assert told("reg.state.user-swap", listing).reactions[0].verdict is Verdict.REFUSED


def test_a_swap_is_none_when_whoever_has_no_passkey_gets_no_options() -> None:
    found = told("reg.state.user-swap", FakeParty(silent={"login"}))
    assert found.reactions[0].reason == "the passkey is not in the other account"


def test_a_login_in_the_same_browser_is_not_applicable_when_whoever_has_no_passkey_can_begin_none() -> None:
    found = told("reg.state.challenge-of-login/same_browser", FakeParty(silent={"login"}))
    assert found.not_applicable == "Who has no passkey can begin no login here"
