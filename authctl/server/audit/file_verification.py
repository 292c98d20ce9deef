"""Holds the audit file against the table: every line has its row, and every row that was shipped has its line."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, BinaryIO

import orjson

from authctl.errors import AuditUnavailable
from authctl.server.audit.backlog import milliseconds_of
from authctl.server.audit.coverage import Coverage
from authctl.server.audit.findings import FindingKind
from authctl.server.audit.lines import id_of, place_of, render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.audit.findings import Report
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONGEST_LINE = 1 << 20
_HIGHEST = (1 << 63) - 1
_AHEAD = 256
_ROTATION_MARGIN_MS = 10_000
"""Around a rotation, lines of one moment stand in both files."""


def measure_committed(path: Path, patience: float = 2.0) -> int:
    """The size of the file at a moment in which no line in it waits for its commit; 0 when there is no file."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return 0  # `read_file` says why
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AuditUnavailable(f"{path} stays locked by another process") from None
                time.sleep(0.001)
            else:
                return os.fstat(fd).st_size
    finally:
        os.close(fd)


class FileCheck:
    """One pass over the file, then questions about single rows.

    sure_until  an offset, taken before the snapshot of the table: lines before it belong to committed rows
    """

    def __init__(
        self, tx: Transaction, path: Path, sure_until: int, writers: dict[str, AuditWriter], report: Report
    ) -> None:
        self._tx = tx
        self._path = path
        self._sure_until = sure_until
        self._writers = writers
        self._report = report
        self._generation = tx.instance.generation()
        self._ahead: dict[str, dict[int, EventRow]] = {}
        self._coverage = Coverage()
        self._began_ms = 0
        self._runs: dict[str, tuple[EventRow, int]] = {}
        self._was_read = False

    def read_file(self) -> None:
        """Compares every line with its row."""
        try:
            fd = os.open(self._path, _FLAGS)
        except FileNotFoundError:
            self._report.notes.append(f"There is no file {self._path}: it was not compared with the table")
            return
        except OSError as error:
            raise AuditUnavailable(f"{self._path} cannot be read", hint=str(error.strerror)) from error
        with os.fdopen(fd, "rb", buffering=1 << 18) as file:
            for offset, line in _lines(file):
                self._check_line(offset, line)
        self._was_read = True

    def expect_line(self, row: EventRow) -> None:
        """Told of every row, chain by chain: notes those whose line should be in the file and is not."""
        writer_id, seq = row[14], row[15]
        writer = self._writers.get(writer_id)
        if not self._was_read or writer is None or writer.log_file != str(self._path) or seq > writer.shipped_seq:
            return
        lines = self._coverage.of(writer_id)
        if seq in lines or not self._is_expected(row, lines.first):
            self._end_run(writer_id)
            return
        first, _ = self._runs.get(writer_id, (row, seq))
        self._runs[writer_id] = (first, seq)

    def end_chain(self, writer_id: str) -> None:
        """The chain has no more rows."""
        self._end_run(writer_id)

    def _is_expected(self, row: EventRow, first_line: int) -> bool:
        """Rows from before the file's beginning stand in a file that was rotated away."""
        if first_line and row[15] > first_line:
            return True
        return bool(self._began_ms) and milliseconds_of(row[0]) > self._began_ms + _ROTATION_MARGIN_MS

    def _end_run(self, writer_id: str) -> None:
        run = self._runs.pop(writer_id, None)
        if run is None:
            return
        row, last = run
        is_tail = last >= self._writers[writer_id].shipped_seq
        kind = FindingKind.FILE_TAIL_MISSING if is_tail else FindingKind.LINES_MISSING
        rows = f"row {last}" if last == row[15] else f"rows {row[15]} to {last}"
        self._report.add(kind, writer_id, row[15], row[0], f"The file lacks the lines of {rows} of writer {writer_id}")

    def _check_line(self, offset: int, line: bytes) -> None:
        is_sure = offset + len(line) <= self._sure_until
        place = place_of(line)
        if place is None or not line.endswith(b"\n"):
            if is_sure:
                self._report.add(
                    FindingKind.LINE_FOREIGN, "", 0, None, f"The line at byte {offset} of {self._path} is no event"
                )
            return
        writer_id, seq, generation = place
        if generation < self._generation:
            self._report.counts.lines_of_earlier_trails += 1
            return
        row = self._row(writer_id, seq)
        if row is None:
            if is_sure:
                self._miss_row(line, writer_id, seq)
            return
        self._report.counts.lines += 1
        if not self._began_ms:
            self._began_ms = milliseconds_of(row[0])
        if not self._coverage.of(writer_id).add(seq):
            self._report.counts.lines_repeated += 1
        if render(row, generation) != line:
            self._tell_difference(line, row, generation)

    def _miss_row(self, line: bytes, writer_id: str, seq: int) -> None:
        # What stands behind it tells a cut from a gap, whatever the head of the chain says: an insider may leave it.
        is_tail = not self._tx.events.between(writer_id, after=seq, last=_HIGHEST, most=1)
        self._report.add(
            FindingKind.LINE_WITHOUT_ROW if is_tail else FindingKind.ROWS_MISSING,
            writer_id,
            seq,
            id_of(line),
            f"The file has a line of row {seq} of writer {writer_id}, the table has no such row",
        )

    def _tell_difference(self, line: bytes, row: EventRow, generation: int) -> None:
        stands: dict[str, object] = orjson.loads(line)
        should: dict[str, object] = orjson.loads(render(row, generation))
        fields = sorted(name for name in stands.keys() | should.keys() if stands.get(name) != should.get(name))
        what = ", ".join(fields) or "its spelling"
        sentence = f"The line of row {row[15]} of writer {row[14]} differs from the table in {what}"
        self._report.add(FindingKind.LINE_ALTERED, row[14], row[15], row[0], sentence)

    def _row(self, writer_id: str, seq: int) -> EventRow | None:
        """A row, read together with those that follow it: lines of one chain stand in its order."""
        rows = self._ahead.get(writer_id)
        if rows is None or seq not in rows:
            found = self._tx.events.between(writer_id, after=seq - 1, last=seq + _AHEAD, most=_AHEAD)
            rows = self._ahead[writer_id] = {row[15]: row for row in found}
        row = rows.pop(seq, None)
        if not rows:
            del self._ahead[writer_id]
        return row


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while line := file.readline(_LONGEST_LINE):
        yield offset, line
        offset += len(line)
