"""The SQLite driver: a library free of the WAL-reset fault where there is one, durable commits, private files."""

from __future__ import annotations

import os
import stat
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from authctl.errors import (
    AlreadyExists,
    AuthctlError,
    SchemaMismatch,
    StorageDamaged,
    StorageError,
    StorageMissing,
    StorageUnavailable,
)
from authctl.server.storage.address_query import register_functions
from authctl.server.storage.times import write_time
from authctl.server.storage.turns import FileTurn

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:  # no wheel for this platform: the interpreter's own library, checked in `is_wal_safe`
        import sqlite3

LOCK_WAIT_MS = 50
"""How long one try for the lock waits inside SQLite; the writer tries again until its units are too old."""
APPLICATION_ID = 0x61757468
"""Marks our files in SQLite's header ("auth")."""
_PAGES_BETWEEN_CHECKPOINTS = 8000
"""32 MB of log: each event touches the edge of every index, and a longer log has fewer of those pages copied."""
_CACHE_KIB = 6000
_HEADER = b"SQLite format 3\x00"
_OTHER_FILE = "does DATABASE_URL name the right file? if so, restore it from a backup, or move it away to start anew"
_CHECKED_WHOLE = 64 * 1024 * 1024
"""Larger files are not read through at every start; `PRAGMA quick_check` by hand does the same."""

dbapi = sqlite3
sqlite3.register_adapter(datetime, write_time)


def is_wal_safe(version: tuple[int, int, int] | None = None) -> bool:
    """Whether this library is free of the WAL-reset fault (sqlite.org/wal.html): 3.7.0 to 3.51.2 lose commits."""
    major, minor, patch = version or sqlite3.sqlite_version_info
    if (major, minor, patch) >= (3, 51, 3):
        return True
    repaired_lines = {(3, 44): 6, (3, 50): 7}
    return patch >= repaired_lines.get((major, minor), 1 << 30)


class SqliteDriver:
    """Opens connections to one database file."""

    name = "sqlite"
    exceptions: tuple[type[Exception], ...] = (sqlite3.Error, UnicodeEncodeError, OverflowError)
    begin_write = "BEGIN IMMEDIATE"
    begin_read = "BEGIN"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)
        # SQLite would make an empty file, readable by everyone, where there is none.
        self._uri = f"file:{quote(self._name)}?mode=rw"
        self._file: tuple[int, int] | None = None

    def connect(self, *, readonly: bool) -> Any:
        """A connection in autocommit mode; `readonly` ones cannot write even by mistake."""
        raw = sqlite3.connect(
            self._uri,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=LOCK_WAIT_MS / 1000,
            cached_statements=256,
        )
        try:
            self._configure(raw, readonly=readonly)
        except BaseException:
            raw.close()
            raise
        return raw

    def _configure(self, raw: Any, *, readonly: bool) -> None:
        if readonly:
            raw.execute("PRAGMA query_only=ON")
            raw.execute("PRAGMA busy_timeout=2000")
            register_functions(raw)
            return
        raw.execute(f"PRAGMA journal_mode={'WAL' if is_wal_safe() else 'DELETE'}")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        # Without it, fragments of rows stay in pages that were split long before an erasure could overwrite anything.
        raw.execute("PRAGMA secure_delete=ON")
        raw.execute(f"PRAGMA wal_autocheckpoint={_PAGES_BETWEEN_CHECKPOINTS}")
        raw.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")

    def translate(self, error: Exception) -> AuthctlError:
        """Our error for one of the driver's, by SQLite's primary result code."""
        name = str(getattr(error, "sqlite_errorname", ""))
        debug = f"{type(error).__name__} {name}: {error}"
        if "UNIQUE constraint failed: " in str(error):
            return AlreadyExists(str(error).split(": ", 1)[1].split(",")[0], debug=debug)
        if "PRIMARY KEY" in name:
            return AlreadyExists("primary key", debug=debug)
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "malformed" in str(error):
            return StorageDamaged(f"The database file {self.path} is damaged", debug=debug)
        if "no such table" in str(error) or "no such column" in str(error):
            return SchemaMismatch(f"The database {self.path} has other tables than this program", debug=debug)
        if isinstance(error, sqlite3.OperationalError):
            return StorageUnavailable(hint=_way_out(str(error)), debug=debug)
        return StorageError(debug=debug)

    def is_busy(self, error: Exception) -> bool:
        """Whether another process holds the write lock."""
        cause = error.__cause__ or error
        return "locked" in str(cause) or "busy" in str(cause)

    def is_transient(self, error: Exception) -> bool:
        """Never: an immediate transaction has its lock from the start."""
        return False

    def in_transaction(self, raw: Any) -> bool:
        """Whether a transaction is open; SQLite ends it by itself after a full disk or an I/O error."""
        return bool(raw.in_transaction)

    def is_lost(self, raw: Any) -> bool:
        """A file does not hang up."""
        return False

    def make_turn(self) -> FileTurn:
        """The queue of the processes that write to this file."""
        return FileTurn(self.path)

    def require_in_place(self) -> None:
        """SQLite goes on writing into a file that was deleted or renamed, and everything in it would be lost."""
        try:
            status = os.stat(self._name)  # noqa: PTH116  a third of the time of Path.stat, and it is part of every write
        except OSError:
            status = None
        if status is not None and status.st_size:
            file = (status.st_dev, status.st_ino)
            self._file = self._file or file
            if self._file == file:
                return
        raise StorageDamaged(
            f"The database file {self.path} was moved, replaced or emptied while it was in use",
            hint="put it back, or stop the service and restore a backup",
        )


def _way_out(message: str) -> str:
    for sign, hint in (
        ("locked", "another process is writing; try again"),
        ("full", "the disk is full; free some space"),
        ("readonly", "the database file or its folder is read-only"),
        ("unable to open", "check that the folder exists and that you may read and write it"),
        ("disk I/O", "the disk reports errors, or a size limit is in force"),
    ):
        if sign in message:
            return hint
    return message


def examine(path: Path) -> None:
    """Raises unless `path` is a database file that may be ours: never an empty, foreign or damaged one."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise StorageMissing(
            f"There is no database at {path}",
            hint="`authctl serve` creates one; if there is one elsewhere, go there or set DATABASE_URL",
        ) from None
    except OSError as error:
        raise StorageUnavailable(hint=str(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise StorageDamaged(f"{path} is not a regular file", hint=_OTHER_FILE)
    if status.st_size == 0:
        raise StorageDamaged(f"{path} is empty", hint="restore it from a backup, or move it away to start anew")
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be read", hint=str(error)) from error
    if not header.startswith(_HEADER):
        raise StorageDamaged(f"{path} is not an SQLite database", hint=_OTHER_FILE)
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StorageDamaged(f"{path} is a database of another program", hint=_OTHER_FILE)
    if status.st_size <= _CHECKED_WHOLE:
        _quick_check(path)


def _quick_check(path: Path) -> None:
    driver = SqliteDriver(path)
    try:
        raw = driver.connect(readonly=True)
        try:
            verdict = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            raw.close()
    except driver.exceptions as error:
        raise driver.translate(error) from error
    if verdict != "ok":
        raise StorageDamaged(f"The database file {path} is damaged", debug=str(verdict))


def create_private(path: Path) -> None:
    """Makes an empty file that only its owner can read, before SQLite would make one under the usual umask."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be created", hint=str(error)) from error
