"""Overwrites lines of an audit file where they stand: same file, same length, while others write behind them.

What is about to be written is noted first, so that a line that was left half old and half new by a crash is finished by
whoever comes next. Only one process at a time works on the lines of a file and its rotated siblings.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

import orjson

from authctl.errors import AuditUnavailable
from authctl.server.audit.copies import rotated_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PATIENCE = 5.0
_PAUSE = 0.001
_NO_FILE_HERE = (errno.EACCES, errno.EPERM, errno.EROFS)
_SURE = 46
"""Every line begins with its event's id, which an erasure leaves alone."""


class Overwrite(NamedTuple):
    """A line, its offset, and what is to stand in its place."""

    offset: int
    old: bytes
    new: bytes


class Workplace:
    """The file `.app.log.erasing` beside `app.log`: a lock, and the note of what is being written."""

    def __init__(self, audit_file: Path) -> None:
        self._audit_file = audit_file
        self._path = audit_file.with_name(f".{audit_file.name}.erasing")
        self._fd = -1

    @contextmanager
    def taken(self, patience: float) -> Iterator[bool]:
        """Whether nobody else is at work, within `patience` seconds; then what they left unfinished is finished.

        Where no file can be made beside the audit file, the work is done without lock and note. Raises AuditUnavailable
        when the audit file is another user's, or something else has the name of ours.
        """
        _require_ours(self._audit_file)
        try:
            self._fd = os.open(self._path, _FLAGS | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno not in _NO_FILE_HERE:
                hint = f"{self._path} cannot be opened: {error.strerror}"
                raise AuditUnavailable(hint=hint, debug=repr(error)) from error
            yield True
            return
        try:
            is_ours = lock(self._fd, patience)
            if is_ours:
                self._finish()
            yield is_ours
        finally:
            os.close(self._fd)
            self._fd = -1

    def overwrite(self, fd: int, changes: Sequence[Overwrite], *, is_noted: bool = True) -> int:
        """Writes new lines over old ones, durably; how many still stood as they were read.

        Wants the lock of the file that is open as `fd`.
        is_noted  the new lines name nobody, and may stand in the note
        """
        right = [change for change in changes if os.pread(fd, len(change.old), change.offset) == change.old]
        if not right:
            return 0
        is_noted = is_noted and self._fd >= 0
        if is_noted:
            self._note(fd, right)
        for change in right:
            _write(fd, change.offset, change.new)
        os.fdatasync(fd)
        if is_noted:
            os.ftruncate(self._fd, 0)
        return len(right)

    def _note(self, fd: int, changes: Sequence[Overwrite]) -> None:
        status = os.fstat(fd)
        writes = [(change.offset, change.new.decode()) for change in changes]
        os.ftruncate(self._fd, 0)
        _write(self._fd, 0, orjson.dumps({"file": [status.st_dev, status.st_ino], "writes": writes}))
        os.fdatasync(self._fd)

    def _finish(self) -> None:
        size = os.fstat(self._fd).st_size
        if not size:
            return
        with suppress(ValueError, KeyError, TypeError):  # the note itself was torn: nothing was written yet
            note = orjson.loads(os.pread(self._fd, size, 0))
            for path in (self._audit_file, *rotated_files(self._audit_file)):
                with suppress(OSError), opened(path) as fd:
                    status = os.fstat(fd)
                    if [status.st_dev, status.st_ino] == note["file"] and lock(fd, _PATIENCE):
                        for offset, line in note["writes"]:
                            _finish_line(fd, offset, line.encode())
                        os.fdatasync(fd)
        os.ftruncate(self._fd, 0)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of a file of ours that lines may be overwritten in; raises OSError, also for any other file."""
    fd = os.open(path, _FLAGS)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(f"{path} is not a file of this user")
        yield fd
    finally:
        os.close(fd)  # which unlocks it


def lock(fd: int, patience: float = _PATIENCE) -> bool:
    """Takes the lock that writers of the file take too; False when it was not to be had in time."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def unlock(fd: int) -> None:
    """Lets others write."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def is_open_at(fd: int, path: Path) -> bool:
    """Whether a descriptor leads to the file that has this name now."""
    ours = os.fstat(fd)
    try:
        there = os.lstat(path)
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _require_ours(audit_file: Path) -> None:
    """Whoever writes the audit file has to be able to open ours beside it, so it is not made by anybody else."""
    with suppress(FileNotFoundError):
        owner = os.lstat(audit_file).st_uid
        if owner != os.geteuid():
            raise AuditUnavailable(
                hint=f"the audit file {audit_file} is another user's (uid {owner}), whose service does this itself"
            )


def _write(fd: int, offset: int, data: bytes) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        offset, data = offset + written, data[written:]


def _finish_line(fd: int, offset: int, line: bytes) -> None:
    """Only where the line still is: its file may have been emptied and filled again."""
    found = os.pread(fd, len(line), offset)
    is_begin = offset == 0 or os.pread(fd, 1, offset - 1) == b"\n"
    if is_begin and len(found) == len(line) and found.find(b"\n") == len(line) - 1 and found[:_SURE] == line[:_SURE]:
        _write(fd, offset, line)
