"""A server without one check: the cases that are about it turn red, and no others."""

from __future__ import annotations

from typing import Final

import pytest

from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.harness.attack.verdicts import Mark, judge
from tests.virtual_authenticator.faults.leaky_party import CHECKS, LeakyParty

STATE: Final = [case for case in cases() if case.layer is Layer.STATE]
TOLD: Final = (Mark.GOOD, Mark.TOLD)
USED_AGAIN: Final = {
    "auth.state.challenge-live-swap/captured_as_it_was",
    "auth.state.replay",
    "auth.state.replay/beside_a_live_challenge",
    "auth.state.race",
    "auth.state.failed-attempt-reuse",
    "reg.state.challenge-replay",
    "reg.state.double-submit-race",
    "reg.state.failed-attempt-reuse",
}
FROM_ELSEWHERE: Final = {
    "auth.state.other-session/begun_without_a_name",
    "reg.state.challenge-other-session",
    "reg.state.user-swap",
}
OTHER_PURPOSE: Final = {
    "auth.state.challenge-of-registration/same_browser",
    "reg.state.challenge-of-login/same_browser",
}
KNOWN_ALREADY: Final = {"reg.state.dup-credid-same-user", "reg.state.dup-credid-other-user"}
NOT_SIGNED: Final = {
    "auth.id.id-swap-after-sign",
    "auth.state.challenge-live-swap/challenge_put_into_the_client_data",
    "auth.state.uv-downgrade",
}
RED: Final[dict[tuple[str, ...], set[str]]] = {
    ("consumed",): USED_AGAIN,
    ("consumed-by-failure",): {"auth.state.failed-attempt-reuse", "reg.state.failed-attempt-reuse"},
    ("atomic",): {"auth.state.race", "reg.state.double-submit-race"},
    ("expiry",): {"auth.state.challenge-expired", "reg.state.challenge-expired"},
    ("issued",): USED_AGAIN | {"reg.state.challenge-client-supplied"},
    ("own-copy",): {"auth.state.challenge-live-swap/captured_as_it_was"},
    ("purpose",): OTHER_PURPOSE,
    ("purpose", "session", "user"): FROM_ELSEWHERE
    | OTHER_PURPOSE
    | {"auth.state.challenge-of-registration", "reg.state.challenge-of-login"},
    ("session",): set(),
    ("user",): {"reg.state.user-swap"},
    ("session", "user"): FROM_ELSEWHERE,
    ("session", "user", "listed"): FROM_ELSEWHERE
    | {"auth.state.other-session/begun_by_another_user", "auth.id.enrolled-after-begin"},
    ("unique-id",): KNOWN_ALREADY,
    ("unique-id", "consumed", "session", "user"): USED_AGAIN
    | FROM_ELSEWHERE
    | KNOWN_ALREADY
    | {
        "reg.state.challenge-replay/same_answer",
        "reg.state.double-submit-race/same_answer",
        "reg.state.replay-other-user",
    },
    ("listed",): {"auth.id.enrolled-after-begin"},
    ("owner",): set(),
    ("owner", "listed"): {
        "auth.id.enrolled-after-begin",
        "auth.id.other-users-credential",
        "auth.id.other-users-credential/without_a_user_handle",
        "auth.id.unknown-user",
    },
    ("handle",): {"auth.id.userhandle-of-victim"},
    ("signature",): NOT_SIGNED,
    ("signature", "handle"): NOT_SIGNED
    | {"auth.id.userhandle-of-victim", "auth.id.other-users-credential/under_the_victim's_id"},
    ("verification",): {"auth.state.uv-downgrade"},
    ("account",): {"reg.state.existing-account"},
    ("removal",): {"auth.id.deleted-credential", "auth.id.disabled-user/disabled", "auth.id.disabled-user/deleted"},
}
"""The cases that a server fails without these checks. Where a list of one is empty, another check covers it."""


def marks(missing: tuple[str, ...]) -> dict[str, Mark]:
    """What each case says of a server that lacks these checks."""
    return {
        case.name: judge(case, case.play(LeakyParty(case.needs, frozenset(missing)).lab()), "l3").mark for case in STATE
    }


def test_every_case_is_right_when_the_server_does_all_it_should() -> None:
    """R-CH-02 to R-CH-06."""
    assert {name: mark for name, mark in marks(()).items() if mark not in TOLD} == {}


@pytest.mark.parametrize("missing", RED, ids=" and ".join)
def test_exactly_the_cases_about_a_check_turn_red_when_it_is_missing(missing: tuple[str, ...]) -> None:
    """R-CH-02 to R-CH-06: a case that another check answers for would let a server without this one pass."""
    found = marks(missing)
    assert {name for name, mark in found.items() if mark is Mark.WRONGLY_ACCEPTED} == RED[missing]
    assert {mark for mark in found.values() if mark is not Mark.WRONGLY_ACCEPTED} <= {*TOLD}


def test_every_check_is_taken_away_and_every_case_that_has_to_be_refused_fails_for_one() -> None:
    assert {check for missing in RED for check in missing} == {*CHECKS}
    owed = {case.name for case in STATE if case.expected["l3"] in ("refuse", "one")}
    assert set().union(*RED.values()) == owed
