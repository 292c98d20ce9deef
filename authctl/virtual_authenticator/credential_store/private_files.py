"""Files that nobody else may read: opened with suspicion, replaced as a whole, changed under a lock."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.errors import StoreNotPrivate, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST: Final = 64 * 1024 * 1024
_POLL_SECONDS: Final = 0.005


def read_private(path: Path) -> bytes | None:
    """The content of a file that is ours alone, None when there is none; StoreNotPrivate when it is open to others."""
    with explained(path):
        descriptor = _open_private(path)
        if descriptor is None:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise StoreUnusable(f"{path} is too large")
    return content


def replace_private(path: Path, content: bytes) -> None:
    """Puts the content in the file's place, as a whole and for good: it is on the disk when this returns."""
    with explained(path):
        temporary = _write_temporary(path, content)
        try:
            temporary.replace(path)
        except OSError:
            temporary.unlink()
            raise
        _sync_directory(path.parent)


@contextmanager
def exclusive(path: Path, *, initial: bytes, seconds: float) -> Iterator[None]:
    """Holds the file for one process, creating it with the initial content first; StoreUnusable after the time-out."""
    deadline = time.monotonic() + seconds
    with explained(path):
        _require_directory(path.parent)
        descriptor = _lock(path, initial, deadline)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what the operating system says about the file into StoreUnusable."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreNotPrivate(f"{path} is a symbolic link", hint="Name the file itself with --passkeys") from error
        reason = error.strerror or type(error).__name__
        raise StoreUnusable(f"{path} cannot be used: {reason}", hint="Name another file with --passkeys") from error


def _open_private(path: Path) -> int | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    try:
        _require_private(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreNotPrivate(f"{path} is not a regular file")
    if status.st_uid != os.geteuid():
        raise StoreNotPrivate(
            f"{path} belongs to another user", hint="Run as its owner, or name another file with --passkeys"
        )
    if status.st_mode & 0o077:
        raise StoreNotPrivate(f"{path} is open to other users", hint=f"If nobody read it: chmod 600 {path}")


def _require_directory(directory: Path) -> None:
    # Only directories of our own making are 0700: one that was there may be a project folder. What counts in it is that
    # nobody else can put another file in the place of ours.
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.stat()
    is_writable_by_others = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    if is_writable_by_others or status.st_uid not in (os.geteuid(), 0):
        raise StoreNotPrivate(
            f"Others can replace files in {directory}",
            hint=f"chmod go-w {directory}, or name another file with --passkeys",
        )


def _lock(path: Path, initial: bytes, deadline: float) -> int:
    while True:
        descriptor = _open_private(path)
        if descriptor is None:
            _create(path, initial)
            continue
        try:
            if _is_locked(descriptor) and _is_current(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise StoreUnusable(f"{path} is in use by another process", hint="Try again when it has finished")
        time.sleep(_POLL_SECONDS)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(path: Path, descriptor: int) -> bool:
    # Every change replaces the file, so a lock counts only while its file is still the one of that name.
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _create(path: Path, content: bytes) -> None:
    temporary = _write_temporary(path, content)
    try:
        # A link never replaces: of two processes that create the file one wins, and nobody sees half of it.
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
    _sync_directory(path.parent)


def _write_temporary(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        temporary.unlink()
        raise
    return temporary


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
