"""A private directory of small files: created once as a whole, refused when others could read or change it."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

LARGEST_FILE = 65_536
_LOCK = ".lock"
_REASONS = {
    errno.ENOENT: "is missing",
    errno.ELOOP: "is a symbolic link",
}


class NotPrivate(ValueError):
    """A file or directory that is missing, foreign, empty or open to others; the message says which and how."""


class KeyDirectory:
    """The directory at one path. `last` names the file whose presence says that the others are all there."""

    def __init__(self, path: Path, last: str) -> None:
        self.path = path
        self._last = last

    @property
    def is_complete(self) -> bool:
        """Whether every file was created once; a crash in the middle leaves a directory that is not."""
        return os.path.lexists(self.path / self._last)

    def check(self) -> None:
        """Raises NotPrivate unless the directory is ours alone."""
        try:
            found = self.path.lstat()
        except OSError as error:
            raise NotPrivate(f"{self.path} {_reason(error)}") from error
        if not stat.S_ISDIR(found.st_mode):
            raise NotPrivate(f"{self.path} is not a directory, or a symbolic link to one")
        _check_owner_and_mode(self.path, found, "700")

    def read(self, name: str) -> str:
        """The text of a file, without the line feed at its end; raises NotPrivate unless it is ours alone."""
        path = self.path / name
        try:
            # O_NONBLOCK: a pipe in place of a file must not hold the start up.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise NotPrivate(f"{path} {_reason(error)}") from error
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise NotPrivate(f"{path} is not a regular file")
            _check_owner_and_mode(path, found, "600")
            content = stream.read(LARGEST_FILE + 1)
        if not content.strip():
            raise NotPrivate(f"{path} is empty")
        if len(content) > LARGEST_FILE or not content.isascii():
            raise NotPrivate(f"{path} is not a key file")
        return content.decode("ascii").strip("\r\n")

    def create(self, contents: Mapping[str, Callable[[], str]]) -> None:
        """Makes the directory and every file that is not there, the last one last; safe in several processes at once.

        Raises NotPrivate for a directory that is not ours alone, and OSError for what the file system refuses.
        """
        self.path.mkdir(mode=0o700, exist_ok=True)
        self.check()
        with self._locked():
            if self.is_complete:
                return
            for name in sorted(contents, key=lambda name: name == self._last):
                if not os.path.lexists(self.path / name):
                    self._write(name, f"{contents[name]()}\n")
            _synchronise(self.path)
        _synchronise(self.path.parent)

    def _write(self, name: str, content: str) -> None:
        """All of the file or nothing of it: written under another name, durable, then renamed."""
        temporary = self.path / f".{name}.new"
        temporary.unlink(missing_ok=True)  # left by a crash: we hold the lock
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as stream:
            os.fchmod(stream.fileno(), 0o600)  # whatever the umask
            stream.write(content.encode("ascii"))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(self.path / name)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path / _LOCK, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _check_owner_and_mode(path: Path, found: os.stat_result, wanted: str) -> None:
    if found.st_uid != os.geteuid():
        raise NotPrivate(f"{path} belongs to another user (uid {found.st_uid}); run as that user")
    if found.st_mode & 0o077:
        raise NotPrivate(f"{path} is open to other users; chmod {wanted} it")


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, f"cannot be read: {error.strerror}")


def _synchronise(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
