"""One driver connection: runs compiled statements and turns the driver's exceptions into ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from authctl.server.storage.rows import hydrate

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from sqlmodel import SQLModel

    from authctl.errors import AuthctlError
    from authctl.server.storage.statements import Compiled, Statement, Written
    from authctl.server.storage.turns import Turn

    M = TypeVar("M", bound=SQLModel)


class Driver(Protocol):
    """What differs between SQLite and PostgreSQL."""

    name: str
    """The dialect: "sqlite" or "postgresql"."""
    exceptions: tuple[type[Exception], ...]
    """What the driver raises."""

    def connect(self, *, readonly: bool) -> Any:
        """A new DB-API connection in autocommit mode."""
        ...

    def translate(self, error: Exception) -> AuthctlError:
        """Our error for one of the driver's."""
        ...

    def is_busy(self, error: Exception) -> bool:
        """Whether another process holds the lock, so that trying again makes sense."""
        ...

    def is_transient(self, error: Exception) -> bool:
        """Whether the same transaction may succeed when run again from its start."""
        ...

    def in_transaction(self, raw: Any) -> bool:
        """Whether a transaction is open and usable."""
        ...

    def is_lost(self, raw: Any) -> bool:
        """Whether the connection is of no more use."""
        ...

    def make_turn(self) -> Turn:
        """A place in the queue of writers, where the database has none of its own."""
        ...

    def require_in_place(self) -> None:
        """Raises when the open connections lead to something that nobody else would find any more."""
        ...

    @property
    def begin_write(self) -> str:
        """The SQL that starts a write transaction."""
        ...

    @property
    def begin_read(self) -> str:
        """The SQL that starts a snapshot for reading."""
        ...


class Connection:
    """Runs statements; results are plain tuples or rows of a model. Not for more than one thread at a time."""

    __slots__ = ("_execute", "dialect", "driver", "raw")

    def __init__(self, driver: Driver, *, readonly: bool = False) -> None:
        self.driver = driver
        self.dialect = driver.name
        with self._translated():
            self.raw: Any = driver.connect(readonly=readonly)
        self._execute = self.raw.execute

    def close(self) -> None:
        """Gives the connection back to the system."""
        with self._translated():
            self.raw.close()

    def script(self, sql: str) -> None:
        """Runs SQL that has neither parameters nor results."""
        try:
            self._execute(sql)
        except self.driver.exceptions as error:
            raise self.driver.translate(error) from error

    def tuples(
        self, statement: Statement | Written, params: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows."""
        compiled = statement.compiled(self.dialect)
        rows: list[tuple[Any, ...]] = self._run(compiled, params).fetchall()
        return [_convert(row, compiled) for row in rows] if compiled.converters else rows

    def stream(
        self, statement: Statement | Written, params: Mapping[str, object] | None = None, size: int = 1000
    ) -> Generator[tuple[Any, ...]]:
        """All rows, fetched piece by piece, so that memory stays flat."""
        compiled = statement.compiled(self.dialect)
        cursor = self.raw.cursor() if self.dialect == "sqlite" else self.raw.cursor(name="stream")
        with self._translated():
            cursor.execute(compiled.sql, _merge(compiled, params))
        try:
            while True:
                with self._translated():
                    rows = cursor.fetchmany(size)
                if not rows:
                    break
                yield from (_convert(row, compiled) for row in rows) if compiled.converters else rows
        finally:  # whoever has seen enough lets go of the generator
            cursor.close()

    def one(self, statement: Statement, params: Mapping[str, object] | None = None) -> tuple[Any, ...] | None:
        """The first row, or None."""
        compiled = statement.compiled(self.dialect)
        row: tuple[Any, ...] | None = self._run(compiled, params).fetchone()
        return row if row is None or not compiled.converters else _convert(row, compiled)

    def scalar(self, statement: Statement, params: Mapping[str, object] | None = None) -> Any:
        """The first column of the first row, or None."""
        row = self.one(statement, params)
        return None if row is None else row[0]

    def model(self, statement: Statement, model: type[M], params: Mapping[str, object] | None = None) -> M | None:
        """The first row as an instance of `model`, whose columns the statement selects in their order."""
        row = self.one(statement, params)
        return None if row is None else hydrate(model, names_of(model), row)

    def models(self, statement: Statement, model: type[M], params: Mapping[str, object] | None = None) -> list[M]:
        """All rows as instances of `model`."""
        names = names_of(model)
        return [hydrate(model, names, row) for row in self.tuples(statement, params)]

    def change(self, statement: Statement, params: Mapping[str, object] | None = None) -> int:
        """Runs an insert, update or delete; the number of rows it touched."""
        count: int = self._run(statement.compiled(self.dialect), params).rowcount
        return count

    def _run(self, compiled: Compiled, params: Mapping[str, object] | None) -> Any:
        try:
            return self._execute(compiled.sql, _merge(compiled, params))
        except self.driver.exceptions as error:
            raise self.driver.translate(error) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self.driver.exceptions as error:
            raise self.driver.translate(error) from error


_names: dict[type[SQLModel], tuple[str, ...]] = {}


def names_of(model: type[SQLModel]) -> tuple[str, ...]:
    """The column names of a model in the order of its table."""
    found = _names.get(model)
    if found is None:
        found = _names[model] = tuple(model.model_fields)
    return found


def _merge(compiled: Compiled, params: Mapping[str, object] | None) -> Mapping[str, object]:
    if params is None:
        return compiled.constants
    return {**compiled.constants, **params} if compiled.constants else params


def _convert(row: tuple[Any, ...], compiled: Compiled) -> tuple[Any, ...]:
    values = list(row)
    for index, convert in compiled.converters:
        if values[index] is not None:
            values[index] = convert(values[index])
    return tuple(values)
