"""Several sources answer as one: in order, each event once, groups added up."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.server.audit.records import EventRecord, Group
from authctl.server.audit.sources import DatabaseSource, JoinedSource
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import EventFilter, Position
from authctl.server.storage.reader import open_reader
from tests.server.storage.trail_rows import START, Duck, a_row, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MINUTE = timedelta(minutes=1)
OLD = [a_row(number, created_at=START + number * MINUTE, success=number % 2) for number in (1, 2, 3, 4)]
NEW = [a_row(number, created_at=START + number * MINUTE, success=number % 2) for number in (4, 5, 6, 7)]


@pytest.fixture
def joined(any_url: str) -> Iterator[JoinedSource]:
    """An archive and a table that both hold event 4, as for a moment during archiving."""
    database = open_database(any_url, FixedClock(), create=True)
    fill(database, NEW)
    database.close()
    source = JoinedSource((DatabaseSource(Duck(OLD)), DatabaseSource(open_reader(any_url))))
    yield source
    source.close()


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (EventFilter(), [7, 6, 5, 4, 3, 2, 1]),
        (EventFilter(newest_first=False), [1, 2, 3, 4, 5, 6, 7]),
        (EventFilter(limit=5), [7, 6, 5, 4, 3]),
        (EventFilter(limit=4, newest_first=False), [1, 2, 3, 4]),
        (EventFilter(limit=5, newest_first=False), [1, 2, 3, 4, 5]),
        (EventFilter(success=False), [6, 4, 2]),
        (EventFilter(after=Position(START + 4 * MINUTE, "e04")), [3, 2, 1]),
        (EventFilter(event_types=("none",)), []),
    ],
)
def test_events_of_several_sources_come_in_order_and_once(
    joined: JoinedSource, wanted: EventFilter, numbers: list[int]
) -> None:
    assert [event.seq for event in joined.events(wanted)] == numbers


def test_an_answer_can_be_left_in_the_middle(joined: JoinedSource) -> None:
    with closing(joined.events(EventFilter())) as events:
        assert next(events).seq == 7
    assert [event.seq for event in joined.events(EventFilter(limit=1))] == [7]


def test_groups_are_added_up(joined: JoinedSource) -> None:
    (group,) = joined.groups(EventFilter(), ("event_type",))
    assert group == Group(("login_complete",), 8, 4, START + MINUTE, START + 7 * MINUTE)
    assert [group.values for group in joined.groups(EventFilter(ids=("e05", "e01", "e02")), ("success",))] == [
        (1,),
        (0,),
    ]
    assert [group.values for group in joined.groups(EventFilter(), ("minute",), top=2)] == [
        ("2026-01-31T22:34Z",),
        ("2026-01-31T22:31Z",),
    ]


def test_what_each_source_would_run_is_told(joined: JoinedSource) -> None:
    assert joined.describe(EventFilter(limit=3)).count("LIMIT 3") == 2
    assert joined.describe(EventFilter(), ("hour",)).count("GROUP BY ") == 2


class Listed:
    """A source that holds its events in a list."""

    def __init__(self, *groups: Group, events: Sequence[EventRecord] = ()) -> None:
        self._groups = list(groups)
        self._events = events

    def events(self, wanted: EventFilter) -> Iterator[EventRecord]:
        return iter(self._events)

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        return self._groups

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        return ""

    def close(self) -> None:
        """Nothing is open."""


def test_equal_groups_are_ordered_by_their_values_and_nothing_comes_first() -> None:
    one, other = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2))
    source = JoinedSource(
        (
            Listed(Group(("b", 1), 2, 0, other, other), Group((None, 1), 1, 1, one, one)),
            Listed(Group(("a", 1), 1, 0, one, other), Group(("b", 1), 1, 1, one, one)),
        )
    )
    assert source.groups(EventFilter(), ("user_email", "success")) == [
        Group(("b", 1), 3, 1, one, other),
        Group((None, 1), 1, 1, one, one),
        Group(("a", 1), 1, 0, one, other),
    ]


def test_a_source_without_generators_is_joined_too() -> None:
    values: dict[str, Any] = dict.fromkeys(EventRecord._fields)
    event = EventRecord(**(values | {"id": "e1", "created_at": START}))
    assert list(JoinedSource((Listed(events=[event]), Listed(events=[event]))).events(EventFilter())) == [event]
