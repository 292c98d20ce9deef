"""Files that a rotation has left beside the audit file, and up to where a copy among them reaches."""

from __future__ import annotations

import gzip
import os
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from authctl.server.audit.blank_lines import is_same_line

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_LINE = 1 << 16
_CANDIDATES = 100


def find_copied_size(path: Path, first_line: bytes) -> int | None:
    """Bytes of the newest file beside `path` that starts with the line with which `path` started; None without one.

    A copy keeps every offset, so what was written before that size is safe in it and what came later is lost.
    """
    if not first_line:
        return None
    for candidate in rotated_files(path):
        with suppress(OSError):  # moved on in this moment, or not ours to read
            fd = os.open(candidate, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(fd, "rb") as file:
                if is_same_line(_first_line(file, candidate), first_line):
                    return _plain_size(file, candidate)
    return None


def _first_line(file: BinaryIO, path: Path) -> bytes:
    if path.suffix != ".gz":
        return file.readline(_LONGEST_LINE).rstrip(b"\n")
    with gzip.open(file) as plain:
        return plain.readline(_LONGEST_LINE).rstrip(b"\n")


def _plain_size(file: BinaryIO, path: Path) -> int:
    if path.suffix != ".gz":
        return os.fstat(file.fileno()).st_size
    file.seek(-4, os.SEEK_END)  # RFC 1952: the size before compression stands at the end
    return int.from_bytes(file.read(4), "little")


def rejected_file(path: Path) -> Path:
    """Where lines go that have no place in `path`."""
    return path.with_name(f"{path.name}.rejected")


def rotated_files(path: Path) -> list[Path]:
    """The files beside `path` whose names continue its own (`app.log.1`, `app.log-20261101`), newest first."""
    rejected = rejected_file(path).name
    with os.scandir(path.parent) as entries:
        found = [
            (entry.stat(follow_symlinks=False).st_mtime, path.parent / entry.name)
            for entry in entries
            if entry.name.startswith((f"{path.name}.", f"{path.name}-"))
            and entry.name != rejected
            and entry.is_file(follow_symlinks=False)
        ]
    return [neighbour for _, neighbour in sorted(found, reverse=True)[:_CANDIDATES]]
