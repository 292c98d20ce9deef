"""A reader sees what the service would see, says what is wrong as the service would, and changes nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.errors import (
    SchemaMismatch,
    SettingsError,
    StorageDamaged,
    StorageError,
    StorageMissing,
    StorageUnavailable,
)
from authctl.server.storage import schema
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import EventFilter, Sql, select_events
from authctl.server.storage.reader import ROWS_AT_ONCE, Reader, open_reader
from authctl.server.storage.sqlite import dbapi
from tests.server.storage.trail_rows import a_row, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reader(any_url: str) -> Iterator[Reader]:
    """A reader of three events."""
    database = open_database(any_url, FixedClock(), create=True)
    fill(database, [a_row(number) for number in range(3)])
    database.close()
    opened = open_reader(any_url)
    yield opened
    opened.close()


def all_events(reader: Reader) -> Sql:
    return select_events(EventFilter(newest_first=False), reader.dialect)


def test_rows_come_at_once_or_one_after_the_other(reader: Reader) -> None:
    sql = all_events(reader)
    assert [row[0] for row in reader.all(sql)] == ["e00", "e01", "e02"]
    assert list(reader.stream(sql)) == reader.all(sql)


def test_streams_run_side_by_side(reader: Reader) -> None:
    sql = all_events(reader)
    first, second = reader.stream(sql), reader.stream(sql)
    assert next(first)[0] == next(second)[0] == "e00"
    first.close()
    third = reader.stream(sql)
    assert [row[0] for row in third] == ["e00", "e01", "e02"]
    assert [row[0] for row in second] == ["e01", "e02"]
    assert len(reader.all(sql)) == 3


def test_a_stream_sees_the_moment_it_began(any_url: str) -> None:
    database = open_database(any_url, FixedClock(), create=True)
    fill(database, [a_row(number) for number in range(ROWS_AT_ONCE + 5)])
    with closing(open_reader(any_url)) as reader:
        rows = reader.stream(all_events(reader))
        next(rows)
        fill(database, [a_row(99_999)])
        assert sum(1 for _ in rows) == ROWS_AT_ONCE + 4
        assert len(reader.all(all_events(reader))) == ROWS_AT_ONCE + 6
    database.close()


def test_several_questions_see_one_state_of_the_database(any_url: str) -> None:
    database = open_database(any_url, FixedClock(), create=True)
    fill(database, [a_row(1)])
    with closing(open_reader(any_url)) as reader:
        with reader.snapshot():
            assert len(reader.all(all_events(reader))) == 1
            fill(database, [a_row(2)])
            assert len(reader.all(all_events(reader))) == 1
        assert len(reader.all(all_events(reader))) == 2
    database.close()


def test_a_file_that_was_replaced_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    open_database(sqlite_url, create=True).close()
    with closing(open_reader(sqlite_url)) as reader:
        reader.require_in_place()
        (tmp_path / "app.db").rename(tmp_path / "moved.db")
        with pytest.raises(StorageDamaged, match="moved"):
            reader.require_in_place()


def test_nothing_can_be_written(reader: Reader) -> None:
    statement = Sql("UPDATE instance SET maintenance = 1", {}, reader.dialect)
    with pytest.raises(StorageError):
        reader.all(statement)


def test_a_reader_can_be_closed_twice_and_in_the_middle(reader: Reader) -> None:
    rows = reader.stream(all_events(reader))
    next(rows)
    reader.close()
    reader.close()
    rows.close()


def test_a_long_question_is_ended_from_another_thread(reader: Reader) -> None:
    long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n"
    timer = threading.Timer(0.3, reader.interrupt)
    timer.start()
    with pytest.raises(StorageUnavailable):
        reader.all(Sql(long, {}, reader.dialect))
    timer.join()
    assert len(reader.all(all_events(reader))) == 3


def test_memory_stays_flat_while_rows_stream(sqlite_url: str) -> None:
    """F-20."""
    database = open_database(sqlite_url, FixedClock(), create=True)
    for start in range(0, 20_000, 5000):
        fill(database, [a_row(number, details="d" * 500) for number in range(start, start + 5000)])
    database.close()
    with closing(open_reader(sqlite_url)) as reader:
        tracemalloc.start()
        assert sum(1 for _ in reader.stream(all_events(reader))) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4_000_000


def test_an_unknown_column_is_another_schema(reader: Reader) -> None:
    with pytest.raises(SchemaMismatch):
        list(reader.stream(Sql("SELECT colour FROM audit_logs", {}, reader.dialect)))
    assert len(reader.all(all_events(reader))) == 3


@pytest.mark.parametrize(
    ("version", "error", "hint"),
    [("0000", SchemaMismatch, "db upgrade"), ("9999", SchemaMismatch, "newer"), (None, StorageMissing, "db upgrade")],
)
def test_tables_of_another_version_are_not_read(
    any_url: str, version: str | None, error: type[StorageError], hint: str
) -> None:
    open_database(any_url, create=True).close()
    raw = choose_driver(any_url).connect(readonly=False)
    raw.execute("DELETE FROM alembic_version")
    if version is not None:
        raw.execute(f"INSERT INTO alembic_version VALUES ('{version}')")
    raw.close()
    with pytest.raises(error) as caught:
        open_reader(any_url)
    assert hint in str(caught.value.hint)


def test_a_database_without_tables_is_told_from_an_older_one(sqlite_url: str, tmp_path: Path) -> None:
    open_database(sqlite_url, create=True).close()
    with closing(dbapi.connect(tmp_path / "app.db")) as raw:
        raw.execute("DROP TABLE alembic_version")
    with pytest.raises(StorageMissing, match="no tables"):
        open_reader(sqlite_url)


def test_what_is_no_database_of_ours_is_not_read(tmp_path: Path) -> None:
    missing, empty, foreign, text = (tmp_path / name for name in ("missing", "empty", "foreign", "text"))
    empty.touch()
    text.write_text("no database at all")
    with closing(dbapi.connect(foreign)) as raw:
        raw.execute("CREATE TABLE t (a)")
    for path, error in (
        (missing, StorageMissing),
        (empty, StorageDamaged),
        (foreign, StorageDamaged),
        (text, StorageDamaged),
    ):
        with pytest.raises(error):
            open_reader(f"sqlite:///{path}")
    assert not missing.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "foreign", "text"]


def test_a_damaged_page_is_damage(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url, FixedClock(), create=True)
    fill(database, [a_row(number, details="d" * 300) for number in range(500)])
    database.close()
    path = tmp_path / "app.db"
    reader = open_reader(sqlite_url)
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data)):
        data[at] = 0xFF
    path.write_bytes(data)
    with pytest.raises(StorageDamaged):
        list(reader.stream(select_events(EventFilter(contains="nothing"), "sqlite")))
    reader.close()


def test_a_locked_database_is_unavailable(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(sqlite_url, create=True).close()
    with closing(dbapi.connect(tmp_path / "app.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageUnavailable) as caught:
            open_reader(sqlite_url)
        assert "another process" in str(caught.value.hint)


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_unavailable(postgres_url: str) -> None:
    with pytest.raises(StorageUnavailable):
        open_reader(postgres_url.replace("postgres@", "nobody_at_all@"))


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///", "sqlite://", "sqlite:///:memory:", "app.db", ""])
def test_a_url_of_no_database_of_ours_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        open_reader(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///app.db", "app.db"),
        ("sqlite:////var/lib/app.db", "/var/lib/app.db"),
        ("sqlite:///a%20b.db?mode=ro", "a b.db"),
        ("sqlite:///x@y:z#1", "x@y:z#1"),
        ("sqlite+pysqlite:///app.db", "app.db"),
    ],
)
def test_an_url_names_the_file_that_the_toolkit_would_open(url: str, path: str) -> None:
    from sqlalchemy import make_url

    driver: Any = choose_driver(url)
    assert str(driver.path) == path == make_url(url).database


def test_reading_imports_nothing_that_writing_needs() -> None:
    """performance.md: a question from the terminal in 0.6 s."""
    program = (
        "import sys, authctl.server.storage.reader, authctl.server.audit.sources, authctl.server.audit.queries, "
        "authctl.server.reasons; print([name for name in ('sqlalchemy', 'sqlmodel', 'pydantic', 'alembic', 'orjson', "
        "'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_read_from_an_open_connection(any_url: str) -> None:
    open_database(any_url, create=True).close()
    driver = choose_driver(any_url)
    with closing(driver.connect(readonly=True)) as raw:
        assert schema.version_on(driver, raw) == schema.HEAD == schema.version(driver)
