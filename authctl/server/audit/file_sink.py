"""The audit file: private, append-only, shared by several processes, and looked at before every write.

A process keeps the file open, so deleting or replacing it would go unnoticed, as would cutting it short. Before each
write the file is locked and compared with its path and with what was written last.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from enum import Enum
from typing import TYPE_CHECKING

from authctl.errors import AuditUnavailable
from authctl.server.audit.blank_lines import blanked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_PIECE = 1 << 16
_PAUSE = 0.0005


class Change(Enum):
    """What happened to the file since the last write; the values are reasons of an `audit_gap` event."""

    ROTATED = "file_rotated"
    PERMISSIONS = "file_permissions_changed"
    TRUNCATED = "file_truncated"
    REPLACED = "file_replaced"
    DELETED = "file_deleted"


class AuditFile:
    """One open file. Every method but `acquire` wants the lock; errors of the system come as AuditUnavailable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        self._size = 0
        self._end = 0
        self._last_line = b""
        self._change: Change | None = None

    def acquire(self, patience: float) -> None:
        """Opens the file where needed, locks it, looks for changes, mends a torn last line.

        Waits up to `patience` seconds for other processes.
        """
        deadline = time.monotonic() + patience
        with _Refusing(self.path):
            while True:
                if self._fd < 0:
                    self._fd = _open_private(self.path)
                self._lock(deadline)
                moved = self._where_it_went()
                if moved is None:
                    break
                self._note(moved)
                self.close()
            self._look_inside()

    def release(self) -> None:
        """Lets other processes write."""
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def take_change(self) -> Change | None:
        """The worst that happened to the file since the last call."""
        change, self._change = self._change, None
        return change

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._size

    @property
    def is_all_ours(self) -> bool:
        """Whether nobody else has written since our last line."""
        return self._size == self._end

    def append(self, data: bytes, *, durable: bool = False) -> None:
        """Writes whole lines in one call, or nothing."""
        start = self._size
        with _Refusing(self.path):
            try:
                if os.write(self._fd, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if durable:
                    os.fdatasync(self._fd)
            except OSError:
                os.ftruncate(self._fd, start)
                raise
        self._size = self._end = start + len(data)
        self._last_line = data[data.rfind(b"\n", 0, -1) + 1 :]

    def cut(self, size: int) -> None:
        """Takes back what stands behind `size`: lines that were never committed, or everything."""
        self._end, self._last_line = 0, b""  # should it fail, the end is not as we wanted it
        with _Refusing(self.path):
            os.ftruncate(self._fd, size)
        self._size = self._end = size

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from anywhere in the file."""
        with _Refusing(self.path):
            return os.pread(self._fd, size, offset)

    def first_line(self) -> bytes:
        """The first line without its end, or nothing."""
        return self.read(0, _PIECE).partition(b"\n")[0]

    def lines_backward(self) -> Iterator[tuple[int, bytes]]:
        """Lines from the last to the first, each with its offset and without its end; first of all a torn one."""
        return lines_backward(self.read, self._size)

    def close(self) -> None:
        """Closes the file, and so unlocks it."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size, self._end, self._last_line = -1, 0, 0, b""

    def _lock(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _where_it_went(self) -> Change | None:
        ours = os.fstat(self._fd)
        try:
            there = os.lstat(self.path)
        except FileNotFoundError:
            there = None
        if there is not None and (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
            return None
        if ours.st_nlink > 0:
            return Change.ROTATED
        return Change.DELETED if there is None else Change.REPLACED

    def _look_inside(self) -> None:
        status = os.fstat(self._fd)
        if stat.S_IMODE(status.st_mode) != 0o600:
            os.fchmod(self._fd, 0o600)
            self._note(Change.PERMISSIONS)
        self._size = status.st_size
        if self._size < self._end or not self._ends_as_we_left_it():
            self._note(Change.TRUNCATED)
            self._end, self._last_line = 0, b""
        if self._size and self._size != self._end and os.pread(self._fd, 1, self._size - 1) != b"\n":
            self._cut_torn_line()

    def _ends_as_we_left_it(self) -> bool:
        length = len(self._last_line)
        if not length:
            return True
        there = os.pread(self._fd, length, self._end - length)
        # An erasure may have blanked it since.
        return there == self._last_line or there == blanked(self._last_line)

    def _cut_torn_line(self) -> None:
        """A process or the machine died in the middle of a line; its row is in the table."""
        whole = 0
        for offset, _line in self.lines_backward():
            whole = offset
            break
        os.ftruncate(self._fd, whole)
        self._size = whole

    def _note(self, change: Change) -> None:
        order = list(Change)
        if self._change is None or order.index(change) > order.index(self._change):
            self._change = change


class _Refusing:
    """Turns errors of the system into ours."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BlockingIOError):
            raise AuditUnavailable(
                hint=f"the audit file {self._path} is locked by another process", debug=repr(error)
            ) from error
        if isinstance(error, OSError):
            raise AuditUnavailable(
                hint=f"the audit file {self._path} cannot be written: {error.strerror or error}", debug=repr(error)
            ) from error


def lines_backward(read: Callable[[int, int], bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """Lines of `read(offset, size)` from the last to the first, each with its offset and without its end."""
    start, rest = size, b""
    while start > 0:
        end, start = start, max(0, start - _PIECE)
        rest = read(start, end - start) + rest
        # What stands before the first line end belongs to a line that begins further up.
        begin = rest.find(b"\n") + 1 if start else 0
        if start and not begin:
            continue
        offset = start + len(rest)
        *lines, torn = rest[begin:].split(b"\n")
        if torn:
            offset -= len(torn)
            yield offset, torn
        for line in reversed(lines):
            offset -= len(line) + 1
            yield offset, line
        rest = rest[:begin]


def _open_private(path: Path) -> int:
    try:
        fd = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _refusal(path, "is a symbolic link") from error
        raise
    status = os.fstat(fd)
    why = None
    if not stat.S_ISREG(status.st_mode):
        why = "is not a regular file"
    elif status.st_uid != os.geteuid():
        why = f"belongs to another user (uid {status.st_uid})"
    elif stat.S_IMODE(status.st_mode) & 0o077:
        why = f"can be read by others (mode {stat.S_IMODE(status.st_mode):04o}); `chmod 600` it"
    if why is not None:
        os.close(fd)
        raise _refusal(path, why)
    return fd


def _refusal(path: Path, why: str) -> AuditUnavailable:
    return AuditUnavailable(hint=f"the audit file {path} {why}", debug=f"{path} {why}")
