"""Where events come from: a database that is read here, and several sources that answer as one."""

from __future__ import annotations

import heapq
from contextlib import ExitStack, closing
from datetime import UTC
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Protocol

from authctl.server.audit.records import EventRecord, Group
from authctl.server.storage.event_query import select_events, select_groups, spelled_out
from authctl.server.storage.times import read_time

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from datetime import datetime

    from authctl.server.audit.records import EventSource, Value
    from authctl.server.storage.event_query import Dialect, EventFilter, Sql


class Asked(Protocol):
    """What runs statements: a reader of its own, or the table of a transaction."""

    @property
    def dialect(self) -> Dialect:
        """Which SQL it understands."""
        ...

    def all(self, sql: Sql) -> list[tuple[Any, ...]]:
        """Every row at once."""
        ...

    def stream(self, sql: Sql) -> Generator[tuple[Any, ...]]:
        """Row after row, in flat memory."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class DatabaseSource:
    """The events of the table `audit_logs`."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def events(self, wanted: EventFilter) -> Generator[EventRecord]:
        """The events that fit, in the order asked for, in flat memory."""
        rows = self._asked.stream(select_events(wanted, self._asked.dialect))
        with closing(rows):
            yield from map(record_of, rows)

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many events fit for each combination of `by`, the largest groups first."""
        return [group_of(row) for row in self._asked.all(select_groups(wanted, by, self._asked.dialect, top=top))]

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """The SQL that `events`, or with `by` `groups`, would run."""
        dialect = self._asked.dialect
        return spelled_out(select_groups(wanted, by, dialect) if by else select_events(wanted, dialect))

    def close(self) -> None:
        """Lets go of the database."""
        self._asked.close()


class JoinedSource:
    """Several sources as one. An event that two of them hold comes once; in groups it counts as often as it is held.

    While events move from one source to another, both may hold them for a moment.
    """

    def __init__(self, sources: Sequence[EventSource]) -> None:
        self._sources = tuple(sources)

    def events(self, wanted: EventFilter) -> Generator[EventRecord]:
        """The events that fit, in the order asked for, in flat memory."""
        with ExitStack() as opened:
            streams = [source.events(wanted) for source in self._sources]
            for stream in streams:
                opened.callback(getattr(stream, "close", _keep_open))
            merged = heapq.merge(*streams, key=_place, reverse=wanted.newest_first)
            # Copies of one event have the same place, so that they come one after the other.
            yield from islice((next(copies) for _, copies in groupby(merged, key=_place)), wanted.limit)

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many events fit for each combination of `by`, the largest groups first."""
        return merge_groups(group for source in self._sources for group in source.groups(wanted, by))[:top]

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """What each source would run, one after the other."""
        return "\n\n".join(source.describe(wanted, by) for source in self._sources)

    def close(self) -> None:
        """Lets go of every source."""
        for source in self._sources:
            source.close()


def merge_groups(groups: Iterable[Group]) -> list[Group]:
    """Groups of the same values as one, the largest first, equal ones in the order of their values."""
    found: dict[tuple[Value, ...], Group] = {}
    for group in groups:
        known = found.get(group.values)
        found[group.values] = group if known is None else _together(known, group)
    return sorted(found.values(), key=_size_first)


def record_of(row: tuple[Any, ...]) -> EventRecord:
    """A row of `select_events` as it reads, of whatever database."""
    event_id, created_at, event_type, success, *rest = row
    return EventRecord(event_id, _aware(created_at), event_type, bool(success), *rest)


def group_of(row: tuple[Any, ...]) -> Group:
    """A row of `select_groups` as it reads, of whatever database."""
    *values, total, failures, first, last = row
    return Group(tuple(values), int(total), int(failures), _aware(first), _aware(last))


def _aware(time: datetime | str) -> datetime:
    if isinstance(time, str):
        return read_time(time)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _place(event: EventRecord) -> tuple[datetime, str]:
    return event.created_at, event.id


def _together(one: Group, other: Group) -> Group:
    return Group(
        one.values,
        one.total + other.total,
        one.failures + other.failures,
        min(one.first, other.first),
        max(one.last, other.last),
    )


def _size_first(group: Group) -> tuple[int, tuple[tuple[bool, Value], ...]]:
    return -group.total, tuple((value is not None, "" if value is None else value) for value in group.values)


def _keep_open() -> None:
    """What is no generator has nothing to let go of."""
