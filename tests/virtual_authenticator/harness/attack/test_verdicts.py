"""What outcomes are worth against what is owed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.played import Afterwards, Played
from authctl.virtual_authenticator.harness.attack.report import sentence
from authctl.virtual_authenticator.harness.attack.verdicts import NOT_ASKED, NOT_TAKEN, Mark, Outcome, judge
from tests.virtual_authenticator.harness.attack.scripted import (
    ACCEPTED,
    CANNOT_BE,
    CANNOT_TELL,
    CRASHED,
    HAS_CRASHED,
    REFUSED,
    UNCLEAR,
    WAS_ACCEPTED,
    WAS_REFUSED,
    case,
    result,
)

BOTH = Played(ACCEPTED, (ACCEPTED, ACCEPTED))
ONE_OF_TWO = Played(ACCEPTED, (REFUSED, ACCEPTED))
NEITHER = Played(ACCEPTED, (REFUSED, REFUSED))
POISONED = replace(WAS_ACCEPTED, afterwards=REFUSED, followed=Afterwards.LOGIN)
USEFUL = replace(WAS_ACCEPTED, afterwards=ACCEPTED, followed=Afterwards.LOGIN)
FATAL = replace(WAS_ACCEPTED, afterwards=CRASHED, followed=Afterwards.LOGIN)
DAMAGED = replace(WAS_REFUSED, afterwards=CRASHED, followed=Afterwards.REPEAT)
UNUSED = replace(WAS_REFUSED, afterwards=ACCEPTED, followed=Afterwards.REPEAT, is_consumed=False)
USED = replace(WAS_REFUSED, afterwards=REFUSED, followed=Afterwards.REPEAT, is_consumed=True)


@pytest.mark.parametrize(
    ("played", "owed", "outcome", "mark"),
    [
        (WAS_REFUSED, "refuse", Outcome.REFUSED, Mark.GOOD),
        (WAS_ACCEPTED, "refuse", Outcome.ACCEPTED, Mark.WRONGLY_ACCEPTED),
        (HAS_CRASHED, "refuse", Outcome.CRASHED, Mark.CRASHED),
        (HAS_CRASHED, "either", Outcome.CRASHED, Mark.CRASHED),
        (HAS_CRASHED, "accept", Outcome.CRASHED, Mark.CRASHED),
        (WAS_REFUSED, "accept", Outcome.REFUSED, Mark.WRONGLY_REFUSED),
        (WAS_ACCEPTED, "accept", Outcome.ACCEPTED, Mark.GOOD),
        (USEFUL, "accept", Outcome.ACCEPTED, Mark.GOOD),
        (POISONED, "accept", Outcome.ACCEPTED, Mark.WRONGLY_REFUSED),
        (POISONED, "refuse", Outcome.ACCEPTED, Mark.WRONGLY_ACCEPTED),
        (FATAL, "either", Outcome.CRASHED, Mark.CRASHED),
        (DAMAGED, "refuse", Outcome.CRASHED, Mark.CRASHED),
        (WAS_REFUSED, "either", Outcome.REFUSED, Mark.TOLD),
        (WAS_ACCEPTED, "either", Outcome.ACCEPTED, Mark.TOLD),
        (ONE_OF_TWO, "one", Outcome.REFUSED, Mark.GOOD),
        (BOTH, "one", Outcome.ACCEPTED, Mark.WRONGLY_ACCEPTED),
        (NEITHER, "one", Outcome.REFUSED, Mark.WRONGLY_REFUSED),
        (ONE_OF_TWO, "refuse", Outcome.ACCEPTED, Mark.WRONGLY_ACCEPTED),
        (CANNOT_TELL, "refuse", Outcome.INCONCLUSIVE, Mark.INCONCLUSIVE),
        (CANNOT_BE, "refuse", Outcome.NOT_APPLICABLE, Mark.NOT_APPLICABLE),
        (Played(ACCEPTED, (UNCLEAR,)), "refuse", Outcome.INCONCLUSIVE, Mark.INCONCLUSIVE),
        (Played(ACCEPTED), "refuse", Outcome.INCONCLUSIVE, Mark.INCONCLUSIVE),
        (Played(REFUSED, (REFUSED,)), "refuse", Outcome.INCONCLUSIVE, Mark.INCONCLUSIVE),
        (Played(REFUSED, (CRASHED,)), "refuse", Outcome.CRASHED, Mark.CRASHED),
        (Played(CRASHED, (CRASHED,)), "refuse", Outcome.INCONCLUSIVE, Mark.INCONCLUSIVE),
        (Played(None), "refuse", Outcome.INCONCLUSIVE, Mark.INCONCLUSIVE),
    ],
)
def test_an_outcome_is_worth_what_was_owed(played: Played, owed: str, outcome: Outcome, mark: Mark) -> None:
    found = result("reg.some", owed, played)
    assert (found.outcome, found.mark) == (outcome, mark)
    assert found.is_finding is (mark in {Mark.WRONGLY_ACCEPTED, Mark.CRASHED})


@pytest.mark.parametrize(
    ("played", "reason", "note"),
    [
        (WAS_REFUSED, "no", ""),
        (CANNOT_TELL, "nothing came of it", ""),
        (CANNOT_BE, "no such login", ""),
        (Played(None), "the same ceremony without the fault was not reached", ""),
        (Played(ACCEPTED), "the attack was not sent", ""),
        (Played(REFUSED), "the same ceremony without the fault was refused: 400 no", ""),
        (POISONED, "", "the credential could not log in: its owner is locked out"),
        (USEFUL, "", "the credential then logged in"),
        (FATAL, "boom", "a login with the credential then crashed the server"),
        (DAMAGED, "boom", "the valid message, sent next, crashed the server"),
        (UNUSED, "no", "the challenge could be used again"),
        (USED, "no", ""),
    ],
)
def test_the_reason_is_told(played: Played, reason: str, note: str) -> None:
    found = result("reg.some", "refuse", played)
    assert (found.reason, found.note) == (reason, note)


def test_the_profile_decides_what_is_owed() -> None:
    both = case(expected={"l3": "refuse", "fido": "accept"})
    assert judge(both, WAS_ACCEPTED, "l3").mark is Mark.WRONGLY_ACCEPTED
    assert judge(both, WAS_ACCEPTED, "fido").mark is Mark.GOOD


def test_a_statement_may_be_ignored_when_none_was_asked_for() -> None:
    statement = case(tier="core-attestation")
    ignored = judge(statement, WAS_ACCEPTED, "l3", asks_attestation=False)
    assert (ignored.outcome, ignored.mark, ignored.reason) == (Outcome.NOT_APPLICABLE, Mark.NOT_APPLICABLE, NOT_ASKED)
    assert judge(statement, WAS_ACCEPTED, "l3").mark is Mark.WRONGLY_ACCEPTED
    assert judge(statement, WAS_REFUSED, "l3", asks_attestation=False).mark is Mark.GOOD
    assert judge(statement, HAS_CRASHED, "l3", asks_attestation=False).mark is Mark.CRASHED


def test_a_case_of_attestation_does_not_apply_when_the_server_refuses_it_without_a_fault() -> None:
    statement = case(needs=Needs(attestation="tpm"))
    refused = judge(statement, Played(REFUSED, (REFUSED,)), "l3")
    assert (refused.mark, refused.reason) == (Mark.NOT_APPLICABLE, NOT_TAKEN)
    assert judge(statement, Played(REFUSED, (ACCEPTED,)), "l3").mark is Mark.WRONGLY_ACCEPTED
    assert judge(statement, Played(REFUSED), "l3").mark is Mark.INCONCLUSIVE


def test_a_result_is_told_in_a_sentence() -> None:
    assert sentence(result(played=WAS_ACCEPTED)) == "registration, no id: wrongly accepted (200)"
    assert sentence(result(played=UNUSED)).endswith("good (400 no); the challenge could be used again")
    assert sentence(result(played=Played(ACCEPTED))).endswith("inconclusive (the attack was not sent)")
