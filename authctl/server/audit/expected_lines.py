"""Which lines a file should have and lacks: the same rule for one that is written and for one that was rotated away.

A file has what was shipped since it began. Before that, and in front of the first line of a chain, lines stand in older
files; behind the last ones of a file that was rotated away they stand in newer files.
"""

from __future__ import annotations

import gzip
import heapq
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from authctl.server.audit.backlog import milliseconds_of
from authctl.server.audit.copies import rotated_files
from authctl.server.audit.coverage import Coverage, Ranges
from authctl.server.audit.lines import id_of, place_of, render
from authctl.server.audit.liveness import has_ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.audit.proof import Proof
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

_PAGE = 200
_LONGEST_LINE = 1 << 20
_NOTHING = Ranges()
ROTATION_MARGIN_MS = 10_000
"""Around a rotation, lines of one moment stand in both files."""


class Present:
    """What a file has: rows by writer, and when its first line was written."""

    def __init__(self) -> None:
        self._rows = Coverage()
        self.began_ms = 0
        self.ended_ms = 0

    def begin(self, row: EventRow) -> None:
        """A line whose row is, or was, in the table."""
        moment = milliseconds_of(row[0])
        self.began_ms = self.began_ms or moment
        self.ended_ms = max(self.ended_ms, moment)

    def add(self, row: EventRow) -> None:
        """A line that is, or will be, that of its row."""
        self._rows.of(row[14]).add(row[15])

    def add_line(self, line: bytes) -> None:
        """A line of another file, as it stands there."""
        place = place_of(line)
        if place is not None:
            moment = milliseconds_of(id_of(line) or "")
            self.began_ms = self.began_ms or moment
            self.ended_ms = max(self.ended_ms, moment)
            self._rows.of(place[0]).add(place[1])

    def of(self, writer_id: str) -> Ranges:
        """The rows of one writer."""
        return self._rows.of(writer_id)


def missing_lines(tx: Transaction, proof: Proof, audit_file: Path, path: Path, present: Present) -> Iterator[bytes]:
    """The lines that `path` should have and lacks, in the order of time; only from rows that are proven.

    audit_file  the file that is being written; `path` is that one, or was rotated away from it
    """
    is_current = path == audit_file
    spans: _Spans
    if not is_current:
        spans = _Rotated(present, _read(_newer(audit_file, path, present)))
    elif present.began_ms:
        spans = _Current(tx, present)
    else:
        spans = _Lost(tx, _read(_siblings(audit_file, path)))
    streams = [
        _missing_of(tx, writer, present.of(writer.id), *spans.of(writer))
        for writer in tx.writers.all()
        # A file that holds lines of a chain is its file, also in a directory that was moved since the path was noted.
        if writer.log_file == str(audit_file) or present.of(writer.id).first
        if writer.generation == proof.generation
    ]
    for row in heapq.merge(*streams, key=lambda row: str(row[0])):
        if proof.is_genuine(row):
            proof.remember(row)
            yield render(row, proof.generation)
        else:
            proof.doubtful += 1


class _Spans:
    """The first and the last row of a writer that a file may lack; the last is 0 when it may lack none."""

    def of(self, writer: AuditWriter) -> tuple[int, int]:
        """For one writer."""
        return 1, _shipped(writer)


class _Current(_Spans):
    """A file that is being written."""

    def __init__(self, tx: Transaction, present: Present) -> None:
        self._tx = tx
        self._present = present

    def of(self, writer: AuditWriter) -> tuple[int, int]:
        first = self._present.of(writer.id).first
        since = first_since(self._tx, writer.id, self._present.began_ms + ROTATION_MARGIN_MS)
        begins = [seq for seq in (first + 1 if first else None, since) if seq is not None]
        return (min(begins), _shipped(writer)) if begins else (1, 0)


class _Rotated(_Spans):
    """A file that was rotated away: what stands between its own lines, and up to the newer files."""

    def __init__(self, present: Present, newer: Present) -> None:
        self._present = present
        self._newer = newer

    def of(self, writer: AuditWriter) -> tuple[int, int]:
        mine, behind = self._present.of(writer.id), self._newer.of(writer.id)
        if not mine.first:
            return 1, 0
        later = behind.first - 1 if behind.first > mine.last else mine.last
        return mine.first + 1, min(later, _shipped(writer))


class _Lost(_Spans):
    """A file that is empty or gone: what came behind those that were rotated away, or else everything."""

    def __init__(self, tx: Transaction, older: Present) -> None:
        self._tx = tx
        self._older = older

    def of(self, writer: AuditWriter) -> tuple[int, int]:
        if not self._older.ended_ms:
            return 1, _shipped(writer)
        last = self._older.of(writer.id).last
        if last:
            return last + 1, _shipped(writer)
        since = first_since(self._tx, writer.id, self._older.ended_ms)
        return (1, 0) if since is None else (since, _shipped(writer))


def first_since(tx: Transaction, writer_id: str, milliseconds: int) -> int | None:
    """The first row of a chain from a moment on, by the time inside its id."""
    text = f"{milliseconds + 1:012x}"
    return tx.events.first_since(writer_id, f"{text[:8]}-{text[8:]}-7000-8000-000000000000")


def _shipped(writer: AuditWriter) -> int:
    return writer.last_seq if has_ended(writer) else min(writer.shipped_seq, writer.last_seq)


def _missing_of(tx: Transaction, writer: AuditWriter, present: Ranges, first: int, last: int) -> Iterator[EventRow]:
    seq = present.next_absent(first)
    while seq <= last:
        rows = tx.events.between(writer.id, after=seq - 1, last=last, most=_PAGE)
        if not rows:
            return
        yield from (row for row in rows if row[15] not in present)
        seq = present.next_absent(rows[-1][15] + 1)


def _siblings(audit_file: Path, path: Path) -> list[Path]:
    return [one for one in (*rotated_files(audit_file), audit_file) if one != path]


def _newer(audit_file: Path, path: Path, present: Present) -> list[Path]:
    """The files that began when this one had ended, more or less."""
    return [
        one
        for one in _siblings(audit_file, path)
        if _began(one) > max(present.began_ms, present.ended_ms - ROTATION_MARGIN_MS)
    ]


def _began(path: Path) -> int:
    for line in lines_of_any(path):
        moment = milliseconds_of(id_of(line) or "")
        if moment:
            return moment
    return 0


def _read(paths: list[Path]) -> Present:
    found = Present()
    for path in paths:
        for line in lines_of_any(path):
            found.add_line(line)
    return found


def lines_of_any(path: Path) -> Iterator[bytes]:
    """The lines of a file that may be compressed with gzip; none when it cannot be read."""
    with suppress(OSError, EOFError, gzip.BadGzipFile):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        is_packed = os.pread(fd, 2, 0) == b"\x1f\x8b"
        with os.fdopen(fd, "rb") as raw, gzip.GzipFile(fileobj=raw) if is_packed else raw as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
