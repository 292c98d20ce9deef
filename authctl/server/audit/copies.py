"""Finds the copy that a rotation by copy-and-truncate has made, and up to where it reaches."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_LINE = 1 << 16
_CANDIDATES = 4


def find_copied_size(path: Path, first_line: bytes) -> int | None:
    """Bytes of the newest file beside `path` that starts with the line with which `path` started; None without one.

    A copy keeps every offset, so what was written before that size is safe in it and what came later is lost.
    """
    if not first_line:
        return None
    for candidate in _newest_neighbours(path):
        with suppress(OSError):  # compressed or moved on in this moment, or not ours to read
            fd = os.open(candidate, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if os.pread(fd, _FIRST_LINE, 0).partition(b"\n")[0] == first_line:
                    return os.fstat(fd).st_size
            finally:
                os.close(fd)
    return None


def _newest_neighbours(path: Path) -> list[Path]:
    """Rotation adds to the name: `app.log.1`, `app.log-20261101`."""
    with os.scandir(path.parent) as entries:
        found = [
            (entry.stat(follow_symlinks=False).st_mtime, path.parent / entry.name)
            for entry in entries
            if entry.name.startswith((f"{path.name}.", f"{path.name}-")) and entry.is_file(follow_symlinks=False)
        ]
    return [neighbour for _, neighbour in sorted(found, reverse=True)[:_CANDIDATES]]
