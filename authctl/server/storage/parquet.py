"""Parquet files through DuckDB: rows in and out, SQL over many files; the only module that knows the engine.

DuckDB comes with the extra `archive`. It is used as a library over files that we name: it reaches no network, loads no
extension, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from authctl.errors import StorageDamaged, StorageError, StorageMissing, StorageUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

THREADS = 2
MEMORY_MB = 512
"""What the engine may hold before it spills into its temporary directory."""
ROW_GROUP = 122_880
"""Rows that are read or skipped together; a multiple of the engine's vectors of 2,048."""
_AT_A_TIME = 2_000


class Kind(StrEnum):
    """What a column holds; the value is the engine's name of the type.

    TIME    a naive UTC time with microseconds, read from a datetime or from SQLite's text
    MOMENT  the same as an instant, which other readers show in their own time zone
    """

    TEXT = "VARCHAR"
    NUMBER = "BIGINT"
    FLAG = "BOOLEAN"
    BYTES = "BLOB"
    TIME = "TIMESTAMP"
    MOMENT = "TIMESTAMP WITH TIME ZONE"


class Column(NamedTuple):
    """A column of a file."""

    name: str
    kind: Kind


def write_parquet(
    path: Path, columns: Sequence[Column], rows: Iterable[Sequence[object]], *, order_by: Sequence[str] = ()
) -> int:
    """Writes rows into a new private file, or replaces the one that is there; the number of rows.

    The values of a row stand in the order of `columns`; times are aware datetimes or SQLite's text. Without `order_by`
    the rows keep their order. The file appears whole, durable and under its name at the end, or not at all. Memory
    stays flat; the rows wait meanwhile in a private directory beside `path`.

    Raises UsageError without the engine, StorageUnavailable when the disk is full, OSError as the system does.
    """
    duckdb = _import_duckdb()
    with _private_directory(path.parent) as folder:
        staged, made = folder / "rows.jsonl", folder / "made.parquet"
        count = _stage(staged, columns, rows)
        engine = _connect(duckdb, folder)
        try:
            engine.execute(_conversion(staged, made, columns, order_by))
        except duckdb.Error as error:
            raise StorageUnavailable(f"{path} cannot be written", debug=str(error)) from error
        finally:
            engine.close()
        make_durable(made)
        made.replace(path)
    sync_directory(path.parent)
    return count


class ParquetFiles:
    """SQL over Parquet files. Not for more than one thread at a time; close it, so that its directory goes."""

    def __init__(self) -> None:
        """Raises UsageError without the engine."""
        self._duckdb = _import_duckdb()
        self._folder = Path(tempfile.mkdtemp(prefix="authctl-"))
        self._engine = _connect(self._duckdb, self._folder)

    def attach(self, name: str, paths: Sequence[Path], columns: Sequence[Column]) -> None:
        """Makes the rows of files known to SQL as the table `name`, which may hold `columns` and more.

        Raises StorageMissing when a file is not there, StorageDamaged when it is no Parquet file with these columns.
        """
        for path in paths:
            if not path.is_file():
                raise StorageMissing(f"{path} is not there", hint=_RESTORE)
        self._check(paths[0], columns)
        chosen = ", ".join(_quoted(column.name) for column in columns)
        files = ", ".join(map(_literal, paths))
        # Folders called `x=1` would become columns if the engine were left to guess.
        scan = f"read_parquet([{files}], hive_partitioning=false)"
        with self._translated(f"{paths[0].parent}"):
            self._engine.execute(f"CREATE OR REPLACE VIEW {_quoted(name)} AS SELECT {chosen} FROM {scan}")  # noqa: S608

    def rows(self, sql: str, params: Sequence[object] | dict[str, object] = ()) -> Iterator[tuple[Any, ...]]:
        """Every row of the answer, in flat memory.

        Raises StorageDamaged when a file does not hold what its beginning promised.
        """
        cursor = self._engine.cursor()
        try:
            with self._translated("the archive"):
                cursor.execute(sql, params)
            while True:
                with self._translated("the archive"):
                    found = cursor.fetchmany(_AT_A_TIME)
                if not found:
                    return
                yield from found
        finally:
            cursor.close()

    def close(self) -> None:
        """Lets go of the files. Safe to call twice."""
        self._engine.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _check(self, path: Path, columns: Sequence[Column]) -> None:
        with self._translated(str(path)):
            found = self._engine.execute(
                f"DESCRIBE SELECT * FROM read_parquet({_literal(path)}, hive_partitioning=false)"  # noqa: S608
            ).fetchall()
        kinds = {name: kind for name, kind, *_ in found}
        wrong = [column.name for column in columns if kinds.get(column.name) != column.kind.value]
        if wrong:
            raise StorageDamaged(f"{path} does not hold the columns of this archive: {', '.join(wrong)}", hint=_RESTORE)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        except self._duckdb.OutOfMemoryException as error:
            raise StorageUnavailable("There is not enough memory or temporary space", debug=str(error)) from error
        except (self._duckdb.ParserException, self._duckdb.CatalogException) as error:
            raise StorageError(debug=str(error)) from error  # our SQL is wrong, not the file
        # Values that Python cannot hold, such as a time in the year 200,000, come as its own exceptions.
        except (self._duckdb.Error, ValueError, OverflowError) as error:
            raise StorageDamaged(
                f"{what} cannot be read: damaged, or no Parquet file", hint=_RESTORE, debug=str(error)
            ) from error


_RESTORE = "restore it from a backup"


def make_durable(path: Path) -> None:
    """Makes a finished file private and sees that it is on the disk."""
    path.chmod(0o600)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Sees that the names in a directory are on the disk."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _import_duckdb() -> ModuleType:
    try:
        import duckdb
    except ImportError:
        raise UsageError(
            "Parquet files need DuckDB, which is not installed", hint="pip install 'authctl[archive]'"
        ) from None
    return duckdb


def _connect(duckdb: ModuleType, folder: Path) -> Any:
    engine = duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": f"{MEMORY_MB}MB",
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    engine.execute("SET GLOBAL TimeZone = 'UTC'")  # else that of the machine
    return engine


@contextmanager
def _private_directory(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".authctl-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stage(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> int:
    """JSON lines: inserting row by row into the engine takes twenty times as long."""
    names = [column.name for column in columns]
    count = 0
    with path.open("wb", buffering=1 << 20) as file:
        for row in rows:
            file.write(
                orjson.dumps(dict(zip(names, row, strict=True)), default=_as_hex, option=orjson.OPT_APPEND_NEWLINE)
            )
            count += 1
    return count


def _as_hex(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no place in a Parquet file")


def _conversion(staged: Path, made: Path, columns: Sequence[Column], order_by: Sequence[str]) -> str:
    read = ", ".join(f"{_quoted(column.name)}: {_literal(_staged_kind(column.kind))}" for column in columns)
    values = ", ".join(map(_value, columns))
    order = f" ORDER BY {', '.join(map(_quoted, order_by))}" if order_by else ""
    source = f"read_json({_literal(staged)}, format='newline_delimited', columns={{{read}}})"
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
    return f"COPY (SELECT {values} FROM {source}{order}) TO {_literal(made)} ({options})"  # noqa: S608


def _staged_kind(kind: Kind) -> str:
    return Kind.TEXT.value if kind in {Kind.BYTES, Kind.TIME, Kind.MOMENT} else kind.value


def _value(column: Column) -> str:
    name = _quoted(column.name)
    if column.kind is Kind.BYTES:
        return f"unhex({name}) AS {name}"
    if column.kind is Kind.TIME:
        return f"CAST({name} AS TIMESTAMP) AS {name}"
    if column.kind is Kind.MOMENT:
        return f"CAST({name} AS TIMESTAMP WITH TIME ZONE) AS {name}"
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
