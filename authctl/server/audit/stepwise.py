"""Counts events a stretch of time at a time, so that memory stays flat however many there are.

The SQLite library of the wheel sorts in memory and nowhere else: grouping some millions of events at once would take
hundreds of megabytes, in a process that has logins to serve.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from authctl.errors import UsageError
from authctl.server.audit.sources import DatabaseSource, merge_groups
from authctl.server.storage.event_steps import stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.records import Group
    from authctl.server.storage.event_query import EventFilter
    from authctl.server.storage.reader import Reader

ROWS: Final = 200_000
"""Of one stretch; sorting them takes some 30 MB."""
MOST_GROUPS: Final = 100_000


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
        found: list[Group] = []
        with self._reader.snapshot():
            for since, until in stretches(self._reader, wanted.since, wanted.until, self._rows):
                stretch = replace(wanted, since=since, until=until)
                found = merge_groups(chain(found, super().groups(stretch, by, top=self._most + 1)))
                if len(found) > self._most:
                    raise UsageError(
                        f"There are more than {self._most} different combinations",
                        hint="ask for a shorter time, or count by fewer columns",
                    )
        return found[:top]
