"""Tells a running service from a stopped one: servers share a lock, and who needs the database alone asks for it."""

from __future__ import annotations

import fcntl
import logging
import os
from typing import TYPE_CHECKING, Any, Protocol

from authctl.errors import StorageUnavailable
from authctl.server.storage.sqlite import SqliteDriver

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.storage.connection import Driver

log = logging.getLogger("authctl.storage")

_ADVISORY_KEY = 0x61757365


class ServingLock(Protocol):
    """Held until `release`, or until the process ends however it ends."""

    def share(self) -> bool:
        """Takes its part of the lock; False when somebody has it alone."""
        ...

    def own(self) -> bool:
        """Takes the lock alone; False when any server runs."""
        ...

    def release(self) -> None:
        """Gives it back."""
        ...


def serving_lock(driver: Driver) -> ServingLock:
    """The lock of one database: a file beside it, or an advisory lock inside PostgreSQL."""
    return FileLock(driver.path) if isinstance(driver, SqliteDriver) else AdvisoryLock(driver)


class FileLock:
    """A lock file beside an SQLite database, which the kernel unlocks when its process is gone."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".serving")
        self._descriptor: int | None = None

    def share(self) -> bool:
        """Takes its part of the lock."""
        return self._take(fcntl.LOCK_SH)

    def own(self) -> bool:
        """Takes the lock alone."""
        return self._take(fcntl.LOCK_EX)

    def release(self) -> None:
        """Gives it back; the file stays, since removing it would race with who opens it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, how: int) -> bool:
        try:
            if self._descriptor is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o600)
            fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StorageUnavailable(f"{self._path} cannot be locked", hint=str(error)) from error
        return True


class AdvisoryLock:
    """An advisory lock on a PostgreSQL session of its own."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._raw: Any = None

    def share(self) -> bool:
        """Takes its part of the lock."""
        return self._take("pg_try_advisory_lock_shared")

    def own(self) -> bool:
        """Takes the lock alone."""
        return self._take("pg_try_advisory_lock")

    def release(self) -> None:
        """Gives it back; closing the session alone would leave the moment to the server."""
        raw, self._raw = self._raw, None
        if raw is None:
            return
        try:
            raw.execute("SELECT pg_advisory_unlock_all()")
        except self._driver.exceptions as error:
            log.debug("the serving lock was lost before: %s", error)
        raw.close()

    def _take(self, function: str) -> bool:
        try:
            if self._raw is None:
                self._raw = self._driver.connect(readonly=False)
            return bool(self._raw.execute(f"SELECT {function}({_ADVISORY_KEY})").fetchone()[0])
        except self._driver.exceptions as error:
            raise self._driver.translate(error) from error
