"""Statements as text with values beside it, in the manner of each driver; nobody's input is ever part of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from collections.abc import Mapping

Dialect = Literal["sqlite", "postgresql", "duckdb"]
"""DuckDB is expected to have `created_at` as TIMESTAMP in UTC; in each, `success` is the number 0 or 1."""

_PLACEHOLDERS = {"sqlite": ":{}", "postgresql": "%({})s", "duckdb": "${}"}
_PLACEHOLDER = {
    "sqlite": re.compile(r":([a-z_]+_\d+)\b"),
    "postgresql": re.compile(r"%\(([a-z_]+_\d+)\)s"),
    "duckdb": re.compile(r"\$([a-z_]+_\d+)\b"),
}


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement for one driver: its text, and the values beside it by their names."""

    text: str
    params: Mapping[str, object]
    dialect: Dialect


class Values:
    """The values of one statement, as they come up."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.params: dict[str, object] = {}

    def bind(self, name: str, value: object) -> str:
        """A parameter with this value, as it stands in the text."""
        unique = f"{name}_{len(self.params) + 1}"
        self.params[unique] = self._stored(value)
        return _PLACEHOLDERS[self.dialect].format(unique)

    def ordered(self, expression: str) -> str:
        """A text that is compared by its bytes, whatever the language of the database is."""
        return f'{expression} COLLATE "C"' if self.dialect == "postgresql" else expression

    def _stored(self, value: object) -> object:
        if not isinstance(value, datetime):
            return value
        if self.dialect == "sqlite":
            return write_time(value)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if self.dialect == "duckdb" else moment


def spelled_out(sql: Sql) -> str:
    """The statement with its values written into it, to be read or run in the database's own shell."""
    return _PLACEHOLDER[sql.dialect].sub(lambda found: _literal(sql.params[found[1]], sql.dialect), sql.text)


def _literal(value: object, dialect: Dialect) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime):
        text = value.isoformat(" ", "microseconds")
        return f"TIMESTAMP '{text}'" if dialect == "duckdb" else f"'{text}'"
    return "'" + str(value).replace("'", "''") + "'"
