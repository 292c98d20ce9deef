"""Brings rows back into the table from log files: those that it lacks, and whose MACs and chain prove them genuine.

What a signed event explains stays as it was: rows that retention removed are not brought back, and what was erased
comes back without what named a person. When the event itself is among what comes back, as after an older copy of the
database was put in place, its removals and erasures are carried out once more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from authctl.errors import AlreadyExists, UsageError
from authctl.server.audit.anchors import AnchorKind, parse_anchors
from authctl.server.audit.blank_lines import is_empty
from authctl.server.audit.coverage import Coverage
from authctl.server.audit.events import RANGE_EVENTS
from authctl.server.audit.expected_lines import lines_of_any
from authctl.server.audit.lines import id_of, place_of, row_of
from authctl.server.audit.liveness import has_ended
from authctl.server.audit.proof import Proof
from authctl.server.audit.row_pages import RowPages
from authctl.server.storage.events import COLUMNS
from authctl.server.storage.rows import make
from authctl.server.storage.tables import AuditWriter
from authctl.server.storage.times import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.database import Database
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

BATCH = 400
MOST_WAITING = 20_000
"""Rows that stand before the one they follow: files that were given in the wrong order, or lines that are lost."""
MOST_REFUSED = 200
_PERSONAL = (2, 4, 5, 7, 13, 16)
_RANGE_TYPES = frozenset(event_type.value for event_type in RANGE_EVENTS)


class RefusedLine(NamedTuple):
    """A line that no row is made from, and why."""

    file: str
    line: int
    writer_id: str
    seq: int
    why: str


@dataclass(slots=True)
class Restoring:
    """What there is to be restored, or was.

    restored  rows that the table lacked
    present   lines whose rows are there
    removed   lines whose rows a signed event has removed
    erased    of the restored, rows without what named a person
    earlier   lines of trails before a reset
    refused   lines that prove nothing; the first of them are in `lines`
    """

    restored: int = 0
    present: int = 0
    removed: int = 0
    erased: int = 0
    earlier: int = 0
    refused: int = 0
    lines: list[RefusedLine] = field(default_factory=list)

    def refuse(self, where: tuple[str, int], writer_id: str, seq: int, why: str) -> None:
        """One more."""
        self.refused += 1
        if len(self.lines) < MOST_REFUSED:
            self.lines.append(RefusedLine(*where, writer_id, seq, why))


class _Candidate(NamedTuple):
    row: EventRow
    where: tuple[str, int]


class RowRestoring:
    """From some files, given in any order; packed ones are read too."""

    def __init__(self, database: Database, keys: TrailKeys, instance_id: str, files: Sequence[Path]) -> None:
        self._database = database
        self._keys = keys
        self._instance_id = instance_id
        self._files = [path for _, path in sorted((_age_of(path), path) for path in files)]
        self._done = Restoring()

    def plan(self) -> Restoring:
        """What would be restored; nothing is written."""
        return self._go_through(lambda rows: None)

    def carry_out(self, tell: Callable[[Transaction, int], None]) -> Restoring:
        """Restores it; `tell` leaves the event of each portion, in the same transaction."""
        self._database.write_now(lambda tx: None)  # what writes has to be there before this thread begins to read
        return self._go_through(lambda rows: self._database.write_now(lambda tx: restore_rows(tx, rows, tell)))

    def _go_through(self, write: Callable[[list[EventRow]], object]) -> Restoring:
        self._done = Restoring()

        def unit(tx: Transaction) -> Restoring:
            proof = Proof(tx, self._keys, self._instance_id)
            for row, _ in self._rows(proof, Restoring()):
                if row[1] in _RANGE_TYPES:
                    proof.explanations.add(row)
            batch: list[EventRow] = []
            for row in self._proven(tx, proof):
                batch.append(row)
                if len(batch) >= BATCH:
                    write(batch)
                    batch = []
            if batch:
                write(batch)
            return self._done

        return self._database.read_now(unit)

    def _rows(self, proof: Proof, done: Restoring) -> Iterator[_Candidate]:
        """What the lines of this trail say."""
        for path in self._files:
            for number, line in enumerate(lines_of_any(path), 1):
                place = place_of(line)
                if place is not None and place[2] < proof.generation:
                    done.earlier += 1
                    continue
                row = row_of(line)
                if row is not None and place is not None and place[2] == proof.generation:
                    yield _Candidate(row, (str(path), number))
                elif not is_empty(line):
                    writer_id, seq, _ = place or ("", 0, 0)
                    done.refuse((str(path), number), writer_id, seq, "is no event of this trail")

    def _proven(self, tx: Transaction, proof: Proof) -> Iterator[EventRow]:
        """Rows that the table lacks, each behind the one that it follows."""
        judge = _Judge(tx, proof, self._done)
        waiting: list[_Candidate] = []
        for candidate in self._rows(proof, self._done):
            verdict = judge.judge(candidate)
            if verdict is None and len(waiting) < MOST_WAITING:
                waiting.append(candidate)
            elif verdict is None:
                judge.refuse(candidate, _ALONE)
            elif verdict:
                yield judge.as_restored(candidate.row)
        is_moving = True
        while waiting and is_moving:
            found = [(candidate, judge.judge(candidate)) for candidate in sorted(waiting, key=_place_of)]
            yield from (judge.as_restored(candidate.row) for candidate, verdict in found if verdict)
            waiting = [candidate for candidate, verdict in found if verdict is None]
            is_moving = len(waiting) < len(found)
        for candidate in waiting:
            judge.refuse(candidate, _ALONE)


_ALONE = "follows a row that is nowhere, so that nothing proves it"


class _Judge:
    """Says of each line whether its row comes back."""

    def __init__(self, tx: Transaction, proof: Proof, done: Restoring) -> None:
        self._tx = tx
        self._proof = proof
        self._done = done
        self._ends: dict[str, int] = {}
        self._rows = RowPages(tx)
        self._restored = Coverage()

    def judge(self, candidate: _Candidate) -> bool | None:
        """True for a row that comes back, None when the row before it may still come."""
        row = candidate.row
        writer_id, seq = row[14], row[15]
        if seq in self._restored.of(writer_id) or self._rows.at(writer_id, seq) is not None:
            self._done.present += 1
            return False
        if self._proof.explanations.removed(writer_id).covering(seq) is not None:
            self._done.removed += 1
            return False
        is_genuine = self._proof.is_genuine(row)
        if is_genuine is None:
            return None
        if not is_genuine:
            self.refuse(candidate, "does not fit its MAC")
            return False
        if seq > self._end_of(writer_id):
            self.refuse(candidate, "belongs to a writer that still runs")
            return False
        self._proof.remember(row)
        self._restored.of(writer_id).add(seq)
        self._done.restored += 1
        return True

    def refuse(self, candidate: _Candidate, why: str) -> None:
        """No row comes back."""
        self._done.refuse(candidate.where, candidate.row[14], candidate.row[15], why)

    def as_restored(self, row: EventRow) -> EventRow:
        """The row without what an erasure took."""
        if row[16] is None or self._proof.explanations.erased(row[14]).covering(row[15]) is None:
            return row
        self._done.erased += 1
        return without_person(row)

    def _end_of(self, writer_id: str) -> int:
        """Behind it the chain is its writer's, as long as that one runs."""
        end = self._ends.get(writer_id)
        if end is None:
            writer = self._tx.writers.by_id(writer_id)
            is_free = writer is None or has_ended(writer)
            end = self._ends[writer_id] = 1 << 62 if writer is None or is_free else writer.last_seq
        return end


def without_person(row: EventRow) -> EventRow:
    """The row as an erasure leaves it."""
    return tuple(None if index in _PERSONAL else value for index, value in enumerate(row))


def restore_rows(tx: Transaction, rows: list[EventRow], tell: Callable[[Transaction, int], None]) -> int:
    """Inserts proven rows with their writers, carries out what they explain, and leaves the event; how many rows."""
    count = 0
    for row in rows:
        if tx.events.mac_at(row[14], row[15]) is not None:
            continue  # somebody else was restoring it
        try:
            tx.events.add(dict(zip(COLUMNS, row, strict=True)))
        except AlreadyExists as error:
            raise UsageError(
                f"The event {row[0]} stands at another place of the table",
                hint="audit verify tells what is wrong with it",
                debug=error.debug,
            ) from error
        count += 1
        _note_end(tx, row)
    for row in rows:
        if row[1] in _RANGE_TYPES and row[18] is not None:
            _carry_out(tx, row[18])
    if count:
        tell(tx, count)
    return count


def _note_end(tx: Transaction, row: EventRow) -> None:
    """The chain ends here, unless it goes on already."""
    writer_id, seq, mac = row[14], row[15], row[20]
    writer = tx.writers.by_id(writer_id)
    if writer is None:
        began = read_time(row[8])
        restored = make(
            AuditWriter, id=writer_id, kind=_KIND, generation=tx.instance.generation(), host="", pid=0, log_file=None,
            started_at=began, closed_at=tx.now, last_seq=seq, last_mac=mac, shipped_seq=seq,
        )  # fmt: skip
        tx.writers.add(restored)
    elif seq > writer.last_seq:
        tx.writers.advance(writer_id, seq=seq, mac=mac, shipped=max(seq, writer.shipped_seq))


_KIND = "restored"
"""A writer of which only its rows are known."""


def _carry_out(tx: Transaction, text: str) -> None:
    """What was removed or erased after the copy of the table was made, is so again."""
    anchors = parse_anchors(text)
    tx.instance.set_maintenance(True)
    for one in anchors.ranges:
        if anchors.kind is AnchorKind.ERASURE:
            tx.erasures.blank_range(one.writer_id, one.first, one.last)
        elif anchors.kind is AnchorKind.REMOVAL:
            tx.removals.delete(one.writer_id, one.first, one.last)
    tx.instance.set_maintenance(False)


def _place_of(candidate: _Candidate) -> tuple[str, int]:
    return candidate.row[14], candidate.row[15]


def _age_of(path: Path) -> str:
    return next((event_id for line in lines_of_any(path) if (event_id := id_of(line)) is not None), "")
