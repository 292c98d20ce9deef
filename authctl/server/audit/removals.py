"""Removing rows from the trail: which may go, and the signed event that goes with them so that the chain still holds.

Whoever removes rows finds them on a snapshot, does what it likes with them, and removes exactly those ranges in a
transaction of its own, which fails when they are not what they were.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from authctl.errors import Conflict
from authctl.server.audit.events import RANGE_EVENTS, ChainRange, EventType
from authctl.server.audit.liveness import has_ended
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from authctl.server.audit.events import Event
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

MOST_RANGES = 400
"""Of one event: its line in the file stays below 64 KB, however the ranges lie."""
PROTECTED: frozenset[str] = frozenset({*(event.value for event in RANGE_EVENTS), EventType.DATABASE_RESET.value})
"""Types whose rows stay for good: they explain why others are gone, or blank."""
_PAGE = 1000


def find_removable(
    tx: Transaction,
    before: datetime,
    *,
    keep: Callable[[EventRow], bool] | None = None,
    most: int,
    after: EventRow | None = None,
) -> list[EventRow]:
    """Up to `most` rows older than `before` that may be removed, in the order of time, in at most `MOST_RANGES` ranges.

    keep   tells rows that stay although they are old
    after  the last row of the call before: what it passed over is not looked at again
    """
    rule = _Rule(tx)
    chosen: list[EventRow] = []
    while len(chosen) < most:
        page = tx.removals.old(before, most=min(_PAGE, most), after=after)
        if not page:
            break
        after = page[-1]
        chosen += (row for row in page if rule.may_go(row) and not (keep is not None and keep(row)))
    del chosen[most:]
    while len(ranges_of(chosen)) > MOST_RANGES:
        del chosen[len(chosen) // 2 :]
    return chosen


def ranges_of(rows: Sequence[EventRow]) -> tuple[ChainRange, ...]:
    """The ranges that some rows make, by writer and sequence, each with the MAC of its last row."""
    places = sorted((str(row[14]), int(row[15]), bytes(row[20])) for row in rows)
    ends = [index for index, (one, other) in enumerate(pairwise(places), 1) if other[:2] != (one[0], one[1] + 1)]
    bounds = pairwise([0, *ends, len(places)]) if places else ()
    return tuple(
        ChainRange(places[begin][0], places[begin][1], places[end - 1][1], places[end - 1][2]) for begin, end in bounds
    )


def remove_rows(tx: Transaction, event: Event, ranges: Sequence[ChainRange], *, blank: int | None = None) -> int:
    """Deletes the rows and records `event`, which then names them, signed; how many rows there were.

    blank  how many of the rows were blank when the caller copied them: an erasure in between has to win
    Raises Conflict, and nothing must be committed, when the ranges are not there as described or may not go.
    """
    if len(ranges) > MOST_RANGES:
        raise ValueError(f"{len(ranges)} ranges do not fit into one event")
    if not ranges:
        return 0
    rule = _Rule(tx)
    tx.instance.set_maintenance(True)
    blanks = sum(_remove(tx, rule, one) for one in ranges)
    tx.instance.set_maintenance(False)
    if blank is not None and blanks != blank:
        raise _changed(f"{blanks} rows are blank, not {blank}")
    record(tx, replace(event, ranges=tuple(ranges)))
    return sum(one.last - one.first + 1 for one in ranges)


def limit_of(writer: AuditWriter | None) -> int:
    """The last row that may go: one that its file lacks is nowhere else, and a chain that is open needs its end."""
    if writer is None:
        return 0
    shipped = writer.last_seq if writer.log_file is None else min(writer.shipped_seq, writer.last_seq)
    if shipped == writer.last_seq and not has_ended(writer):
        return shipped - 1
    return shipped


def _remove(tx: Transaction, rule: _Rule, one: ChainRange) -> int:
    content = tx.removals.content(one.writer_id, one.first, one.last)
    where = f"rows {one.first} to {one.last} of writer {one.writer_id}"
    if not content.rows or content.rows != one.last - one.first + 1:
        raise _changed(f"{where}: {content.rows} are there")
    if tx.events.mac_at(one.writer_id, one.last) != one.mac:
        raise _changed(f"{where}: the last one has another MAC")
    if content.types & PROTECTED or not rule.may_go_up_to(one.writer_id, one.last):
        raise _changed(f"{where} have to stay")
    tx.removals.delete(one.writer_id, one.first, one.last)
    return content.blank


def _changed(debug: str) -> Conflict:
    return Conflict("Rows of the audit trail changed meanwhile; nothing was removed", hint="try again", debug=debug)


class _Rule:
    """Which rows may go at all; looks each writer up once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._limits: dict[str, int] = {}

    def may_go(self, row: EventRow) -> bool:
        """Whether nothing but its age has to be asked."""
        return row[1] not in PROTECTED and self.may_go_up_to(row[14], row[15])

    def may_go_up_to(self, writer_id: str, seq: int) -> bool:
        """Whether the file has everything up to this row, and the chain goes on behind it or has ended."""
        limit = self._limits.get(writer_id)
        if limit is None:
            limit = self._limits[writer_id] = limit_of(self._tx.writers.by_id(writer_id))
        return seq <= limit
