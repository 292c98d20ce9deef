"""What is begun when: mixes, the two models, the ramp, and counts."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from authctl.errors import UsageError
from authctl.virtual_authenticator.harness.load.pace import Pace, Ticket
from authctl.virtual_authenticator.harness.load.plan import Operation, Plan, parse_mix

LOGIN, REGISTER, READ = Operation.LOGIN, Operation.REGISTER, Operation.READ


def tickets(pace: Pace, number: int, now: float = 100.0) -> list[Ticket | None]:
    return [pace.take(now) for _ in range(number)]


def plan(**members: Any) -> Plan:
    return Plan(**{"seconds": None, **members})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login=8,register=1,read=1", {LOGIN: 8, REGISTER: 1, READ: 1}),
        (" login = 3 , login=1", {LOGIN: 4}),
        ("read", {READ: 1}),
        ("login=0,read=2", {READ: 2}),
    ],
)
def test_a_mix_is_read(text: str, expected: dict[Operation, int]) -> None:
    assert parse_mix(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is none of login, register, read"),
        ("logout=1", "'logout' is none of"),
        ("login=-1", "'-1' does not say how often"),
        ("login=", "'' does not say how often"),
        ("login=1.5", "'1.5' does not say"),
        ("login=٣", "does not say how often"),
        ("login=99999999", "does not say how often"),
        ("login=0", "A mix of nothing is no load"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_mix(text)


def test_fewer_people_than_there_are_at_a_time_are_refused() -> None:
    with pytest.raises(UsageError, match="9 users cannot be 10 at a time"):
        Plan(users=9, concurrency=10)


def test_the_closed_model_begins_whenever_somebody_is_free() -> None:
    pace = Pace(plan(mix=parse_mix("login=8,register=1,read=1")), 100.0)
    found = tickets(pace, 2000)
    assert {(each.planned, each.is_measured) for each in found if each} == {(None, True)}
    counts = Counter(each.operation for each in found if each)
    assert counts[LOGIN] > 1400
    assert min(counts[REGISTER], counts[READ]) > 100
    assert pace.unmade(1000.0) == 0


def test_a_seed_gives_the_same_order() -> None:
    mix = parse_mix("login=1,read=1")
    orders = [tickets(Pace(plan(mix=mix, seed=seed), 100.0), 50) for seed in ("a", "a", "b", None, None)]
    assert orders[0] == orders[1]
    assert len({str(order) for order in orders}) == 4


def test_a_count_is_of_what_begins_after_the_ramp() -> None:
    pace = Pace(plan(count=2, ramp=5.0), 100.0)
    assert [ticket and ticket.is_measured for ticket in tickets(pace, 3, 104.9)] == [False] * 3
    assert [ticket and ticket.is_measured for ticket in tickets(pace, 4, 105.0)] == [True, True, None, None]


def test_the_open_model_begins_evenly() -> None:
    pace = Pace(plan(rate=4.0), 100.0)
    assert [ticket and ticket.planned for ticket in tickets(pace, 5, 0.0)] == [100.0, 100.25, 100.5, 100.75, 101.0]
    assert pace.unmade(102.0) == 3
    assert pace.unmade(101.0) == 0
    pace.give_back(Ticket(LOGIN, 100.5))
    assert (pace.unmade(100.5), pace.unmade(101.0)) == (0, 1)
    pace.give_back(Ticket(LOGIN))
    assert pace.unmade(101.0) == 1
    ending = Pace(plan(rate=4.0), 100.0, 100.5)
    assert [ticket and ticket.planned for ticket in tickets(ending, 4, 0.0)] == [100.0, 100.25, None, None]


def test_the_open_model_grows_evenly_during_the_ramp() -> None:
    pace = Pace(plan(rate=10.0, ramp=2.0), 100.0)
    found = [ticket for ticket in tickets(pace, 13, 0.0) if ticket and ticket.planned]
    moments = [ticket.planned - 100.0 for ticket in found if ticket.planned]
    assert moments[:2] == [0.0, pytest.approx(0.632, abs=0.01)]
    assert moments[10:] == pytest.approx([2.0, 2.1, 2.2])
    assert [ticket.is_measured for ticket in found] == [False] * 10 + [True] * 3
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[:9] == sorted(gaps[:9], reverse=True)


def test_what_was_to_begin_is_no_more_than_was_asked_for() -> None:
    pace = Pace(plan(rate=4.0, count=3), 100.0)
    tickets(pace, 1)
    assert pace.unmade(200.0) == 2
