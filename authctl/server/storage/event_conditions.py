"""What an `EventFilter` says, as the conditions of a WHERE; and by which index SQLite is to find what fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from authctl.server.storage.address_query import are_addresses, lies_in_any
from authctl.server.storage.sql_text import Sql, Values, spelled_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.storage.event_query import EventFilter
    from authctl.server.storage.sql_text import Dialect

LENGTH_OF_ID: Final = 36
_BEHIND_HEX: Final = "g"
"""Sorts behind everything that an id can consist of."""
_SEARCHED: Final = (
    "user_email", "details", "reason", "user_agent", "ip_address", "actor", "request_id", "user_id", "target_user_id",
)  # fmt: skip
_NAMING: Final = ("user_id", "target_user_id", "actor")
_INDICES: Final = {
    "id": ("id",),
    "user_email": ("user_email", "created_at", "success"),
    "ip_address": ("ip_address", "created_at", "success"),
    "event_type": ("event_type", "success", "created_at"),
    "created_at": ("created_at",),
}
"""Columns of the table's indices, by the first."""
_FIRST: Final = ("event_type", "user_email", "ip_address", "writer_id")
"""What events can be counted by that an index begins with."""
_NARROWING: Final = (
    "ids", "event_types", "excluded_types", "reasons", "excluded_reasons", "user_email", "user_id", "networks", "agent",
    "contains", "since", "until", "only_others",
)  # fmt: skip
"""Fields of a filter that need more than the outcome, which stands in most indices."""


class Conditions:
    """The conditions of one filter.

    SQLite keeps no statistics of its tables and then prefers an index on two columns to one on e-mails, and reading
    all of an index in the order of a grouping to reading one day. A `+` before a column keeps it out of that choice.
    """

    def __init__(self, wanted: EventFilter, values: Values) -> None:
        self._wanted = wanted
        self._values = values
        self._bind = values.bind
        self._index = _INDICES[leading_column(wanted)]

    def all(self) -> list[str]:
        """What the filter says, but for the order, the limit and the position."""
        wanted = self._wanted
        found = [
            self._begins_with_any(wanted.ids),
            self._any_of("event_type", wanted.event_types),
            self._none_of("event_type", wanted.excluded_types),
            self._outcome(),
            self._compared("user_email", "=", wanted.user_email),
            self._compared("created_at", ">=", wanted.since),
            self._compared("created_at", "<", wanted.until),
            self._any_of("reason", wanted.reasons),
            self._none_of("reason", wanted.excluded_reasons, "reason IS NULL OR "),
        ]
        if wanted.user_id is not None:
            found.append(f"{self._bind('user', wanted.user_id)} IN ({', '.join(_NAMING)})")
        if wanted.only_others:
            found.append("target_user_id <> user_id")
        if wanted.networks:
            column = self._column("ip_address") if are_addresses(wanted.networks) else "ip_address"
            found.append(lies_in_any(column, wanted.networks, self._values.dialect, self._bind))
        found += [
            self._stands_in(("user_agent",), wanted.agent),
            self._stands_in(_SEARCHED, wanted.contains),
        ]
        return [condition for condition in found if condition]

    def grouped(self, column: str, by: Sequence[str]) -> str:
        """A column that events are counted by, one of `by`."""
        return column if column not in _FIRST or self._is_in_an_index(by) else self._aside(column)

    def _is_in_an_index(self, by: Sequence[str]) -> bool:
        """Whether one index holds all that is asked for, in the order of the grouping, and is wanted as a whole."""
        columns = set(by) - {"success"}
        narrowed = {name for name in _NARROWING if getattr(self._wanted, name)}
        if narrowed == {"event_types"}:
            return by[0] != "ip_address"
        if columns <= {"event_type"}:
            return narrowed <= {"excluded_types"}
        return not narrowed and columns in ({"user_email"}, {"ip_address"})

    def _column(self, name: str) -> str:
        is_indexed = any(name in columns for columns in _INDICES.values())
        return self._aside(name) if is_indexed and name not in self._index else name

    def _aside(self, column: str) -> str:
        return f"+{column}" if self._values.dialect == "sqlite" else column

    def _outcome(self) -> str:
        wanted = self._wanted
        if wanted.success is None and "event_type" in self._index and (wanted.since or wanted.until):
            return "success IN (0, 1)"  # says nothing, but for the index, whose third column is the time
        return self._compared("success", "=", None if wanted.success is None else int(wanted.success))

    def _compared(self, column: str, operator: str, value: object) -> str:
        return "" if value is None else f"{self._column(column)} {operator} {self._bind(column, value)}"

    def _any_of(self, column: str, values: tuple[str, ...]) -> str:
        if len(values) < 2:
            return self._compared(column, "=", values[0] if values else None)
        return f"{self._column(column)} IN ({', '.join(self._bind(column, value) for value in values)})"

    def _begins_with_any(self, ids: tuple[str, ...]) -> str:
        whole = self._any_of("id", tuple(event_id for event_id in ids if len(event_id) >= LENGTH_OF_ID))
        column = self._values.ordered("id")
        # As a range and not by a pattern: every database answers it from the index of the ids.
        begun = [
            f"({column} >= {self._bind('id', start)} AND {column} < {self._bind('id', start + _BEHIND_HEX)})"
            for start in ids
            if len(start) < LENGTH_OF_ID
        ]
        found = [whole, *begun] if whole else begun
        return f"({' OR '.join(found)})" if len(found) > 1 else "".join(found)

    def _none_of(self, column: str, values: tuple[str, ...], unless: str = "") -> str:
        if not values:
            return ""
        excluded = f"{column} NOT IN ({', '.join(self._bind(column, value) for value in values)})"
        return f"({unless}{excluded})" if unless else excluded

    def _stands_in(self, columns: tuple[str, ...], needle: str | None) -> str:
        if not needle:
            return ""
        value, operator = _any_case(needle, self._values.dialect)
        name = self._bind("text", value)
        return f"({' OR '.join(operator.format(column, name) for column in columns)})"


def by_column(wanted: EventFilter, dialect: Dialect) -> list[list[str]]:
    """What may hold in any of several columns (`user_id`, `contains`), as a condition of each, its values written in.

    For an engine that looks through one column by itself much faster than through several in one condition.
    """
    found: list[list[Sql]] = []
    if wanted.user_id is not None:
        found.append([_alone(dialect, "{} = {}", column, wanted.user_id) for column in _NAMING])
    if wanted.contains:
        pattern, operator = _any_case(wanted.contains, dialect)
        found.append([_alone(dialect, operator, column, pattern) for column in _SEARCHED])
    return [[spelled_out(condition) for condition in conditions] for conditions in found]


def _alone(dialect: Dialect, operator: str, column: str, value: str) -> Sql:
    values = Values(dialect)
    return Sql(operator.format(column, values.bind("value", value)), values.params, dialect)


def leading_column(wanted: EventFilter) -> str:
    """The first column of the index that finds what fits soonest."""
    if wanted.ids:
        return "id"
    if wanted.user_email is not None:
        return "user_email"
    if are_addresses(wanted.networks):
        return "ip_address"
    return "event_type" if wanted.event_types else "created_at"


def _any_case(needle: str, dialect: Dialect) -> tuple[str, str]:
    """A pattern for text that holds `needle` in any case of its letters, and how a column is compared with it.

    Databases agree about the case of ASCII letters only; for others each of its forms is spelled out.
    """
    if needle.isascii():
        pattern = "%" + re.sub(r"([%_\\])", r"\\\1", needle) + "%"
        operator = {"sqlite": "{} LIKE {}", "postgresql": '{} COLLATE "C" ILIKE {}', "duckdb": "{} ILIKE {}"}[dialect]
        return pattern, operator + (r" ESCAPE '\'" if "\\" in pattern else "")
    if dialect == "sqlite":
        return "*" + "".join(map(_bracketed, needle)) + "*", "{} GLOB {}"
    pattern = "".join(_bracketed(letter) if len(_cases(letter)) > 1 else re.escape(letter) for letter in needle)
    return pattern, "{} ~ {}" if dialect == "postgresql" else "regexp_matches({}, {})"


def _cases(letter: str) -> str:
    forms = dict.fromkeys((letter, letter.lower(), letter.upper()))
    return "".join(form for form in forms if len(form) == 1)


def _bracketed(letter: str) -> str:
    forms = _cases(letter)
    return f"[{forms}]" if len(forms) > 1 or letter in "*?[" else letter
