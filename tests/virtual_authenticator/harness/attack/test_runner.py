"""Runs of cases against a server that does what it is told."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.errors import CannotTest, UnexpectedAnswer
from authctl.virtual_authenticator.harness.attack import runner
from authctl.virtual_authenticator.harness.attack.events import Began, CaseBegan, CaseEnded, Ended
from authctl.virtual_authenticator.harness.attack.plan import Plan
from authctl.virtual_authenticator.harness.attack.targets import survey
from authctl.virtual_authenticator.harness.attack.verdicts import Mark
from tests.virtual_authenticator.harness.attack.scripted import (
    ACCEPTED,
    CANNOT_TELL,
    CRASHED,
    HAS_CRASHED,
    REFUSED,
    WAS_ACCEPTED,
    WAS_REFUSED,
    Party,
    case,
)

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.played import Played
    from authctl.virtual_authenticator.faults.stage import Lab
    from authctl.virtual_authenticator.harness.attack.events import Event

MANY = tuple(case(f"reg.case-{number}") for number in range(20))


def run(*cases: Any, party: Party | None = None, **plan: Any) -> list[Event]:
    host = party or Party()
    return list(runner.run(Plan(cases, **plan), host.target))


def marks(events: list[Event]) -> list[Mark]:
    return [event.result.mark for event in events if isinstance(event, CaseEnded)]


def ended(events: list[Event]) -> Ended:
    assert isinstance(events[-1], Ended)
    return events[-1]


def test_every_case_is_told_from_its_beginning_to_its_verdict() -> None:
    party = Party()
    events = run(case("a"), case("b", played=WAS_ACCEPTED), case("c", played=HAS_CRASHED), party=party)
    assert [type(event) for event in events] == [Began, *[CaseBegan, CaseEnded] * 3, Ended]
    assert events[0] == Began("party", 3)
    assert marks(events) == [Mark.GOOD, Mark.WRONGLY_ACCEPTED, Mark.CRASHED]
    assert (ended(events).stopped, ended(events).is_gone) == ("", False)
    assert party.closed == ["authctl-attack-0"]


def test_every_case_is_played_once_by_several_threads_that_do_not_share_a_target() -> None:
    opened: list[Party] = []
    together = threading.Barrier(3)

    def open_target() -> Any:
        opened.append(Party())
        return opened[-1].target()

    def meet(_: Lab) -> Played:
        together.wait(10)
        return WAS_REFUSED

    meeting = tuple(case(f"reg.meet-{number}", played=meet) for number in range(3))
    events = list(runner.run(Plan((*meeting, *MANY), jobs=3), open_target))
    names = [event.result.case.name for event in events if isinstance(event, CaseEnded)]
    assert sorted(names) == sorted(one.name for one in (*meeting, *MANY))
    assert len(opened) == 3
    assert sorted(name for party in opened for name in party.closed) == [f"authctl-attack-{n}" for n in range(3)]


def test_the_profile_of_the_plan_is_applied() -> None:
    one = case(expected={"l3": "refuse", "fido": "accept"}, played=WAS_ACCEPTED)
    assert marks(run(one)) == [Mark.WRONGLY_ACCEPTED]
    assert marks(run(one, profile="fido")) == [Mark.GOOD]


def test_it_waits_between_cases_when_there_is_a_delay() -> None:
    started = time.monotonic()
    run(case("a"), case("b"), case("c"), delay=0.05)
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(
    ("party", "message"),
    [
        (Party(reactions=[REFUSED]), "A registration with nothing wrong was refused: 400 no"),
        (Party(reactions=[ACCEPTED, CRASHED]), "A login with nothing wrong was crashed: 500 boom"),
        (Party(begin=UnexpectedAnswer("A page came")), "A ceremony with nothing wrong came to no end: A page came"),
        (Party(origin="http://example.net"), "A ceremony with nothing wrong came to no end"),
    ],
)
def test_nothing_is_played_when_the_control_fails(party: Party, message: str) -> None:
    with pytest.raises(CannotTest, match=message) as caught:
        run(*MANY, party=party)
    assert caught.value.hint
    assert party.closed == ["MainThread"]


def test_it_says_so_when_nothing_answers_at_first() -> None:
    with pytest.raises(ServerUnreachable, match="Nobody"):
        run(*MANY, party=Party(begin=ServerUnreachable("Nobody")))


def test_it_stops_when_the_server_has_gone() -> None:
    party = Party()

    def kill(_: Lab) -> Played:
        party.begin = ServerUnreachable("Nobody")
        return HAS_CRASHED

    others = tuple(case(f"reg.later-{number}", played=CANNOT_TELL) for number in range(20))
    events = run(case("reg.kill", played=kill), *others, party=party)
    assert marks(events) == [Mark.CRASHED] + [Mark.INCONCLUSIVE] * 5
    assert (ended(events).stopped, ended(events).is_gone) == ("Nobody", True)


def test_it_stops_when_the_server_no_longer_accepts_anything() -> None:
    party = Party()

    def spoil(_: Lab) -> Played:
        party.reactions = [REFUSED] * 99
        return CANNOT_TELL

    events = run(*(case(f"reg.{number}", played=spoil) for number in range(20)), party=party)
    assert len(marks(events)) == 5
    assert ended(events).stopped == "A registration with nothing wrong was refused: 400 no"
    assert not ended(events).is_gone


def test_it_goes_on_when_cases_have_no_verdict_and_the_server_is_well() -> None:
    events = run(*(case(f"reg.{number}", played=CANNOT_TELL) for number in range(12)))
    assert len(marks(events)) == 12


def test_it_says_that_it_is_not_whole_when_the_harness_itself_fails() -> None:
    def go_astray(_: Lab) -> Played:
        raise KeyError("challenge")

    events = run(case("a"), case("b", played=go_astray), case("c"))
    assert marks(events) == [Mark.GOOD]
    assert (ended(events).stopped, ended(events).is_gone) == ("the harness failed: KeyError: 'challenge'", False)


def test_it_stops_with_what_it_has_when_it_is_told_to() -> None:
    stop = threading.Event()

    def stopping(_: Lab) -> Played:
        stop.set()
        return WAS_REFUSED

    events = list(runner.run(Plan((case("reg.a"), case("reg.b", played=stopping), *MANY)), Party().target, stop))
    assert len(marks(events)) == 2
    assert ended(events).stopped == runner.INTERRUPTED


def test_a_run_is_whole_when_it_is_stopped_at_its_last_case() -> None:
    stop = threading.Event()

    def stopping(_: Lab) -> Played:
        stop.set()
        return WAS_REFUSED

    events = list(runner.run(Plan((case("reg.a", played=stopping),)), Party().target, stop))
    assert ended(events).stopped == ""


def test_it_does_not_wait_for_ever_for_a_case_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_ENDING_SECONDS", 0.2)
    free, stop = threading.Event(), threading.Event()

    def hang(_: Lab) -> Played:
        stop.set()
        free.wait(30)
        return WAS_REFUSED

    events = list(runner.run(Plan((case("reg.hang", played=hang), *MANY)), Party().target, stop))
    free.set()
    assert marks(events) == []
    assert ended(events).stopped == runner.INTERRUPTED


def test_it_stops_when_its_time_is_over() -> None:
    def dawdle(_: Lab) -> Played:
        time.sleep(0.15)
        return WAS_REFUSED

    events = run(*(case(f"reg.{number}", played=dawdle) for number in range(20)), seconds=0.3)
    assert 1 <= len(marks(events)) < 20
    assert ended(events).stopped == runner.OUT_OF_TIME


def test_nothing_more_is_sent_when_nobody_reads_on() -> None:
    played: list[str] = []

    def note(_: Lab) -> Played:
        played.append("one")
        time.sleep(0.02)
        return WAS_REFUSED

    events = runner.run(Plan(tuple(case(f"reg.{n}", played=note) for n in range(50))), Party().target)
    for event in events:
        if isinstance(event, CaseEnded):
            break
    events.close()  # type: ignore[attr-defined]  # it is a generator
    time.sleep(0.2)
    assert len(played) < 5


def test_it_stops_when_another_thread_cannot_reach_the_server() -> None:
    calls: list[int] = []

    def open_target() -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise ServerUnreachable("No more connections")
        return Party().target()

    def wait(_: Lab) -> Played:
        time.sleep(0.01)
        return WAS_REFUSED

    events = list(runner.run(Plan(tuple(case(f"r.{n}", played=wait) for n in range(50)), jobs=2), open_target))
    assert ended(events).stopped == "No more connections"


def test_a_survey_sees_what_the_options_show() -> None:
    asking = survey(Party(attestation="direct").target().lab(case().needs))
    assert asking.asks_attestation
    assert asking.lab.can("usernameless")
    plain = survey(Party(usernameless=UnexpectedAnswer("none")).target().lab(case().needs))
    assert not plain.asks_attestation
    assert not plain.lab.can("usernameless")
    assert plain.lab.can("two-users")
    assert survey(Party(begin=UnexpectedAnswer("none")).target().lab(case().needs)).asks_attestation
