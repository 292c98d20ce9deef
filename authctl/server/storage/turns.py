"""Who writes next, when several processes write to one SQLite file.

SQLite's own lock has no queue: who finds it taken sleeps and looks again, longer each time, so that two busy workers
together would be slower than one. Waiting for this lock first, a process is woken by the kernel as soon as it is free.
It decides nothing: what may be written is SQLite's to say, and a program that does not know of it is no danger.
"""

from __future__ import annotations

import fcntl
import logging
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("authctl.storage")


class Turn(Protocol):
    """One writer's place in the queue."""

    def take(self) -> None:
        """Waits until no other writer has its turn."""
        ...

    def give_back(self) -> None:
        """Lets the next one write; without effect when it was given back before."""
        ...

    def close(self) -> None:
        """Gives the turn back for good."""
        ...


class NoTurn:
    """For a database that queues its writers itself."""

    def take(self) -> None:
        """Nobody waits."""

    def give_back(self) -> None:
        """Nobody waits."""

    def close(self) -> None:
        """Nothing to close."""


class FileTurn:
    """A lock file beside the database. The kernel frees it when its holder ends, however it ends."""

    def __init__(self, database: Path) -> None:
        self._path = str(database.with_name(database.name + ".turn"))
        self._descriptor: int | None = None
        self._is_taken = False

    def take(self) -> None:
        """Waits at most as long as others need for a transaction; goes on without a turn where none can be had."""
        try:
            if self._descriptor is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            self._is_taken = True
        except OSError as error:
            log.debug("writing without a turn: %s", error)

    def give_back(self) -> None:
        """Wakes the next writer."""
        if self._is_taken and self._descriptor is not None:
            self._is_taken = False
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Closes the file, which frees the lock; the file stays for others."""
        descriptor, self._descriptor, self._is_taken = self._descriptor, None, False
        if descriptor is not None:
            os.close(descriptor)
