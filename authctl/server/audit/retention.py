"""Retention: removes old events in short transactions beside a running service, each with a signed event of its own."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from authctl.errors import Conflict, UsageError
from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.audit.liveness import has_ended
from authctl.server.audit.removals import PROTECTED, find_removable, limit_of, ranges_of, remove_rows
from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authctl.server.audit.events import Caller
    from authctl.server.storage.database import Database
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.removals import TypeCount
    from authctl.server.storage.transaction import Transaction

YOUNGEST = timedelta(days=1)
"""Events of the last day stay, whatever is asked for: a slip of the keyboard must not take the traces of the moment."""
BATCH = 1000
"""The most rows of one transaction."""
_FIRST_BATCH, _SMALLEST_BATCH = 200, 50
_LONGEST = 0.1
"""Seconds that a transaction should take at most: whoever wants to write waits as long. Else the next is smaller."""
_TRIES = 5
_SHORTEST_PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Which events are old enough.

    before          older ones go
    failures_since  of these, failures that are not older than this stay
    """

    before: datetime
    failures_since: datetime | None = None

    def keeps(self, row: EventRow) -> bool:
        """Whether an old row stays because it tells of a failure."""
        if self.failures_since is None or row[6] != 0:
            return False
        created_at: object = row[8]
        if isinstance(created_at, str):
            return created_at >= write_time(self.failures_since)
        return bool(created_at >= self.failures_since)  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be removed, and what stays although it is old.

    by_type         how many rows of each type, most first
    oldest, newest  of all that are old, None when there are none
    kept_failures   failures that are kept longer
    not_in_file     rows that the audit file has not got yet
    open_ends       last rows of chains whose process has not ended
    """

    rows: int
    by_type: dict[str, int]
    oldest: datetime | None
    newest: datetime | None
    kept_failures: int
    not_in_file: int
    open_ends: int


class Retention:
    """Works on one database. Not for more than one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def preview(self, cutoff: Cutoff) -> Preview:
        """Counts, and touches nothing. Raises UsageError for a cutoff that is too young."""
        self._require_old(cutoff)
        return self._database.read_now(lambda tx: _preview(tx, cutoff))

    def prune(self, cutoff: Cutoff, caller: Caller) -> Iterator[int]:
        """Removes batch after batch; the number of rows after each, which is then durable.

        Whoever stops in between leaves everything consistent. Raises UsageError for a cutoff that is too young,
        Conflict when others keep changing the same rows, AuditUnavailable when the event cannot be written.
        """
        self._require_old(cutoff)
        after: EventRow | None = None
        tries, size = 0, min(_FIRST_BATCH, BATCH)
        while rows := self._find(cutoff, after, size):
            began = time.monotonic()
            try:
                removed = self._database.write_now(partial(_remove, rows=rows, cutoff=cutoff, caller=caller))
            except Conflict:
                tries += 1
                if tries == _TRIES:
                    raise
                continue
            took = time.monotonic() - began
            yield removed
            after, tries, size = rows[-1], 0, _next_size(size, took)
            # As long as it has kept others waiting, it lets them go first.
            time.sleep(max(_SHORTEST_PAUSE, took))

    def _find(self, cutoff: Cutoff, after: EventRow | None, size: int) -> list[EventRow]:
        return self._database.read_now(
            lambda tx: find_removable(tx, cutoff.before, keep=cutoff.keeps, most=size, after=after)
        )

    def _require_old(self, cutoff: Cutoff) -> None:
        if cutoff.before > self._database.clock.now() - YOUNGEST:
            raise UsageError(
                "Events of the last 24 hours always stay", hint="give --before a time that is further back, such as 90d"
            )


def _next_size(size: int, took: float) -> int:
    if took > _LONGEST:
        size = max(size // 2, _SMALLEST_BATCH)
    elif took < _LONGEST / 2:
        size *= 2
    return min(size, BATCH)


def _remove(tx: Transaction, rows: list[EventRow], cutoff: Cutoff, caller: Caller) -> int:
    noun = "event" if len(rows) == 1 else "events"
    what = f"{len(rows)} {noun} from before {write_time(cutoff.before)[:19]}Z removed"
    if cutoff.failures_since is not None:
        what += f", failures since {write_time(cutoff.failures_since)[:19]}Z kept"
    event = Event(EventType.AUDIT_PRUNE, True, caller, f"{what} {origin_of(caller)}")
    return remove_rows(tx, event, ranges_of(rows))


def _preview(tx: Transaction, cutoff: Cutoff) -> Preview:
    old = [count for count in tx.removals.counts(cutoff.before, cutoff.failures_since) if _may_go(count)]
    by_type = Counter({count.event_type: count.rows for count in old})
    not_in_file = open_ends = 0
    for writer in tx.writers.all():
        limit = limit_of(writer)
        if limit == writer.last_seq:
            continue
        stuck = tx.removals.counts_behind(cutoff.before, cutoff.failures_since, writer.id, limit)
        lacking = {count.event_type: count.rows for count in stuck if _may_go(count)}
        by_type.subtract(lacking)
        # A process notes with each batch what the file has of those before: its last row is always in doubt.
        if limit < writer.last_seq - 1 or has_ended(writer):
            not_in_file += sum(lacking.values())
        else:
            open_ends += sum(lacking.values())
    return Preview(
        rows=by_type.total(),
        by_type={name: rows for name, rows in by_type.most_common() if rows},
        oldest=min((count.oldest for count in old), default=None),
        newest=max((count.newest for count in old), default=None),
        kept_failures=0 if cutoff.failures_since is None else tx.removals.kept(cutoff.before, cutoff.failures_since),
        not_in_file=not_in_file,
        open_ends=open_ends,
    )


def _may_go(count: TypeCount) -> bool:
    return count.event_type not in PROTECTED
