"""Blanks lines of the audit file and of its rotated siblings: those that an erasure has named, and those of one person.

Lines of rows that are still in the table are blanked only when an erasure has named them, since both have to agree.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from authctl.errors import AuditUnavailable
from authctl.server.audit.backlog import milliseconds_of
from authctl.server.audit.blank_lines import blanked
from authctl.server.audit.copies import rejected_file, rotated_files
from authctl.server.audit.coverage import Ranges
from authctl.server.audit.lines import place_of
from authctl.server.audit.overwriting import Overwrite, Workplace, is_open_at, lock, opened, unlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from authctl.server.audit.events import ChainRange

_PIECE = 1 << 20
_LONGEST_LINE = 1 << 20
_AT_ONCE = 256
_ROUNDS = 5
_WRITER = b'"writer_id":"'
_WRITER_LENGTH = 36
_REJECTED = ".rejected"
_UNSETTLED_MS = 60_000
"""A line as young as this may be of a row that is not committed yet."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose lines are blanked where no row is left that an erasure could name.

    is_gone  whether the table has no row at a place of a chain
    """

    email: str
    ids: tuple[str, ...]
    is_gone: Callable[[str, int], bool]

    def is_meant_by(self, line: bytes) -> bool:
        """Whether a line is of this person, and of a row that is not in the table any more."""
        place = place_of(line)
        if place is None:
            return False
        content = orjson.loads(line)
        ids = (content.get("user_id"), content.get("target_user_id"))
        if content.get("user_email") != self.email and not any(user_id in ids for user_id in self.ids):
            return False
        age = time.time() * 1000 - milliseconds_of(str(content.get("id")))
        return age > _UNSETTLED_MS and self.is_gone(place[0], place[1])

    @property
    def signs(self) -> tuple[bytes, ...]:
        """What every line about the person contains."""
        return tuple(orjson.dumps(text)[1:-1] for text in (self.email, *self.ids) if text)


class Wanted:
    """Which lines are to be blanked."""

    def __init__(self, ranges: Iterable[ChainRange] = (), person: Person | None = None) -> None:
        self._places: dict[bytes, Ranges] = {}
        self._person = person
        self._signs = () if person is None else person.signs
        for one in ranges:
            numbers = self._places.setdefault(one.writer_id.encode(), Ranges())
            for seq in range(one.first, one.last + 1):
                numbers.add(seq)

    def __bool__(self) -> bool:
        return bool(self._places or self._signs)

    def has(self, line: bytes) -> bool:
        """Whether this line is one of them; reads as little of the others as possible."""
        behind = line.partition(_WRITER)[2]
        if behind[:_WRITER_LENGTH] in self._places or not behind:
            place = place_of(line)
            if place is not None and place[1] in self._places.get(place[0].encode(), ()):
                return True
        return self.mentions(line) and self._person is not None and self._person.is_meant_by(line)

    def mentions(self, line: bytes) -> bool:
        """Whether the person stands in it at all."""
        return any(sign in line for sign in self._signs)


@dataclass(slots=True)
class Scrubbed:
    """What was done: lines that were blanked, and files beside the audit file that could not be looked into."""

    lines: int = 0
    left: list[Path] = field(default_factory=list)


def scrub(audit_file: Path, workplace: Workplace, wanted: Wanted, announce: Callable[[], object]) -> Scrubbed:
    """Goes through the audit file and everything that was rotated away from it, until nothing moved meanwhile.

    announce  changes the mark; called under the lock of the audit file, before anything is searched
    Raises AuditUnavailable when the file does not come to rest, or cannot be locked or written.
    """
    done = Scrubbed()
    try:
        for _ in range(_ROUNDS):
            done.left.clear()
            if _scrub_once(audit_file, workplace, wanted, announce, done):
                return done
    except OSError as error:
        raise AuditUnavailable(
            hint=f"the audit file {audit_file} cannot be written: {error.strerror or error}", debug=repr(error)
        ) from error
    raise AuditUnavailable(hint=f"the audit file {audit_file} keeps changing its place; try again")


def _scrub_once(
    audit_file: Path, workplace: Workplace, wanted: Wanted, announce: Callable[[], object], done: Scrubbed
) -> bool:
    """False when the file was rotated, cut or begun meanwhile, or lines were not where they had been read."""
    with ExitStack() as stack:
        try:
            fd = stack.enter_context(opened(audit_file))
        except FileNotFoundError:
            announce()
            settled = [_scrub_file(path, workplace, wanted, done) for path in _siblings(audit_file)]
            return all(settled) and not os.path.lexists(audit_file)
        _lock(fd)
        announce()
        size = os.fstat(fd).st_size
        unlock(fd)
        settled = [_scrub_file(path, workplace, wanted, done) for path in _siblings(audit_file)]
        settled.append(_scrub_open(fd, workplace, wanted.has, done))
        return all(settled) and is_open_at(fd, audit_file) and os.fstat(fd).st_size >= size


def _siblings(audit_file: Path) -> list[Path]:
    rejected = rejected_file(audit_file)
    return [*rotated_files(audit_file), *([rejected] if rejected.exists() else [])]


def _scrub_file(path: Path, workplace: Workplace, wanted: Wanted, done: Scrubbed) -> bool:
    with suppress(FileNotFoundError):  # moved on in this moment: so has the audit file
        try:
            with opened(path) as fd:
                status, before = os.fstat(fd), done.lines
                if status.st_size and os.pread(fd, 1, 0) not in (b"{", b" ", b"\n"):
                    done.left.append(path)  # compressed, most likely
                    return True
                chosen = wanted.mentions if path.name.endswith(_REJECTED) else wanted.has
                is_settled = _scrub_open(fd, workplace, chosen, done)
                if done.lines != before:  # files are told apart by their age
                    os.utime(fd, ns=(status.st_atime_ns, status.st_mtime_ns))
                return is_settled
        except PermissionError:
            done.left.append(path)
    return True


def _scrub_open(fd: int, workplace: Workplace, chosen: Callable[[bytes], bool], done: Scrubbed) -> bool:
    is_settled = True
    changes: list[Overwrite] = []
    for offset, line in _lines(fd):
        if line is not None and chosen(line) and (new := blanked(line)) != line:
            changes.append(Overwrite(offset, line, new))
        if changes and (line is None or len(changes) >= _AT_ONCE):
            written = _flush(fd, workplace, changes)
            done.lines += written
            is_settled = is_settled and written == len(changes)
            changes = []
    return is_settled


def _flush(fd: int, workplace: Workplace, changes: list[Overwrite]) -> int:
    _lock(fd)
    try:
        return workplace.overwrite(fd, changes)
    finally:
        unlock(fd)


def _lock(fd: int) -> None:
    if not lock(fd):
        raise AuditUnavailable(hint="the audit file is locked by another process")


def _lines(fd: int) -> Iterator[tuple[int, bytes | None]]:
    """Every whole line with its offset, and None at the end; what has no end within reason is no line of ours."""
    offset, position, rest = 0, 0, b""
    while piece := os.pread(fd, _PIECE, position):
        position += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield offset, line + b"\n"
            offset += len(line) + 1
        if len(rest) > _LONGEST_LINE:
            offset, rest = position, b""
        time.sleep(0)  # whoever waits for the interpreter comes first
    yield position, None
