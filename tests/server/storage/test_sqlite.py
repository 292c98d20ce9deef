"""What only a file can do: be missing, empty, foreign, damaged, locked, full, or readable by others."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from authctl.clock import SystemClock
from authctl.errors import (
    SchemaMismatch,
    SettingsError,
    StorageDamaged,
    StorageError,
    StorageMissing,
    StorageUnavailable,
)
from authctl.server.storage import schema
from authctl.server.storage.database import Database
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.engine import open_database
from authctl.server.storage.sqlite import SqliteDriver, create_private, dbapi, is_wal_safe
from tests.server.storage.test_contract import a_user

pytestmark = pytest.mark.usefixtures("real_migrations")


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
        ((3, 51, 2), False),
        ((3, 50, 7), True),
        ((3, 50, 6), False),
        ((3, 44, 6), True),
        ((3, 44, 5), False),
        ((3, 40, 1), False),
    ],
)
def test_wal_is_used_only_with_a_library_free_of_the_reset_fault(version: tuple[int, int, int], is_safe: bool) -> None:
    """R-ST-01."""
    assert is_wal_safe(version) is is_safe


@pytest.mark.parametrize(("is_safe", "mode"), [(True, "wal"), (False, "delete")])
def test_commits_are_durable_in_either_journal_mode(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_safe: bool, mode: str
) -> None:
    """R-ST-01, R-ST-05."""
    monkeypatch.setattr("authctl.server.storage.sqlite.is_wal_safe", lambda: is_safe)
    create_private(path)
    raw = SqliteDriver(path).connect(readonly=False)
    assert raw.execute("PRAGMA journal_mode").fetchone()[0] == mode
    assert raw.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert raw.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    raw.close()


def test_all_files_are_private_whatever_the_umask(sqlite_url: str, path: Path) -> None:
    """R-ST-02."""
    before = os.umask(0)
    try:
        opened = open_database(sqlite_url, create=True)
        opened.write_now(lambda tx: tx.users.add(a_user()))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("app.db*")}
        opened.close()
    finally:
        os.umask(before)
    assert sorted(modes) == ["app.db", "app.db-shm", "app.db-wal", "app.db.turn"]
    assert set(modes.values()) == {0o600}


def test_a_missing_database_is_made_only_on_request(sqlite_url: str, path: Path) -> None:
    with pytest.raises(StorageMissing) as caught:
        open_database(sqlite_url)
    assert "authctl serve" in (caught.value.hint or "")
    assert not path.exists()


def _half(path: Path) -> bytes:
    return path.read_bytes()[: path.stat().st_size // 2]


def _flipped(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    return bytes(content)


def _headless(path: Path) -> bytes:
    return b"not a database" + path.read_bytes()[14:]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"x", _half, _flipped, _headless])
def test_a_damaged_file_is_refused_and_left_as_it_is(sqlite_url: str, path: Path, damage: Any) -> None:
    """R-ST-03: never a fresh empty service in place of a damaged one, also when asked to create."""
    opened = open_database(sqlite_url, create=True)
    opened.write_now(lambda tx: tx.users.add(a_user()))
    opened.close()
    path.write_bytes(damage(path))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(StorageDamaged):
        open_database(sqlite_url, create=True, upgrade=True)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_the_database_of_another_program_is_refused(sqlite_url: str, path: Path) -> None:
    raw = dbapi.connect(path)
    raw.execute("CREATE TABLE theirs (a)")
    raw.commit()
    raw.close()
    with pytest.raises(StorageDamaged, match="another program"):
        open_database(sqlite_url, create=True)


def test_a_directory_or_a_link_is_no_database(sqlite_url: str, path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageDamaged, match="not a regular file"):
        open_database(sqlite_url, create=True)
    path.rmdir()
    open_database(f"sqlite:///{path}.real", create=True).close()
    path.symlink_to(f"{path}.real")
    with pytest.raises(StorageDamaged, match="not a regular file"):
        open_database(sqlite_url)


def test_an_impossible_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable) as caught:
        open_database(f"sqlite:///{tmp_path}/file/app.db", create=True)
    assert "Not a directory" in (caught.value.hint or "")


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_an_unusable_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        choose_driver(url)


def test_a_database_without_tables_is_missing_and_a_newer_one_does_not_match(sqlite_url: str, path: Path) -> None:
    opened = open_database(sqlite_url, create=True)
    opened.close()
    raw = dbapi.connect(path)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    with pytest.raises(SchemaMismatch, match="newer"):
        open_database(sqlite_url, create=True, upgrade=True)
    raw.execute("UPDATE alembic_version SET version_num = '0000'")
    raw.commit()
    with pytest.raises(SchemaMismatch, match="0000"):
        open_database(sqlite_url)
    raw.execute("DELETE FROM alembic_version")
    raw.commit()
    with pytest.raises(StorageMissing, match="no tables"):
        open_database(sqlite_url)
    raw.close()


def test_the_migrations_make_exactly_the_tables_of_the_model(any_url: str) -> None:
    open_database(any_url, create=True).close()
    driver = choose_driver(any_url)
    with schema._alchemy(driver) as connection:
        command.check(schema.config(connection))
    assert ScriptDirectory.from_config(schema.config()).get_current_head() == schema.HEAD
    schema.migrate(driver)
    assert schema.version(driver) == schema.HEAD


def test_short_waits_for_the_lock_succeed_and_long_ones_are_unavailable(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-ST-05: a lock wait beyond the patience is StorageUnavailable; the one after it works again."""
    monkeypatch.setattr("authctl.server.storage.writer.PATIENCE", 0.4)
    database.write_now(lambda tx: tx.users.add(a_user()))
    other = dbapi.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.15, lambda: other.execute("ROLLBACK"))
    release.start()
    assert database.write_now(lambda tx: tx.users.count_admins()) == 0
    release.join()
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(StorageUnavailable) as caught:
        database.write_now(lambda tx: tx.users.count_admins())
    assert time.monotonic() - started < 5
    assert caught.value.hint == "another process is writing; try again"
    assert len(database.read_now(lambda tx: tx.users.all())) == 1
    other.execute("ROLLBACK")
    other.close()
    assert database.write_now(lambda tx: tx.users.count_admins()) == 0


def test_the_event_loop_is_free_while_the_database_is_locked(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-06: liveness goes on."""
    monkeypatch.setattr("authctl.server.storage.writer.PATIENCE", 0.3)
    database.write_now(lambda tx: tx.users.count_admins())
    other = dbapi.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def main() -> tuple[int, object]:
        waiting = asyncio.ensure_future(database.write(lambda tx: tx.users.all()))
        ticks = 0
        while not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks, waiting.exception()

    ticks, error = asyncio.run(main())
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(error, StorageUnavailable)
    assert ticks >= 10


FULL = """
import resource, signal, sys
from authctl.errors import StorageUnavailable
from authctl.server.storage.engine import open_database
from tests.server.storage.test_contract import a_user
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = open_database(sys.argv[1], create=True)
database.write_now(lambda tx: tx.users.add(a_user()))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
added = 0
try:
    for index in range(5000):
        database.write_now(lambda tx: tx.users.add(a_user(f"u{index}@example.com", job_title="x" * 2000)))
        added += 1
except StorageUnavailable as error:
    print("unavailable", error.hint)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
database.write_now(lambda tx: tx.users.add(a_user("after@example.com")))
print(len(database.read_now(lambda tx: tx.users.all())) - added)
database.close()
"""


def test_a_file_that_cannot_grow_is_unavailable_and_recovers_by_itself(sqlite_url: str) -> None:
    """R-ER-03, F-03: nothing acknowledged is lost, nothing half-written stays."""
    done = subprocess.run([sys.executable, "-c", FULL, sqlite_url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["unavailable the disk reports errors, or a size limit is in force", "2"]


def test_a_read_only_database_is_unavailable_for_writing(database: Database, path: Path) -> None:
    """F-04."""
    database.write_now(lambda tx: tx.users.add(a_user()))
    writer = database._writers[0]
    assert writer._connection is not None
    writer._connection.raw.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnavailable) as caught:
        database.write_now(lambda tx: tx.users.add(a_user("x@example.com")))
    assert caught.value.hint == "the database file or its folder is read-only"
    assert len(database.read_now(lambda tx: tx.users.all())) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("elsewhere.db")),
        lambda path: (path.with_name("copy.db").write_bytes(path.read_bytes()), path.with_name("copy.db").rename(path)),
        lambda path: os.truncate(path, 0),
    ],
    ids=["deleted", "renamed", "replaced", "emptied"],
)
def test_nothing_is_acknowledged_when_the_file_is_not_in_its_place_any_more(
    database: Database, path: Path, change: Any
) -> None:
    """F-07, R-ST-03: SQLite itself would go on writing into a file that nobody can find."""
    database.write_now(lambda tx: tx.users.add(a_user()))
    database.read_now(lambda tx: tx.users.all())
    change(path)
    names = set(path.parent.iterdir())
    with pytest.raises(StorageDamaged, match="moved, replaced or emptied"):
        database.write_now(lambda tx: tx.users.add(a_user("x@example.com")))
    with pytest.raises(StorageDamaged):
        database.read_now(lambda tx: tx.users.all())
    assert set(path.parent.iterdir()) == names


def test_writing_goes_on_when_the_file_was_put_back(database: Database, path: Path) -> None:
    """I8: ready again without a restart."""
    database.write_now(lambda tx: tx.users.add(a_user()))
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(StorageDamaged):
        database.write_now(lambda tx: tx.users.add(a_user("x@example.com")))
    path.with_name("elsewhere.db").rename(path)
    database.write_now(lambda tx: tx.users.add(a_user("x@example.com")))
    assert len(database.read_now(lambda tx: tx.users.all())) == 2


def test_a_connection_never_makes_a_file(tmp_path: Path) -> None:
    """R-ST-02, R-ST-03."""
    with pytest.raises(dbapi.OperationalError):
        SqliteDriver(tmp_path / "none #1?.db").connect(readonly=True)
    assert not list(tmp_path.iterdir())


def test_a_path_may_hold_characters_that_mean_something_in_an_address(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/a b#1&x=y.db", create=True)
    opened.write_now(lambda tx: tx.users.add(a_user()))
    opened.close()
    assert (tmp_path / "a b#1&x=y.db").exists()


def test_damage_that_shows_while_running_is_a_storage_error(database: Database, path: Path) -> None:
    """F-07."""
    for index in range(200):
        user = a_user(f"u{index}@example.com", job_title="x" * 500)
        database.write_now(lambda tx, user=user: tx.users.add(user))  # type: ignore[misc]
    database.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    reopened = Database(SqliteDriver(path), SystemClock())
    with pytest.raises(StorageDamaged):
        reopened.read_now(lambda tx: tx.users.all())
    with pytest.raises(StorageError):
        reopened.write_now(lambda tx: tx.users.add(a_user("y@example.com")))
    reopened.close()
