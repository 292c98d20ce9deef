"""Counting a stretch of time at a time comes to what counting at once comes to."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import UsageError
from authctl.server.audit.sources import DatabaseSource
from authctl.server.audit.stepwise import StepwiseSource
from authctl.server.storage.event_query import GROUP_COLUMNS, EventFilter
from authctl.server.storage.event_steps import stretches
from authctl.server.storage.reader import Reader, open_reader
from authctl.server.storage.sqlite import dbapi
from tests.server.storage.trail_rows import START, a_row, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.storage.database import Database

HOUR = timedelta(hours=1)


def row(number: int) -> dict[str, Any]:
    """Event `number`; some share a moment, some lack an address."""
    changes: dict[str, Any] = {
        "created_at": START + number // 3 * HOUR,
        "success": int(number % 4 > 0),
        "user_email": f"p{number % 5}@example.com",
        "ip_address": None if number % 7 == 0 else f"192.0.2.{number % 6}",
        "reason": None if number % 4 else "access_denied",
    }
    return a_row(number, **changes)


@pytest.fixture
def reader(database: Database, sqlite_url: str) -> Iterator[Reader]:
    """Forty events over half a day."""
    fill(database, map(row, range(40)))
    with closing(open_reader(sqlite_url)) as opened:
        yield opened


FILTERS = (
    EventFilter(),
    EventFilter(success=False),
    EventFilter(user_email="p1@example.com"),
    EventFilter(since=START + 3 * HOUR, until=START + 9 * HOUR),
    EventFilter(since=START + 100 * HOUR),
    EventFilter(until=START),
)


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_groups_are_the_same_in_steps(reader: Reader, wanted: EventFilter, size: int) -> None:
    at_once, in_steps = DatabaseSource(reader), StepwiseSource(reader, rows=size)
    for by in (*((name,) for name in GROUP_COLUMNS), ("user_email", "ip_address"), ("success", "reason", "hour")):
        for top in (None, 3):
            assert in_steps.groups(wanted, by, top=top) == at_once.groups(wanted, by, top=top), by


@pytest.mark.parametrize("size", [1, 5, 12, 39, 40, 1000])
def test_stretches_leave_nothing_out_and_have_nothing_in_common(reader: Reader, size: int) -> None:
    for since, until in ((None, None), (START + HOUR, START + 8 * HOUR), (None, START), (START + 50 * HOUR, None)):
        found = list(stretches(reader, since, until, size))
        assert (found[0][0], found[-1][1]) == (since, until)
        assert [end for _, end in found[:-1]] == [begin for begin, _ in found[1:]]
        inner = [end for _, end in found[:-1]]
        assert inner == sorted({end for end in inner if isinstance(end, datetime)})


def test_stretches_hold_about_as_many_rows_as_they_should(reader: Reader) -> None:
    source = DatabaseSource(reader)
    sizes = [
        len(list(source.events(EventFilter(since=since, until=until))))
        for since, until in stretches(reader, None, None, 10)
    ]
    assert sum(sizes) == 40
    assert max(sizes) <= 10 + 3


def test_times_written_by_hand_are_counted_once(reader: Reader, sqlite_url: str) -> None:
    """An SQL shell may have left a `T` in them, which sorts behind every space."""
    with closing(dbapi.connect(sqlite_url.removeprefix("sqlite:///"))) as shell:
        shell.execute("DROP TRIGGER audit_logs_no_update")
        shell.execute("UPDATE audit_logs SET created_at = replace(created_at, ' ', 'T') WHERE seq % 5 = 0")
        shell.commit()
    for rows in (1, 4, 9):
        assert sum(group.total for group in StepwiseSource(reader, rows).groups(EventFilter(), ("reason",))) == 40


def test_too_many_different_groups_are_refused(reader: Reader) -> None:
    source = StepwiseSource(reader, rows=7, most=20)
    assert len(source.groups(EventFilter(), ("user_email",))) == 5
    with pytest.raises(UsageError) as caught:
        source.groups(EventFilter(), ("user_email", "ip_address"), top=3)
    assert caught.value.detail == "There are more than 20 different combinations"
    assert caught.value.hint == "ask for a shorter time, or count by fewer columns"
