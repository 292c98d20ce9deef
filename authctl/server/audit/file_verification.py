"""Holds the audit file against the table: every line has its row, and every row that was shipped has its line."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, BinaryIO

from authctl.errors import AuditUnavailable
from authctl.server.audit.backlog import milliseconds_of
from authctl.server.audit.blank_lines import is_empty
from authctl.server.audit.coverage import Coverage
from authctl.server.audit.explanations import BEYOND
from authctl.server.audit.file_sink import lines_backward
from authctl.server.audit.findings import FindingKind
from authctl.server.audit.line_verification import LineCheck
from authctl.server.audit.lines import id_of, place_of, render
from authctl.server.audit.row_pages import RowPages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authctl.server.audit.chain_walk import Surroundings
    from authctl.server.audit.coverage import Ranges
    from authctl.server.audit.findings import Report
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONGEST_LINE = 1 << 20
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
    """One pass over the file, then questions about the lines of single chains.

    sure_until  an offset, taken before the snapshot of the table: lines before it belong to committed rows
    is_wanted   whether the row of a writer and a sequence is one to be looked at
    """

    def __init__(
        self,
        around: Surroundings,
        path: Path,
        sure_until: int,
        writers: dict[str, AuditWriter],
        is_wanted: Callable[[str, int], bool] | None = None,
    ) -> None:
        self._tx = around.tx
        self._explanations = around.explanations
        self._with_removals = around.explanations.writers_with_removals()
        self._path = path
        self._sure_until = sure_until
        self._writers = writers
        self._is_wanted = is_wanted
        self._report = around.report
        self._counts = around.report.counts
        self._generation = self._tx.instance.generation()
        self._rows = RowPages(self._tx)
        self._coverage = Coverage()
        self._began_ms = 0
        self._was_read = False
        self._lines = LineCheck(around)

    def read_file(self, since_ms: int = 0) -> None:
        """Compares every line with its row; `since_ms` leaves out what was written before that time."""
        try:
            fd = os.open(self._path, _FLAGS)
        except FileNotFoundError:
            self._report.notes.append(f"There is no file {self._path}: it was not compared with the table")
            return
        except OSError as error:
            raise AuditUnavailable(f"{self._path} cannot be read", hint=str(error.strerror)) from error
        with os.fdopen(fd, "rb", buffering=1 << 18) as file:
            start = _offset_of(file, since_ms - _ROTATION_MARGIN_MS) if since_ms else 0
            for offset, line in _lines(file, start):
                self._check_line(offset, line)
        self._was_read = True

    def lines_of(self, writer_id: str) -> ExpectedLines | None:
        """The lines that a chain should have in the file; None when they are in no file, or in another one.

        A writer notes an absolute path, which a directory that was moved or restored elsewhere has not kept: a file
        that holds lines of a chain is the file of that chain.
        """
        writer = self._writers.get(writer_id)
        if not self._was_read or writer is None:
            return None
        if writer.log_file != str(self._path) and not self._coverage.of(writer_id).first:
            return None
        return ExpectedLines(writer, self._coverage.of(writer_id), self._began_ms, self._report)

    def _check_line(self, offset: int, line: bytes) -> None:
        place = place_of(line)
        if place is None or not line.endswith(b"\n") or place[1] > BEYOND:
            self._meet_foreign(offset, line)
            return
        writer_id, seq, generation = place
        if generation < self._generation:
            self._counts.lines_of_earlier_trails += 1
            return
        if self._is_wanted is not None and not self._is_wanted(writer_id, seq):
            return
        span = self._explanations.removed(writer_id).covering(seq) if writer_id in self._with_removals else None
        if span is not None:
            self._begin(line)
            self._counts.lines_of_removed_rows += 1
            # An archived row is walked with its chain, and asks for its line like any other.
            self._coverage.of(writer_id).add(seq)
            self._lines.check_removed(line, span)
            return
        row = self._rows.at(writer_id, seq)
        if row is None:
            if offset + len(line) <= self._sure_until:
                self._miss_row(line, writer_id, seq)
            return
        self._compare(line, row, generation)

    def _compare(self, line: bytes, row: EventRow, generation: int) -> None:
        self._counts.lines += 1
        if not self._began_ms:
            self._began_ms = milliseconds_of(row[0])
        if not self._coverage.of(row[14]).add(row[15]):
            self._counts.lines_repeated += 1
        try:
            expected = render(row, generation)
        except (TypeError, ValueError, AttributeError):  # a value of a type that no event has
            expected = b"{}\n"
        if expected != line:
            self._lines.check_different(line, row, expected)

    def _begin(self, line: bytes) -> None:
        if not self._began_ms:
            self._began_ms = milliseconds_of(id_of(line) or "")

    def _meet_foreign(self, offset: int, line: bytes) -> None:
        if offset + len(line) > self._sure_until or is_empty(line):
            return  # still being written; or taken out of the middle: then a row lacks its line
        sentence = f"The line at byte {offset} of {self._path} is no event"
        self._report.add(FindingKind.LINE_FOREIGN, "", 0, None, sentence)

    def _miss_row(self, line: bytes, writer_id: str, seq: int) -> None:
        # What stands behind it tells a cut from a gap, whatever the head of the chain says: an insider may leave it.
        is_tail = not self._tx.events.between(writer_id, after=seq, last=BEYOND, most=1)
        self._report.add(
            FindingKind.LINE_WITHOUT_ROW if is_tail else FindingKind.ROWS_MISSING,
            writer_id,
            seq,
            id_of(line),
            f"The file has a line of row {seq} of writer {writer_id}, the table has no such row",
        )


class ExpectedLines:
    """The rows of one chain that should have lines in the file, told in their order; notes those that have none."""

    def __init__(self, writer: AuditWriter, present: Ranges, began_ms: int, report: Report) -> None:
        self._writer = writer
        self._present = present
        self._began_ms = began_ms
        self._report = report
        self._run: tuple[EventRow, int] | None = None

    def meet(self, row: EventRow) -> int:
        """Looks at one row; the next sequence at which a row may have no line."""
        seq: int = row[15]
        if seq > self._writer.shipped_seq:
            return BEYOND
        if seq not in self._present and self._is_expected(row):
            if self._run is not None and self._run[1] != seq - 1:
                self.end()
            self._run = (row if self._run is None else self._run[0], seq)
        return self._present.next_absent(seq + 1)

    def end(self) -> None:
        """Tells of the rows without lines that were met last."""
        run, self._run = self._run, None
        if run is None:
            return
        row, last = run
        is_tail = last >= self._writer.shipped_seq
        kind = FindingKind.FILE_TAIL_MISSING if is_tail else FindingKind.LINES_MISSING
        rows = f"row {last}" if last == row[15] else f"rows {row[15]} to {last}"
        self._report.add(kind, row[14], row[15], row[0], f"The file lacks the lines of {rows} of writer {row[14]}")

    def _is_expected(self, row: EventRow) -> bool:
        """Rows from before the file's beginning stand in a file that was rotated away."""
        first_line = self._present.first
        if first_line and row[15] > first_line:
            return True
        return bool(self._began_ms) and milliseconds_of(row[0]) > self._began_ms + _ROTATION_MARGIN_MS


def _lines(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    offset = file.seek(start)
    while line := file.readline(_LONGEST_LINE):
        yield offset, line
        offset += len(line)


def _offset_of(file: BinaryIO, since_ms: int) -> int:
    """Where the lines from a time on begin, found from the end."""
    size = os.fstat(file.fileno()).st_size
    start = size
    for offset, line in lines_backward(lambda at, count: os.pread(file.fileno(), count, at), size):
        if milliseconds_of(id_of(line) or "") < since_ms:
            break
        start = offset
    return start
