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
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

THREADS = 2
"""Of a question. A file is written by one: each holds a row group of every column while it makes it."""
MEMORY_MB = 512
"""What the engine may hold before it spills into its temporary directory."""
ROW_GROUP = 245_760
"""Rows that are read or skipped together; a multiple of the engine's vectors of 2,048."""
_DISTINCT = 120_000
"""Values of a column in a row group up to which each is stored, and searched, once: sentences of events repeat."""
TEMPORARY = ".authctl-"
"""How the names of unfinished files and directories begin."""
_AT_A_TIME = 2_000
_OPTIONS = (
    f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, DICTIONARY_SIZE_LIMIT {_DISTINCT}, "
    f"STRING_DICTIONARY_PAGE_SIZE_LIMIT {16 << 20}"
)
_MOST_LATE = 1_000_000
_RESTORE = "restore it from a backup"


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


def write_parquet(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> int:
    """Writes rows into a new private file, or replaces the one that is there; the number of rows.

    The values of a row stand in the order of `columns`; times are aware datetimes or SQLite's text. The rows keep their
    order. The file appears whole, durable and under its name at the end, or not at all. Memory stays flat; the rows
    wait meanwhile in a private directory beside `path`.

    Raises UsageError without the engine, StorageUnavailable when the disk is full, OSError as the system does.
    """
    duckdb = _import_duckdb()
    with _private_directory(path.parent) as folder:
        staged, made = folder / "rows.jsonl", folder / "made.parquet"
        count = _stage(staged, columns, rows)
        engine = _connect(duckdb, folder, threads=1)
        try:
            engine.execute(_conversion(staged, made, columns))
        except duckdb.Error as error:
            raise StorageUnavailable(f"{path} cannot be written", debug=str(error)) from error
        finally:
            engine.close()
        _put(made, path)
    return count


class ParquetFiles:
    """SQL over Parquet files. Not for more than one thread at a time; close it, so that its directory goes."""

    def __init__(self, *, threads: int = THREADS) -> None:
        """Raises UsageError without the engine."""
        self._duckdb = _import_duckdb()
        self._folder = Path(tempfile.mkdtemp(prefix="authctl-"))
        self._engine = _connect(self._duckdb, self._folder, threads)
        self._paths: dict[str, Sequence[Path]] = {}

    def attach(self, name: str, paths: Sequence[Path], columns: Sequence[Column], *, where: str = "true") -> None:
        """Makes the rows of files known to SQL as the table `name`; the files may have more columns than these.

        where  a condition in SQL: which of the rows
        Raises StorageMissing when a file is not there, StorageDamaged when it is no Parquet file with these columns.
        """
        for path in paths:
            if not path.is_file():
                raise StorageMissing(f"{path} is not there", hint=_RESTORE)
        self._paths[name] = paths
        chosen = ", ".join(_quoted(column.name) for column in columns)
        source = scan(paths)
        if paths:
            self._require(paths[0], columns)
        else:
            nothing = ", ".join(f"CAST(NULL AS {column.kind.value}) AS {_quoted(column.name)}" for column in columns)
            source, where = f"(SELECT {nothing})", "false"
        with self._translated():
            self._engine.execute(
                f"CREATE OR REPLACE VIEW {_quoted(name)} AS SELECT {chosen} FROM {source} WHERE {where}"  # noqa: S608
            )

    def rows(self, sql: str, params: Mapping[str, object] | None = None) -> Generator[tuple[Any, ...]]:
        """Every row of the answer, in flat memory; parameters are called `$name` in the text.

        Times are naive; those beyond what Python can hold are texts.

        Raises StorageDamaged when a file does not hold what its end promised.
        """
        cursor = self._engine.cursor()
        try:
            with self._translated():
                cursor.execute(sql, dict(params or {}))
                found = cursor.fetchmany(_AT_A_TIME)
            while found:
                yield from found
                with self._translated():
                    found = cursor.fetchmany(_AT_A_TIME)
        finally:
            cursor.close()

    def write(self, path: Path, sql: str, params: Mapping[str, object] | None = None) -> None:
        """Writes the rows of an answer, in their order, into a new private file, or replaces the one that is there.

        For many rows the engine should have one thread.

        Raises as `rows`, and StorageUnavailable when the disk is full.
        """
        with _private_directory(path.parent) as folder:
            made = folder / "made.parquet"
            with self._translated():
                self._engine.execute(f"COPY ({sql}) TO {literal(made)} ({_OPTIONS})", dict(params or {}))
            _put(made, path)

    def close(self) -> None:
        """Lets go of the files. Safe to call twice."""
        self._engine.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _require(self, path: Path, columns: Sequence[Column]) -> None:
        with self._translated():
            found = self._engine.execute(f"DESCRIBE FROM {scan([path])}").fetchall()
        kinds = {name: kind for name, kind, *_ in found}
        wrong = [column.name for column in columns if kinds.get(column.name) != column.kind.value]
        if wrong:
            detail = f"{path} is another Parquet file than it should be; these columns are not as expected: "
            raise StorageDamaged(detail + ", ".join(wrong), hint=_RESTORE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        duckdb = self._duckdb
        try:
            yield
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        except duckdb.OutOfMemoryException as error:
            raise StorageUnavailable("There is not enough memory or temporary space", debug=str(error)) from error
        except (duckdb.ParserException, duckdb.CatalogException) as error:
            raise StorageError(debug=str(error)) from error  # our SQL is wrong, not the file
        except (duckdb.Error, ValueError, OverflowError) as error:  # the latter for values that Python cannot hold
            if "No space left" in str(error):
                raise StorageUnavailable("The disk is full", debug=str(error)) from error
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> StorageDamaged:
        """Names the file that is to blame, as far as its end tells."""
        paths = [path for attached in self._paths.values() for path in attached]
        unreadable = [str(path) for path in paths if not self._has_footer(path)]
        what = ", ".join(unreadable) or ", ".join(sorted({str(path.parent) for path in paths})) or "The file"
        return StorageDamaged(f"{what} cannot be read: damaged, or no Parquet", hint=_RESTORE, debug=str(error))

    def _has_footer(self, path: Path) -> bool:
        try:
            self._engine.execute(f"DESCRIBE FROM {scan([path])}")
        except self._duckdb.Error:
            return False
        return True


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


def clear_leftovers(directory: Path) -> None:
    """Removes what a killed process has left in a directory where nobody else writes at the moment."""
    for path in directory.glob(f"{TEMPORARY}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def literal(value: object) -> str:
    """A text, or a path, as it stands in SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def scan(paths: Sequence[Path]) -> str:
    """What reads files in SQL, in place of a table."""
    # Folders called `x=1` would become columns if the engine were left to guess.
    return f"read_parquet([{', '.join(map(literal, paths))}], hive_partitioning = false)"


def _put(made: Path, path: Path) -> None:
    make_durable(made)
    made.replace(path)
    sync_directory(path.parent)


def _import_duckdb() -> ModuleType:
    try:
        import duckdb
    except ImportError:
        raise UsageError(
            "Parquet files need DuckDB, which is not installed", hint="pip install 'authctl[archive]'"
        ) from None
    return duckdb


def _connect(duckdb: ModuleType, folder: Path, threads: int) -> Any:
    engine = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": f"{MEMORY_MB}MB",
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    engine.execute("SET GLOBAL TimeZone = 'UTC'")  # else that of the machine
    # Find the rows that are wanted first, and only of these read every column.
    engine.execute(f"SET GLOBAL late_materialization_max_rows = {_MOST_LATE}")
    return engine


@contextmanager
def _private_directory(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=parent))
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


def _conversion(staged: Path, made: Path, columns: Sequence[Column]) -> str:
    read = ", ".join(f"{_quoted(column.name)}: {literal(_staged_kind(column.kind))}" for column in columns)
    values = ", ".join(map(_value, columns))
    source = f"read_json({literal(staged)}, format='newline_delimited', columns={{{read}}})"
    return f"COPY (SELECT {values} FROM {source}) TO {literal(made)} ({_OPTIONS})"  # noqa: S608


def _staged_kind(kind: Kind) -> str:
    return Kind.TEXT.value if kind in {Kind.BYTES, Kind.TIME, Kind.MOMENT} else kind.value


def _value(column: Column) -> str:
    name = _quoted(column.name)
    if column.kind is Kind.BYTES:
        return f"unhex({name}) AS {name}"
    if column.kind is Kind.TIME:
        # Straight to a naive time, the engine would let an offset go.
        return f"CAST({name} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE 'UTC' AS {name}"
    if column.kind is Kind.MOMENT:
        return f"CAST({name} AS TIMESTAMP WITH TIME ZONE) AS {name}"
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
