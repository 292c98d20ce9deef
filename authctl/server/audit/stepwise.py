"""Counts events a stretch of time at a time, so that memory stays flat however many there are.

The SQLite library of the wheel sorts in memory and nowhere else: grouping some millions of events at once would take
hundreds of megabytes, in a process that has logins to serve.
"""

from __future__ import annotations

from dataclasses import replace
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.server.audit.sources import DatabaseSource, group_of
from authctl.server.storage.event_query import select_groups
from authctl.server.storage.event_steps import stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.records import Group
    from authctl.server.storage.event_query import EventFilter
    from authctl.server.storage.reader import Reader

    Row = tuple[Any, ...]

ROWS: Final = 100_000
"""Of one stretch; sorting them takes some 15 MB."""
MOST_GROUPS: Final = 50_000


class StepwiseSource(DatabaseSource):
    """The events of an SQLite table; the answers are those of DatabaseSource, up to MOST_GROUPS different groups."""

    def __init__(self, reader: Reader, rows: int = ROWS, most: int = MOST_GROUPS) -> None:
        super().__init__(reader)
        self._reader = reader
        self._rows = rows
        self._most = most

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many events fit for each combination of `by`, the largest groups first.

        Raises UsageError when there are more different ones than can be counted.
        """
        found: dict[Row, Row] = {}
        with self._reader.snapshot():
            for since, until in stretches(self._reader, wanted.since, wanted.until, self._rows):
                stretch = replace(wanted, since=since, until=until)
                self._add(found, self._reader.all(select_groups(stretch, by, "sqlite", top=self._most + 1)), len(by))
        largest = nsmallest(len(found) if top is None else top, found.items(), key=_size_first)
        return [group_of((*values, *counts)) for values, counts in largest]

    def _add(self, found: dict[Row, Row], rows: Sequence[Row], width: int) -> None:
        if len(rows) <= self._most:
            for row in rows:
                values, counts = row[:width], row[width:]
                known = found.get(values)
                found[values] = counts if known is None else _together(known, counts)
        if max(len(rows), len(found)) > self._most:
            raise UsageError(
                f"There are more than {self._most} different combinations",
                hint="ask for a shorter time, or count by fewer columns",
            )


def _together(one: Row, other: Row) -> Row:
    """Total, failures, first and last; times are still text, as the database compares them too."""
    return one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])


def _size_first(item: tuple[Row, Row]) -> tuple[int, list[tuple[bool, Any]]]:
    values, counts = item
    return -counts[0], [(value is not None, "" if value is None else value) for value in values]
