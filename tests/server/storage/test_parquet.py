"""Parquet files hold exactly what was given, whatever it is called and wherever it lies."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import StorageDamaged, StorageError, StorageMissing, StorageUnavailable, UsageError
from authctl.server.storage import parquet
from authctl.server.storage.parquet import Column, Kind, ParquetFiles, clear_leftovers, literal, scan, write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("real_engines")

COLUMNS = (
    Column("id", Kind.TEXT),
    Column("n", Kind.NUMBER),
    Column("ok", Kind.FLAG),
    Column("raw", Kind.BYTES),
    Column("stamp", Kind.TIME),
)
MOMENT = datetime(2026, 10, 1, 12, 0, 0, 1, tzinfo=UTC)
ROWS: tuple[tuple[Any, ...], ...] = (
    ("null", (1 << 62), True, b"\0\xff", MOMENT),
    ('\0"\\\u202e\n\ufeff\U0001f600', -1, False, b"", MOMENT.astimezone(timezone(timedelta(hours=5)))),
    ("", 0, None, None, "2026-10-01 12:00:00.000001"),
    (None, None, None, None, None),
)
READ = [(*row[:4], None if row[4] is None else MOMENT.replace(tzinfo=None)) for row in ROWS]


@pytest.fixture
def files() -> Iterator[ParquetFiles]:
    """The engine, without files."""
    with closing(ParquetFiles()) as opened:
        yield opened


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read(files: ParquetFiles, *paths: Path, order: str = "") -> list[tuple[Any, ...]]:
    files.attach("t", paths, COLUMNS)
    return list(files.rows(f"SELECT * FROM t {order}"))


@pytest.mark.parametrize("name", ["plain.parquet", "x=1.parquet", "a[b]*c?'d\"{e,f}.parquet", "-- ;.parquet"])
def test_rows_come_back_exactly_whatever_the_file_is_called(tmp_path: Path, files: ParquetFiles, name: str) -> None:
    folder = tmp_path / "year=2026[1]*"
    folder.mkdir()
    assert write_parquet(folder / name, COLUMNS, ROWS) == 4
    assert read(files, folder / name) == READ
    assert names_in(folder) == [name]
    assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_times_are_utc_wherever_the_machine_is(
    tmp_path: Path, files: ParquetFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        columns = (Column("stamp", Kind.TIME), Column("moment", Kind.MOMENT))
        write_parquet(tmp_path / "t.parquet", columns, [(MOMENT, MOMENT)])
        files.attach("t", [tmp_path / "t.parquet"], columns)
        ((text, moment, zone),) = files.rows(
            "SELECT strftime(stamp, '%Y-%m-%d %H:%M:%S.%f'), epoch_us(moment), current_setting('TimeZone') FROM t"
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert text == "2026-10-01 12:00:00.000001"
    assert datetime.fromtimestamp(moment / 1_000_000, UTC) == MOMENT
    assert zone == "UTC"


def test_many_rows_keep_their_order(tmp_path: Path, files: ParquetFiles) -> None:
    rows = [(f"{n % 7}", n, None, None, None) for n in range(300_000, 0, -1)]
    assert write_parquet(tmp_path / "t.parquet", COLUMNS, rows) == 300_000
    assert [row[:2] for row in read(files, tmp_path / "t.parquet")] == [row[:2] for row in rows]


def test_a_file_of_no_rows_is_a_file(tmp_path: Path, files: ParquetFiles) -> None:
    assert write_parquet(tmp_path / "t.parquet", COLUMNS, []) == 0
    assert read(files, tmp_path / "t.parquet") == []


def test_there_are_no_rows_without_files(files: ParquetFiles) -> None:
    assert read(files) == []


def test_a_table_shows_only_the_rows_of_its_condition(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "t.parquet", COLUMNS, ROWS)
    files.attach("t", [tmp_path / "t.parquet"], COLUMNS[:2], where="n < 0")
    assert list(files.rows("SELECT n FROM t")) == [(-1,)]


def test_parameters_are_values_and_never_sql(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "t.parquet", COLUMNS, ROWS)
    files.attach("t", [tmp_path / "t.parquet"], COLUMNS)
    assert list(files.rows("SELECT count(*) FROM t WHERE id = $id", {"id": "' OR true --"})) == [(0,)]


def test_answers_can_be_written_as_a_new_file(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "t.parquet", COLUMNS, ROWS)
    files.attach("t", [tmp_path / "t.parquet"], COLUMNS)
    files.write(tmp_path / "u.parquet", "SELECT * FROM t WHERE n >= $n ORDER BY n", {"n": 0})
    assert read(files, tmp_path / "u.parquet") == [READ[2], READ[0]]
    assert (tmp_path / "u.parquet").stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == ["t.parquet", "u.parquet"]


def test_nothing_is_left_when_the_rows_end_in_an_error(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        yield ROWS[0]
        raise KeyError

    (tmp_path / "t.parquet").write_bytes(b"before")
    with pytest.raises(KeyError):
        write_parquet(tmp_path / "t.parquet", COLUMNS, rows())
    assert names_in(tmp_path) == ["t.parquet"]
    assert (tmp_path / "t.parquet").read_bytes() == b"before"


def test_a_value_that_no_column_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_parquet(tmp_path / "t.parquet", COLUMNS, [(object(), 1, None, None, None)])
    with pytest.raises(StorageUnavailable):
        write_parquet(tmp_path / "t.parquet", COLUMNS, [("a", 1, None, None, "yesterday")])
    assert names_in(tmp_path) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path, files: ParquetFiles) -> None:
    with pytest.raises(StorageMissing, match=r"gone\.parquet"):
        files.attach("t", [tmp_path / "gone.parquet"], COLUMNS)
    with pytest.raises(StorageMissing):
        files.attach("t", [tmp_path], COLUMNS)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 500 + b"PAR1", b'{"a": 1}\n' * 50])
def test_a_file_that_is_no_parquet_is_one_clear_error(tmp_path: Path, files: ParquetFiles, content: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(StorageDamaged, match=r"t\.parquet cannot be read"):
        files.attach("t", [tmp_path / "t.parquet"], COLUMNS)


def test_a_file_with_other_columns_is_refused(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "t.parquet", (Column("id", Kind.NUMBER), Column("other", Kind.TEXT)), [(1, "x")])
    with pytest.raises(StorageDamaged, match="id, n, ok, raw, stamp"):
        files.attach("t", [tmp_path / "t.parquet"], COLUMNS)


def test_every_flipped_byte_gives_rows_or_one_clear_error(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "t.parquet", COLUMNS, [(f"{n}", n, None, b"x", MOMENT) for n in range(50)])
    good = (tmp_path / "t.parquet").read_bytes()
    refused = 0
    for place in range(4, len(good), 7):
        bad = bytearray(good)
        bad[place] ^= 0x55
        (tmp_path / "bad.parquet").write_bytes(bad)
        try:
            read(files, tmp_path / "bad.parquet")
        except StorageError:
            refused += 1
    assert refused > 10


def test_one_damaged_file_among_others_is_named(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "a.parquet", COLUMNS, ROWS)
    (tmp_path / "b.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(StorageDamaged, match=r"b\.parquet cannot be read"):
        read(files, tmp_path / "a.parquet", tmp_path / "b.parquet")


def test_a_time_beyond_python_comes_as_its_text(tmp_path: Path, files: ParquetFiles) -> None:
    files.write(tmp_path / "t.parquet", "SELECT TIMESTAMP '20000-01-01' AS stamp")
    files.attach("t", [tmp_path / "t.parquet"], COLUMNS[-1:])
    assert list(files.rows("SELECT stamp FROM t")) == [("20000-01-01 00:00:00",)]


def test_a_text_that_is_none_is_one_clear_error(tmp_path: Path, files: ParquetFiles) -> None:
    write_parquet(tmp_path / "t.parquet", COLUMNS, [("wxyz" * 5, 1, None, None, None)])
    good = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(good.replace(b"wxyz", b"w\xff\xfez"))
    with pytest.raises(StorageDamaged):
        read(files, tmp_path / "t.parquet")


def test_sql_that_makes_no_sense_is_our_fault_and_not_the_files(files: ParquetFiles) -> None:
    with pytest.raises(StorageError) as caught:
        list(files.rows("SELEC"))
    assert not isinstance(caught.value, StorageDamaged)


class _Failing:
    """An engine that fails as the real one would."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def execute(self, sql: str, params: object = None) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("OutOfMemoryException", "failed to allocate", StorageUnavailable),
        ("IOException", "Could not write file: No space left on device", StorageUnavailable),
        ("InterruptException", "Interrupted!", KeyboardInterrupt),
    ],
)
def test_what_the_machine_lacks_is_told_apart_from_damage(
    tmp_path: Path, files: ParquetFiles, monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: type
) -> None:
    import duckdb

    with monkeypatch.context() as patched:
        patched.setattr(files, "_engine", _Failing(getattr(duckdb, name)(text)))
        with pytest.raises(expected):
            files.write(tmp_path / "t.parquet", "SELECT 1")
    assert names_in(tmp_path) == []


def test_a_full_disk_is_named_when_rows_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_conversion", lambda *args: "COPY (SELECT 1) TO '/dev/full/x' (FORMAT parquet)")
    with pytest.raises(StorageUnavailable, match=r"t\.parquet cannot be written"):
        write_parquet(tmp_path / "t.parquet", COLUMNS, ROWS)
    assert names_in(tmp_path) == []


def test_the_engine_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError) as caught:
        write_parquet(tmp_path / "t.parquet", COLUMNS, ROWS)
    assert caught.value.hint == "pip install 'authctl[archive]'"
    with pytest.raises(UsageError):
        ParquetFiles()


def test_the_engine_loads_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = ParquetFiles()
    settings = dict(opened.rows("SELECT name, value FROM duckdb_settings()"))
    assert settings["autoinstall_known_extensions"] == settings["autoload_known_extensions"] == "false"
    assert settings["threads"] == "2"
    (folder,) = tmp_path.iterdir()
    assert settings["temp_directory"].startswith(str(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    opened.close()
    opened.close()
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_process_go_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".authctl-abc").mkdir()
    (tmp_path / ".authctl-abc" / "rows.jsonl").write_text("personal")
    (tmp_path / ".authctl-def").write_text("half a manifest")
    (tmp_path / "audit-2026-10.parquet").write_text("x")
    clear_leftovers(tmp_path)
    assert names_in(tmp_path) == ["audit-2026-10.parquet"]


def test_paths_are_texts_in_sql() -> None:
    assert literal("it's") == "'it''s'"
    assert scan([Path("/a'b"), Path("/c")]) == "read_parquet(['/a''b', '/c'], hive_partitioning = false)"
