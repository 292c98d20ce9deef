"""Files that appear whole, durable and private under their name, or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

_PRIVATE = 0o600


class NewFile:
    """A file that is written beside its place and moved there by `publish`; otherwise it is gone after the block."""

    def __init__(self, path: Path) -> None:
        """`temporary` is where it is until then, for whoever writes it otherwise than by `write` and `finish`.

        Raises UsageError when something other than a file is in the place, OSError as the system does.
        """
        require_replaceable(path)
        self.path = path
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=path.parent)
        self.temporary = Path(name)
        self._file = os.fdopen(descriptor, "wb", buffering=1 << 20)
        self._is_published = False

    def write(self, data: bytes) -> None:
        """Adds to the file."""
        self._file.write(data)

    def finish(self) -> None:
        """Everything is on the disk, under the temporary name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.temporary.chmod(_PRIVATE)

    def publish(self) -> None:
        """Moves the finished file to its place, over an older one."""
        require_replaceable(self.path)
        self.temporary.replace(self.path)
        self._is_published = True
        _sync_directory(self.path.parent)

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if not self._is_published:
            self.temporary.unlink(missing_ok=True)
        with suppress(OSError):  # the disk is full, which whoever wrote has been told already
            self._file.close()


def require_replaceable(path: Path) -> None:
    """Raises UsageError unless there is nothing or a regular file in the place."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise UsageError(f"{path} is a directory", hint="name a file in it")
    if stat.S_ISLNK(mode):
        raise UsageError(f"{path} is a symbolic link", hint="name the file that it leads to")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is not a regular file", hint="leave the option out and redirect: > FILE")


def require_writable_place(path: Path) -> None:
    """Raises UsageError unless a file could be put there, so that hours of work do not end in nothing."""
    require_replaceable(path)
    directory = path.parent
    if not directory.is_dir():
        raise UsageError(f"There is no directory {directory}", hint=f"mkdir {directory}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"Nothing can be written into {directory}", hint="name a file in a directory of yours")


def replace_file(path: Path, content: bytes) -> None:
    """Writes a small file in one go."""
    with NewFile(path) as file:
        file.write(content)
        file.finish()
        file.publish()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
