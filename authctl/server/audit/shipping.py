"""Brings committed rows into the audit file: each chain in its order, late if need be, and again what got lost."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.errors import AuditUnavailable
from authctl.server.audit.backlog import adopt, find_unfinished, owe_again
from authctl.server.audit.copies import find_copied_size
from authctl.server.audit.coverage import Coverage
from authctl.server.audit.erasure_marks import Marks
from authctl.server.audit.file_memory import FileMemory
from authctl.server.audit.file_sink import AuditFile, Change
from authctl.server.audit.health import Condition
from authctl.server.audit.lines import place_of
from authctl.server.audit.own_events import Gap, damage, lines_cut
from authctl.server.audit.positions import Line, Place, Positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authctl.clock import Clock
    from authctl.server.storage.transaction import Transaction

_PIECE = 500
_MOST_PIECES = 20
_PATIENCE = 0.005
_PATIENCE_WHEN_REQUIRED = 2.0


@dataclass(frozen=True, slots=True)
class _Undo:
    """What was before lines were written whose commit may fail."""

    size: int
    place: Place
    shipped: int
    last: int


class Shipper:
    """One per process, shared by its journals.

    A chain is up to date or it is behind; what it is behind is read from the table, so that a failed write, a
    restart and a lost file are all mended in the same way.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow a link in place of the file
        self.condition = Condition(clock)
        self._file = AuditFile(self.path)
        self._memory = FileMemory()
        self._marks = Marks(self.path)
        self._reading = threading.local()
        self._mutex = threading.RLock()
        self._positions = Positions()
        self._finished: list[tuple[str, int]] = []
        self._generation = 0
        self._must_adopt = True
        self._must_owe_again = False
        self._coverage: Coverage | None = None
        self._gaps: list[Gap] = []
        self._is_held = False
        self._undo: _Undo | None = None

    # What journals tell.

    def open_chain(self, writer_id: str, generation: int) -> None:
        """Announces a chain of this process."""
        with self._mutex:
            self._positions.open(writer_id, generation)

    def correct_chain(self, writer_id: str, last: int | None) -> None:
        """Where a chain really ends, after a commit whose fate was unknown; None when it never began."""
        with self._mutex:
            self._positions.correct(writer_id, last)

    def begin_generation(self, generation: int) -> None:
        """After a reset there is another trail, and an empty file is no damage."""
        with self._mutex:
            if generation <= self._generation:  # they only grow; a smaller one was read before a reset
                return
            self._positions.keep_generation(generation)
            self._generation = generation
            self._finished.clear()
            self._gaps.clear()
            self._coverage, self._must_owe_again = None, False
            self._memory = FileMemory()
            self._file.close()

    def shipped(self, writer_id: str) -> int:
        """Up to which row of a chain the file has everything."""
        with self._mutex:
            place = self._positions.of(writer_id)
            return place.shipped if place is not None else 0

    def adopt_soon(self) -> None:
        """Has the next batch look for writers that ended without finishing."""
        self._must_adopt = True

    def take_gaps(self) -> list[Gap]:
        """Damage that no event tells of yet; `put_back_gaps` when the event did not come to be."""
        with self._mutex:
            gaps, self._gaps = self._gaps, []
            return gaps

    def put_back_gaps(self, gaps: list[Gap]) -> None:
        """The events were rolled back."""
        with self._mutex:
            self._gaps = gaps + self._gaps

    # The file may be late.

    def fetch(self, tx: Transaction) -> list[Line]:
        """The next rows that the file lacks, a bounded number, read from the table."""
        self._reading.since = self._marks.stamp()
        with self._mutex:
            for writer_id, seq in self._finished:
                tx.writers.note_shipped(writer_id, seq)
            self._finished.clear()
            if self._must_adopt:
                self._adopt(tx)
            if self._must_owe_again and self._memory.since is not None:
                again = owe_again(tx, str(self.path), self._generation, self._positions, self._memory.since)
                self._positions.take_over(again)
            self._must_owe_again = False
            return self._positions.next_lines(tx, _PIECE)

    def note_committed(self, writer_id: str, last: int) -> None:
        """After a commit: `last` is now the end of the chain."""
        with self._mutex:
            place = self._positions.of(writer_id)
            if place is not None:
                place.last = last

    def ship(self, owed: Sequence[Line], fresh: Sequence[Line]) -> None:
        """After a commit: writes what was fetched and what the batch added, or has it fetched again later."""
        with self._mutex:
            try:
                with self._locked(_PATIENCE):
                    # The first line tells when a file began, so it must not be a late one.
                    lines = [*fresh, *owed, *fresh] if self._is_new_file else [*owed, *fresh]
                    self._write([] if self._was_erased_since() else lines)
            except AuditUnavailable as error:
                self._tolerate(error)
            else:
                self.condition.succeed()
            self._watch_the_lag()

    def restart_file(self) -> None:
        """After a reset: the file starts anew with the trail."""
        with self._mutex:
            try:
                with self._locked(_PATIENCE_WHEN_REQUIRED):
                    self._file.cut(0)
            except AuditUnavailable as error:
                self._tolerate(error)
            self._gaps.clear()
            self._memory = FileMemory()

    # The file must be written first.

    def write_through(self, tx: Transaction, writer_id: str, last: int, lines: Sequence[Line]) -> None:
        """Before a commit: everything that is owed, then `lines`, durable; keeps the file locked until `settle`.

        Raises AuditUnavailable, with nothing of `lines` in the file.
        """
        if not self._mutex.acquire(timeout=_PATIENCE_WHEN_REQUIRED):
            raise AuditUnavailable(debug="the audit file is in use")
        self._is_held = True
        try:
            self._acquire(_PATIENCE_WHEN_REQUIRED)
            self._cut_uncommitted(tx)
            place = self._positions.of(writer_id)
            if place is None:
                raise AuditUnavailable(debug="the trail was reset meanwhile")
            if place.behind or not self._is_new_file:
                self._write_owed(tx)
            self._undo = _Undo(self._file.size, place, place.shipped, place.last)
            place.last = last
            self._write(lines, durable=True)
            if place.behind:
                raise AuditUnavailable(debug="the audit file has lost rows of this chain")
        except BaseException as error:
            if isinstance(error, AuditUnavailable):
                self.condition.fail(error)
            self.settle(committed=False)
            raise
        self.condition.succeed()

    def _write_owed(self, tx: Transaction) -> None:
        for _ in range(_MOST_PIECES):
            owed = self.fetch(tx)
            if not owed:
                return
            self._write(owed)
        raise AuditUnavailable(hint=f"the audit file {self.path} is being filled again from the table")

    def settle(self, *, committed: bool) -> None:
        """Ends what `write_through` began; without a commit the lines are taken back."""
        undo, self._undo, self._is_held = self._undo, None, False
        try:
            if undo is not None and not committed:
                undo.place.shipped, undo.place.last = undo.shipped, undo.last
                self._file.cut(undo.size)
        except AuditUnavailable as error:
            self.condition.fail(error)
        finally:
            self._file.release()
            self._watch_the_lag()
            self._mutex.release()

    # What others ask.

    def has_work(self) -> bool:
        """Whether another batch would bring the file forward, even an empty one."""
        return bool(self._gaps or self._must_owe_again or self._positions.behind)

    def inspect(self, generation: int) -> None:
        """Looks whether the file is still what it was; for quiet times, in which nothing is written.

        generation  of the trail now, since a reset by another process empties the file without damaging anything
        """
        with self._mutex:
            self.begin_generation(generation)
            try:
                with self._locked(_PATIENCE):
                    pass  # that was all: taking the lock looks at the file
            except AuditUnavailable as error:
                self._tolerate(error)

    def close(self) -> None:
        """Closes the file."""
        with self._mutex:
            self._file.close()

    # Reading the file's condition.

    @contextmanager
    def _locked(self, patience: float) -> Iterator[None]:
        if self._is_held:  # by `write_through`, which keeps it
            yield
            return
        self._acquire(patience)
        try:
            yield
        finally:
            self._file.release()

    def _acquire(self, patience: float) -> None:
        try:
            self._file.acquire(patience)
        finally:
            self._react(self._file.take_change())
        if not self._memory.first_line and self._file.size:
            self._memory.learn_beginning(self._file.first_line())

    def _react(self, change: Change | None) -> None:
        if change is None:
            return
        if change is Change.ROTATED:
            self._memory = FileMemory()
            self._coverage = None
            return
        if change is Change.TRUNCATED:
            copied = find_copied_size(self.path, self._memory.first_line)
            if copied is not None:
                self._positions.set_back(self._memory.lost_behind(copied))
                self._memory = FileMemory()
                return
        self._gaps.append(damage(change, str(self.path)))
        self.condition.notice(f"the audit file {self.path} was damaged: {change.value.replace('_', ' ')}")
        if change is not Change.PERMISSIONS:
            self._send_again_everything()

    def _send_again_everything(self) -> None:
        """What had been in the file is owed again, except what turns out to be there."""
        self._positions.set_back(self._memory.first)
        self._coverage = Coverage()
        self._must_owe_again = True
        self._memory.begin_again()

    # Reading the table.

    def _adopt(self, tx: Transaction) -> None:
        self._must_adopt = False
        unfinished = find_unfinished(tx, str(self.path), self._generation, self._positions)
        if not unfinished:
            return
        try:
            with self._locked(_PATIENCE):
                self._positions.take_over(adopt(tx, unfinished, self._file))
        except AuditUnavailable as error:
            self._must_adopt = isinstance(error.__cause__, BlockingIOError)
            self._tolerate(error)

    # Writing the file.

    def _was_erased_since(self) -> bool:
        """Whether an erasure has come between this thread's last `fetch` and the lock: its rows are read again."""
        now = self._marks.stamp()
        since = self._reading.__dict__.pop("since", now)
        return bool(since != now)

    def _write(self, lines: Sequence[Line], *, durable: bool = False) -> None:
        if self._coverage is not None:
            self._coverage.catch_up(self._file.read)
        chosen = self._positions.select(lines, self._coverage)
        if chosen.data:
            self._file.append(b"".join(chosen.data), durable=durable)
            self._memory.note_write(self._file.size, chosen.first)
            if not self._memory.first_line:
                self._memory.learn_beginning(chosen.data[0].rstrip(b"\n"))
        self._finished += self._positions.advance(chosen.reached)
        if not self._must_owe_again and not self._positions.behind:
            self._coverage = None

    @property
    def _is_new_file(self) -> bool:
        return not self._file.size and self._coverage is None

    def _cut_uncommitted(self, tx: Transaction) -> None:
        """Lines of a process that died between the file and its commit; nobody else is in between, the lock says so."""
        if self._file.is_all_ours:
            return
        keep, count = self._file.size, 0
        writer_id, seq = "", 0
        for offset, line in self._file.lines_backward():
            place = place_of(line)
            if place is None or place[2] != self._generation or place[1] <= self._committed(tx, place[0]):
                break
            keep, count = offset, count + 1
            writer_id, seq, _ = place
        if count:
            self._file.cut(keep)
            # Not only a process that died leaves such lines: so does whoever cuts the end off the table.
            gap = lines_cut(str(self.path), count, writer_id, seq)
            self._gaps.append(gap)
            self.condition.notice(gap.details)

    def _committed(self, tx: Transaction, writer_id: str) -> int:
        ours = self._positions.of(writer_id)
        if ours is not None:
            return ours.last  # the table has the end that this transaction wants to reach
        writer = tx.writers.by_id(writer_id)
        return 0 if writer is None else writer.last_seq

    def _tolerate(self, error: AuditUnavailable) -> None:
        """A file that another process is writing to is no failure; the lag tells when that does not end."""
        if not isinstance(error.__cause__, BlockingIOError):
            self.condition.fail(error)

    def _watch_the_lag(self) -> None:
        self.condition.watch(self._positions.behind)
