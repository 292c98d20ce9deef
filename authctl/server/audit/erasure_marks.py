"""What the processes that write one audit file tell each other about erasures, in a small file beside it.

A line is made from a row before it is written, and the row may be blanked in between. So whoever is about to blank
lines first changes the mark, under the lock of the audit file; and who finds it changed, between reading rows and
getting that lock, lets its lines go and reads the rows again. Lines written before are in the file when it is searched.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from authctl.server.storage.times import read_time, write_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger("authctl.audit")

Stamp = tuple[int, int]
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_DOUBT = timedelta(days=1)
"""Events of other machines may come to be seen later than their times tell: no clock is so wrong."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Which erasures a file has been through: all that are older than a moment, and among the others these."""

    older: datetime = _BEGINNING
    others: frozenset[tuple[str, datetime]] = frozenset()

    def __contains__(self, erasure: tuple[str, datetime]) -> bool:
        return erasure[1] < self.older or erasure in self.others

    def with_more(self, erasures: Iterable[tuple[str, datetime]]) -> Applied:
        """After these, given by id and time, have been carried out too."""
        others = self.others.union(erasures)
        older = max([self.older, *(moment - _DOUBT for _, moment in others)])
        return Applied(older, frozenset(erasure for erasure in others if erasure[1] >= older))


class Marks:
    """The file `.app.log.erased` beside `app.log`."""

    def __init__(self, audit_file: Path) -> None:
        self._path = audit_file.with_name(f".{audit_file.name}.erased")
        self._name = str(self._path)

    def stamp(self) -> Stamp | None:
        """Something that is different after every `store`."""
        try:
            status = os.lstat(self._name)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def load(self) -> Applied:
        """What the file has been through; nothing when that cannot be read, for doing it twice does no harm."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(fd, "rb") as file:
                content = orjson.loads(file.read())
            others = frozenset((str(event_id), read_time(moment)) for event_id, moment in content["others"])
            return Applied(read_time(content["older"]), others)
        except (OSError, ValueError, KeyError, TypeError):
            return Applied()

    def store(self, applied: Applied) -> bool:
        """Replaces the mark, durably; False where no file can be made beside the audit file."""
        others = [(event_id, write_time(moment)) for event_id, moment in sorted(applied.others)]
        content = orjson.dumps({"older": write_time(applied.older), "others": others})
        made = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                # By the system's own clock two marks of one moment, in an inode used again, could look alike.
                os.utime(fd, ns=(time.time_ns(), time.time_ns()))
                os.fsync(fd)
            made.replace(self._path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)
            return False
        return True
