"""A read-only connection for whoever only asks: nothing is imported for it but the driver."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from authctl.server.storage import schema
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.sqlite import SqliteDriver, examine

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from authctl.server.storage.connection import Driver
    from authctl.server.storage.event_query import Dialect, Sql

Row = tuple[Any, ...]
ROWS_AT_ONCE = 1000
"""How many rows of a long answer are in memory."""


def open_reader(database_url: str) -> Reader:
    """Opens a database whose tables are those of this program, and changes nothing about it.

    Raises SettingsError, StorageMissing, StorageDamaged, StorageUnavailable or SchemaMismatch.
    """
    driver = choose_driver(database_url)
    if isinstance(driver, SqliteDriver):
        examine(driver.path)
    reader = Reader(driver)
    try:
        reader.require_schema()
    except BaseException:
        reader.close()
        raise
    return reader


class Reader:
    """Answers questions, each on one snapshot. Not for more than one thread at a time."""

    def __init__(self, driver: Driver) -> None:
        self.dialect: Dialect = "sqlite" if isinstance(driver, SqliteDriver) else "postgresql"
        self._driver = driver
        self._streams = 0
        self._cursors = 0
        self._is_closed = False
        with self._translated():
            self._raw = driver.connect(readonly=True)

    def require_schema(self) -> None:
        """Raises StorageMissing or SchemaMismatch unless the tables are of this program's version."""
        schema.require(schema.version_on(self._driver, self._raw))

    def all(self, sql: Sql) -> list[Row]:
        """Every row at once, for answers that are short."""
        with self._translated():
            rows: list[Row] = self._raw.execute(sql.text, sql.params).fetchall()
        return rows

    def stream(self, sql: Sql) -> Generator[Row]:
        """Row after row, in flat memory; the snapshot lasts until the last one, or until the iterator is closed."""
        with closing(self.batches(sql)) as found:
            for rows in found:
                yield from rows

    def batches(self, sql: Sql, size: int = ROWS_AT_ONCE) -> Generator[list[Row]]:
        """The same, `size` rows at a time."""
        self._begin()
        try:
            with self._translated(), self._cursor() as cursor:
                cursor.execute(sql.text, sql.params)
                while rows := cursor.fetchmany(size):
                    yield rows
        finally:
            self._end()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Whatever is asked inside the block sees one state of the database."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    def require_in_place(self) -> None:
        """Raises StorageDamaged when the open file was moved or replaced: from then on nothing new appears in it."""
        self._driver.require_in_place()

    def interrupt(self) -> None:
        """Ends the statement that is running, from another thread; it then raises StorageUnavailable."""
        with suppress(*self._driver.exceptions):  # who cannot be reached has nothing to end
            if self.dialect == "sqlite":
                self._raw.interrupt()
            else:
                self._raw.cancel()

    def close(self) -> None:
        """Lets go of the database, and of a snapshot with it. Safe to call twice."""
        self._is_closed = True
        self._raw.close()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        self._cursors += 1
        # Without a name, psycopg would fetch the whole answer first.
        cursor = self._raw.cursor() if self.dialect == "sqlite" else self._raw.cursor(name=f"stream_{self._cursors}")
        try:
            yield cursor
        finally:
            if not (self._is_closed and self.dialect == "sqlite"):  # whose cursors end with their connection
                cursor.close()

    def _begin(self) -> None:
        if not self._streams:
            with self._translated():
                self._raw.execute(self._driver.begin_read)
        self._streams += 1

    def _end(self) -> None:
        self._streams -= 1
        if self._is_closed:
            return
        if not self._streams and not self._driver.is_lost(self._raw) and self._driver.in_transaction(self._raw):
            with self._translated():
                self._raw.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._driver.exceptions as error:
            raise self._driver.translate(error) from error
