"""SQL statements: written once with SQLAlchemy Core from the tables, compiled once per dialect, run by the driver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, DateTime, Table
from sqlalchemy.sql.dml import Insert
from sqlmodel import UTCDateTime

from authctl.server.storage.times import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ClauseElement
    from sqlalchemy.engine import Dialect

Converter = tuple[int, "Callable[[Any], Any]"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement for one driver: text, values written into it, and what its result columns need."""

    sql: str
    constants: dict[str, object]
    converters: tuple[Converter, ...]


class Statement:
    """A Core statement; values are named parameters, `bindparam("name")`, or the columns of an insert."""

    __slots__ = ("_clause", "_compiled")

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: str) -> Compiled:
        """The text and conversions for "sqlite" or "postgresql"."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = _compile(self._clause, dialect)
        return found


class Written:
    """A statement that is text already, with its values; each driver's rows come as they are."""

    __slots__ = ("_compiled",)

    def __init__(self, text: str, params: Mapping[str, object]) -> None:
        self._compiled = Compiled(text, dict(params), ())

    def compiled(self, dialect: str) -> Compiled:
        """The text, which was written for this dialect."""
        return self._compiled


def _compile(clause: ClauseElement, dialect: str) -> Compiled:
    columns = None
    if isinstance(clause, Insert) and isinstance(clause.table, Table) and not clause.select:
        columns = [column.name for column in clause.table.columns]
    compiled = clause.compile(dialect=_dialect(dialect), column_keys=columns)
    constants = {name: value for name, value in (compiled.params or {}).items() if value is not None}
    return Compiled(str(compiled), constants, _converters(clause) if dialect == "sqlite" else ())


@cache
def _dialect(name: str) -> Dialect:
    """SQLAlchemy's dialect; only the one that is used is imported."""
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.dialect(paramstyle="named")
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


def _converters(clause: ClauseElement) -> tuple[Converter, ...]:
    """SQLite hands back text for times and integers for booleans."""
    found: list[Converter] = []
    for index, column in enumerate(getattr(clause, "exported_columns", ())):
        if isinstance(column.type, UTCDateTime | DateTime):
            found.append((index, read_time))
        elif isinstance(column.type, Boolean):
            found.append((index, bool))
    return tuple(found)
