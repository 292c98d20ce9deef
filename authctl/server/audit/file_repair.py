"""Mends a log file from the table: writes lines that it lacks, puts altered ones right, takes out what is no event.

The file stays the one that it is, and nothing in it moves, so that a running service notices nothing: a line that is
taken out leaves blanks, and a line that finds no room where it stood is written at the end. Nothing is lost: lines that
are taken out are kept in a file beside it. Rows and lines count only when their MACs prove them.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from authctl.errors import AuditUnavailable, Conflict, UsageError
from authctl.server.audit.blank_lines import is_empty
from authctl.server.audit.copies import rejected_file
from authctl.server.audit.expected_lines import Present, missing_lines
from authctl.server.audit.explanations import BEYOND
from authctl.server.audit.file_verification import measure_committed
from authctl.server.audit.lines import place_of, render, row_of
from authctl.server.audit.overwriting import Overwrite, Workplace, is_open_at, lock, opened, unlock
from authctl.server.audit.proof import Proof
from authctl.server.audit.row_pages import RowPages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.audit.explanations import Span
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.database import Database
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

_LONGEST_LINE = 1 << 20
_AT_ONCE = 256
_APPENDED_AT_ONCE = 1 << 20
_PATIENCE = 30.0
_PACKED = (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5")
"""How gzip, bzip2, xz and zstd begin."""


@dataclass(slots=True)
class Mending:
    """What there is to be mended, or was.

    written      lines that the file lacked
    mended       lines that differed from their rows
    rejected     lines that are no events of this trail, or had no room to be mended in
    without_row  lines that the table has no row for: `repair-file --from` may restore them
    doubtful     rows that do not fit their MACs, from which nothing is written
    is_lost      whether the file is gone, or holds nothing of this trail
    """

    written: int = 0
    mended: int = 0
    rejected: int = 0
    without_row: int = 0
    doubtful: int = 0
    is_lost: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether the file is as it should be."""
        return not (self.written or self.mended or self.rejected)


class Change(NamedTuple):
    """A line, and what comes in its place; `kept` is what the file beside gets."""

    overwrite: Overwrite
    kept: bytes


class FileRepair:
    """Of one file, be it the one that is being written or one that was rotated away from it.

    audit_file  the name under which the writers know their file
    """

    def __init__(self, database: Database, keys: TrailKeys, instance_id: str, audit_file: Path, path: Path) -> None:
        self._database = database
        self._keys = keys
        self._instance_id = instance_id
        self._audit_file = audit_file
        self._path = path
        self._torn = b""

    def plan(self) -> Mending:
        """What there is to be mended; nothing is written.

        Raises AuditUnavailable when the file cannot be read, UsageError when it is none of lines.
        """
        return self._go_through(None)

    def carry_out(self) -> Mending:
        """Mends it. Raises Conflict when the file was rotated meanwhile, AuditUnavailable when it cannot be written."""
        workplace = Workplace(self._audit_file)
        # Who erases waits until this is over, and looks at the lines that were written from older rows.
        with workplace.taken(_PATIENCE) as is_ours:
            if not is_ours:
                raise Conflict("Another process is at work on the audit file", hint="try again in a moment")
            try:
                return self._go_through(workplace)
            except OSError as error:
                raise AuditUnavailable(
                    hint=f"{error.filename or self._path} cannot be written: {error.strerror}", debug=repr(error)
                ) from error

    def _go_through(self, workplace: Workplace | None) -> Mending:
        sure_until = measure_committed(self._path)
        self._require_events(sure_until)

        def unit(tx: Transaction) -> Mending:
            proof = Proof(tx, self._keys, self._instance_id)
            hand = Hand(self._path, workplace, sure_until)
            try:
                check = LineJudge(tx, proof, hand)
                for offset, line in _lines(self._path, sure_until):
                    check.look_at(offset, line)
                self._keep_torn(hand)
                for line in missing_lines(tx, proof, self._audit_file, self._path, check.present):
                    hand.append(line)
                hand.finish()
                hand.done.doubtful = proof.doubtful
                hand.done.is_lost = not check.present.began_ms
                return hand.done
            finally:
                hand.close()

        return self._database.read_now(unit)

    def _require_events(self, size: int) -> None:
        """Any other file than the one that is written may be somebody else's, whose lines are not ours to take out."""
        if self._path == self._audit_file or not size:
            return
        if not any(place_of(line) for _, line in _lines(self._path, size)):
            raise UsageError(f"{self._path} holds no event", hint="name a log file of this service, or leave it out")

    def _keep_torn(self, hand: Hand) -> None:
        """Whoever writes next cuts a torn end off, be it the event of the repair: it is kept none the less."""
        if self._torn and not hand.torn:
            hand.take(self._torn)
        self._torn = hand.torn


class LineJudge:
    """Looks at line after line, and tells the hand what to do about them."""

    def __init__(self, tx: Transaction, proof: Proof, hand: Hand) -> None:
        self._proof = proof
        self._hand = hand
        self._rows = RowPages(tx)
        self.present = Present()

    def look_at(self, offset: int, line: bytes) -> None:
        """The next line; the last one may lack its end."""
        place = place_of(line)
        if is_empty(line):
            return
        is_whole = line.endswith(b"\n") and place is not None and 0 < place[1] < BEYOND
        if place is None or not is_whole or place[2] > self._proof.generation:
            self._hand.reject(offset, line)
            return
        writer_id, seq, generation = place
        if generation < self._proof.generation:
            return
        span = self._proof.explanations.removed(writer_id).covering(seq)
        row = None if span is not None else self._rows.at(writer_id, seq)
        if row is None:
            self._check_alone(offset, line, span)
        else:
            self._compare(offset, line, row, render(row, generation))

    def _check_alone(self, offset: int, line: bytes, span: Span | None) -> None:
        """A line without a row: retention took it, or it was lost, or somebody made the line up."""
        row = row_of(line)
        is_genuine = False if row is None else self._proof.is_genuine(row)
        if row is not None and span is not None and row[15] == span.last and row[20] != span.mac:
            is_genuine = False
        if row is None or is_genuine is False:
            self._hand.reject(offset, line)
            return
        self._proof.remember(row)
        if span is not None:
            self.present.begin(row)
        else:
            self._hand.done.without_row += 1

    def _compare(self, offset: int, line: bytes, row: EventRow, expected: bytes) -> None:
        is_blank = row[16] is None
        self.present.begin(row)
        if line == expected or (is_blank and line.rstrip(b" \n") == expected[:-1]):
            self.present.add(row)
        elif not self._proof.is_genuine(row):
            self._proof.doubtful += 1
            self.present.add(row)
        elif len(expected) == len(line) or (is_blank and len(expected) < len(line)):
            self.present.add(row)
            self._hand.mend(offset, line, expected[:-1].ljust(len(line) - 1) + b"\n", kept=not is_blank)
        else:  # the right line comes in at the end
            self._hand.reject(offset, line, kept=not is_blank)


class Hand:
    """Writes what is decided, a portion at a time, or only counts it when it has no workplace."""

    def __init__(self, path: Path, workplace: Workplace | None, size: int) -> None:
        self.done = Mending()
        self.torn = b""
        self._path = path
        self._workplace = workplace
        self._size = size
        self._changes: list[Change] = []
        self._new: list[bytes] = []
        self._waiting = 0
        self._fd = -1

    def mend(self, offset: int, line: bytes, right: bytes, *, kept: bool) -> None:
        """Another line, as long, comes in the place of this one."""
        self.done.mended += 1
        self._change(Change(Overwrite(offset, line, right), line if kept else b""))

    def reject(self, offset: int, line: bytes, *, kept: bool = True) -> None:
        """The line goes to the file beside; `kept` is False for what an erasure would have blanked."""
        self.done.rejected += 1
        self.torn = line if not line.endswith(b"\n") and len(line) < _LONGEST_LINE else b""
        self._change(Change(Overwrite(offset, line, b" " * (len(line) - 1) + b"\n"), line if kept else b""))

    def take(self, line: bytes) -> None:
        """A line that is not in the file any more goes to the file beside."""
        self.done.rejected += 1
        if self._workplace is not None:
            self._keep([line])

    def append(self, line: bytes) -> None:
        """A line comes in at the end."""
        self.done.written += 1
        if self._workplace is None:
            return
        self._write_changes()
        self._new.append(line)
        self._waiting += len(line)
        if self._waiting >= _APPENDED_AT_ONCE:
            self._write_new()

    def finish(self) -> None:
        """Writes what waits."""
        if self._workplace is not None:
            self._write_changes()
            self._write_new()

    def close(self) -> None:
        """Lets go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _change(self, change: Change) -> None:
        if self._workplace is None:
            return
        self._changes.append(change)
        if len(self._changes) >= _AT_ONCE:
            self._write_changes()

    def _write_changes(self) -> None:
        changes, self._changes = self._changes, []
        if not changes or self._workplace is None:
            return
        self._keep([change.kept for change in changes if change.kept])
        self._lock(0)
        written = self._workplace.overwrite(self._fd, [change.overwrite for change in changes], is_noted=False)
        unlock(self._fd)
        if written != len(changes):
            raise Conflict(f"{self._path} changed while it was mended", hint="run the command again")

    def _write_new(self) -> None:
        new, self._new, self._waiting = self._new, [], 0
        if not new:
            return
        self._lock(os.O_CREAT)
        end = os.fstat(self._fd).st_size
        is_torn = end > 0 and os.pread(self._fd, 1, end - 1) != b"\n"
        _append(self._fd, end, (b"\n" if is_torn else b"") + b"".join(new))
        unlock(self._fd)

    def _lock(self, flags: int) -> None:
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags, 0o600)
        if not lock(self._fd):
            raise AuditUnavailable(hint=f"{self._path} is locked by another process")
        if not is_open_at(self._fd, self._path) or os.fstat(self._fd).st_size < self._size:
            raise Conflict(f"{self._path} was rotated while it was mended", hint="run the command again")

    def _keep(self, lines: list[bytes]) -> None:
        if not lines:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(rejected_file(self._path), flags, 0o600), "wb") as file:
            file.writelines(line if line.endswith(b"\n") else line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def _append(fd: int, end: int, data: bytes) -> None:
    """Whole lines, or nothing."""
    try:
        if os.pwrite(fd, data, end) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fdatasync(fd)
    except OSError:
        os.ftruncate(fd, end)
        raise


def _lines(path: Path, until: int) -> Iterator[tuple[int, bytes]]:
    """Lines up to an offset, each with its own; what has no end within reason comes in pieces."""
    try:
        with opened(path) as descriptor, os.fdopen(os.dup(descriptor), "rb", buffering=1 << 18) as file:
            if os.pread(descriptor, 2, 0) in _PACKED:
                raise UsageError(f"{path} is compressed", hint="unpack it first")
            offset = 0
            while offset < until and (line := file.readline(min(_LONGEST_LINE, until - offset))):
                yield offset, line
                offset += len(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AuditUnavailable(f"{path} cannot be read", hint=str(error.strerror or error)) from error
