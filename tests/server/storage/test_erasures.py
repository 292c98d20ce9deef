"""What an erasure needs of the driver: a log that is emptied, and nothing left behind in the file."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import StorageError
from authctl.server.storage import erasures
from authctl.server.storage.erasures import empty_write_ahead_log, is_in_file
from authctl.server.storage.sqlite import SqliteDriver, dbapi

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.storage.database import Database


class Broken:
    """A connection on which nothing runs."""

    def __init__(self, message: str) -> None:
        self._message = message
        self.is_closed = False

    def execute(self, sql: str) -> Any:
        raise dbapi.OperationalError(self._message)

    def close(self) -> None:
        self.is_closed = True


def driver_with(broken: Broken, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SqliteDriver:
    driver = SqliteDriver(tmp_path / "app.db")
    monkeypatch.setattr(driver, "connect", lambda *, readonly: broken)
    return driver


def test_the_log_is_emptied(database: Database, tmp_path: Path) -> None:
    database.write_now(lambda tx: tx.limits.hit("key", 1, 60))
    assert (tmp_path / "app.db-wal").stat().st_size > 0
    assert empty_write_ahead_log(database.driver)
    assert (tmp_path / "app.db-wal").stat().st_size == 0


def test_the_log_stays_when_somebody_reads(database: Database, tmp_path: Path) -> None:
    database.write_now(lambda tx: tx.limits.hit("key", 1, 60))
    with closing(database.driver.connect(readonly=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM rate_limits").fetchall()
        database.write_now(lambda tx: tx.limits.hit("key", 1, 60))
        assert not empty_write_ahead_log(database.driver)


def test_the_log_stays_when_the_database_is_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = Broken("database is locked")
    assert not empty_write_ahead_log(driver_with(broken, monkeypatch, tmp_path))
    assert broken.is_closed


def test_it_is_said_when_the_disk_is_at_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        empty_write_ahead_log(driver_with(Broken("disk I/O error"), monkeypatch, tmp_path))


def test_what_was_deleted_or_blanked_is_in_no_page_any_more(database: Database, tmp_path: Path) -> None:
    """Pages are split and joined long before an erasure, which must find no fragments then."""
    for number in range(3000):
        key = f"LIMITER/somebody-{number % 50:03d}@example.com/{number}"
        database.write_now(lambda tx, key=key: tx.limits.hit(key, 1, 60))  # type: ignore[misc]
    database.write_now(lambda tx: tx.erasures.delete_counters("somebody-007@example.com"))
    assert empty_write_ahead_log(database.driver)
    content = (tmp_path / "app.db").read_bytes()
    assert b"somebody-008@" in content
    assert b"somebody-007@" not in content


def test_a_text_in_bytes_that_no_row_uses_is_found_until_the_file_is_made_anew(database: Database) -> None:
    with closing(database.driver.connect(readonly=False)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("CREATE TABLE notes (said TEXT)")
        raw.execute("INSERT INTO notes VALUES ('of jane@example.com')")
        raw.execute("DELETE FROM notes")
    assert empty_write_ahead_log(database.driver)
    assert is_in_file(database.driver, "jane@example.com")
    assert not is_in_file(database.driver, "john@example.com")
    with closing(database.driver.connect(readonly=False)) as raw:
        raw.execute("VACUUM")
    assert empty_write_ahead_log(database.driver)
    assert not is_in_file(database.driver, "jane@example.com")


def test_a_text_is_found_across_the_pieces_in_which_a_file_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "_PIECE", 13)
    assert is_in_file(database.driver, "audit_logs_no_update")
