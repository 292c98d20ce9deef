"""Questions to the trail as SQL text: one filter, one grouping, for each database that can hold events.

Written out by hand, because whoever asks from a terminal should not wait for the SQL toolkit to be imported. What a
person typed is never part of the text: it goes beside it, as parameters in the style of the driver.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from authctl.server.storage.address_query import lies_in_any
from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

Dialect = Literal["sqlite", "postgresql", "duckdb"]
"""DuckDB is expected to have `created_at` as TIMESTAMP in UTC; in each, `success` is the number 0 or 1."""

EVENT_COLUMNS: tuple[str, ...] = (
    "id", "created_at", "event_type", "success", "reason", "user_email", "user_id", "actor", "target_user_id",
    "ip_address", "peer_address", "user_agent", "request_id", "details", "writer_id", "seq",
)  # fmt: skip
"""What `select_events` selects, in its order."""
GROUP_COLUMNS: tuple[str, ...] = (
    "event_type", "success", "reason", "user_email", "user_id", "actor", "target_user_id", "ip_address",
    "peer_address", "user_agent", "request_id", "writer_id", "minute", "hour", "day", "month",
)  # fmt: skip
"""What events can be counted by; the last four are spans of UTC time, named by their beginning in ISO 8601:
2026-11-01T08:05Z, 2026-11-01T08:00Z, 2026-11-01, 2026-11."""

LENGTH_OF_ID = 36
_BEHIND_HEX = "g"
"""Sorts behind everything that an id can consist of."""
_SEARCHED = (
    "user_email", "details", "reason", "user_agent", "ip_address", "actor", "request_id", "user_id", "target_user_id",
)  # fmt: skip
_SPANS: dict[str, dict[str, str]] = {
    "sqlite": {
        "minute": "substr(created_at, 1, 10) || 'T' || substr(created_at, 12, 5) || 'Z'",
        "hour": "substr(created_at, 1, 10) || 'T' || substr(created_at, 12, 2) || ':00Z'",
        "day": "substr(created_at, 1, 10)",
        "month": "substr(created_at, 1, 7)",
    },
    "postgresql": {
        "minute": """to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')""",
        "hour": """to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00"Z"')""",
        "day": "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        "month": "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')",
    },
    "duckdb": {
        "minute": "strftime(created_at, '%Y-%m-%dT%H:%MZ')",
        "hour": "strftime(created_at, '%Y-%m-%dT%H:00Z')",
        "day": "strftime(created_at, '%Y-%m-%d')",
        "month": "strftime(created_at, '%Y-%m')",
    },
}
_PLACEHOLDERS = {"sqlite": ":{}", "postgresql": "%({})s", "duckdb": "${}"}
_PLACEHOLDER = {
    "sqlite": re.compile(r":([a-z_]+_\d+)\b"),
    "postgresql": re.compile(r"%\(([a-z_]+_\d+)\)s"),
    "duckdb": re.compile(r"\$([a-z_]+_\d+)\b"),
}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of time: events of one moment are ordered by their ids."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; a field that is None or empty asks for nothing. Members hold together with AND.

    ids              any of them; what is shorter than an id is the beginning of one
    event_types, excluded_types, reasons, excluded_reasons
                     any of, none of; an event without a reason is not excluded by one
    user_email       exactly, as normalised
    user_id          as the one who acts, the one concerned or the one looked at
    networks         the address lies in any of them; single addresses are networks of one
    agent            stands somewhere in the user agent, in any case of letters
    contains         stands somewhere in e-mail, details, reason, user agent, address, actor, request id or a user id
    since, until     `until` is exclusive
    only_others      somebody looked at another person's record: target and user differ
    after            behind this place, in the order asked for
    """

    ids: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    excluded_types: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    excluded_reasons: tuple[str, ...] = ()
    user_email: str | None = None
    user_id: str | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    agent: str | None = None
    contains: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    success: bool | None = None
    only_others: bool = False
    newest_first: bool = True
    limit: int | None = None
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement for one driver: its text, and the values beside it by their names."""

    text: str
    params: Mapping[str, object]
    dialect: Dialect


def select_events(wanted: EventFilter, dialect: Dialect, *, table: str = "audit_logs") -> Sql:
    """The events that fit, as `EVENT_COLUMNS`, in the order asked for.

    table  is SQL: the name of a table, or what stands for one
    """
    text = _Text(dialect)
    conditions = text.conditions(wanted)
    direction = "DESC" if wanted.newest_first else "ASC"
    if wanted.after is not None:
        comparison = "<" if wanted.newest_first else ">"
        place = f"{text.bind('after', wanted.after.created_at)}, {text.bind('after', wanted.after.id)}"
        conditions.append(f"(created_at, {text.ordered('id')}) {comparison} ({place})")
    lines = [
        f"SELECT {', '.join(EVENT_COLUMNS)}",
        f"FROM {table}",
        *_where(conditions),
        f"ORDER BY created_at {direction}, {text.ordered('id')} {direction}",
    ]
    if wanted.limit is not None:
        lines.append(f"LIMIT {text.bind('limit', wanted.limit)}")
    return Sql("\n".join(lines), text.params, dialect)


def select_groups(
    wanted: EventFilter, by: Sequence[str], dialect: Dialect, *, table: str = "audit_logs", top: int | None = None
) -> Sql:
    """How many events fit for each combination of `by`, names out of `GROUP_COLUMNS`: the largest groups first.

    The columns are those of `by`, then how many, how many without success, the first and the last time.
    Raises ValueError for another name.
    """
    if unknown := set(by).difference(GROUP_COLUMNS):
        raise ValueError(f"events are not grouped by {', '.join(sorted(unknown))}")
    text = _Text(dialect)
    expressions = [_SPANS[dialect].get(name, name) for name in by]
    counts = "count(*) AS total, count(*) - sum(success) AS failures, min(created_at), max(created_at)"
    lines = [
        f"SELECT {', '.join((*expressions, counts))}",
        f"FROM {table}",
        *_where(text.conditions(wanted)),
        *([f"GROUP BY {', '.join(map(str, range(1, len(by) + 1)))}"] if by else []),
        "HAVING count(*) > 0",
        ", ".join(
            (
                "ORDER BY total DESC",
                *(
                    f"{expression if name == 'success' else text.ordered(expression)} NULLS FIRST"
                    for name, expression in zip(by, expressions, strict=True)
                ),
            )
        ),
    ]
    if top is not None:
        lines.append(f"LIMIT {text.bind('top', top)}")
    return Sql("\n".join(lines), text.params, dialect)


def spelled_out(sql: Sql) -> str:
    """The statement with its values written into it, to be read or run in the database's own shell."""
    return _PLACEHOLDER[sql.dialect].sub(lambda found: _literal(sql.params[found[1]], sql.dialect), sql.text)


class _Text:
    """The parts of one statement, and its parameters as they come up."""

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

    def conditions(self, wanted: EventFilter) -> list[str]:
        """What the filter says, but for the order, the limit and the position."""
        found = [
            self._begins_with_any(wanted.ids),
            self._any_of("event_type", wanted.event_types),
            self._none_of("event_type", wanted.excluded_types),
            self._any_of("reason", wanted.reasons),
            self._none_of("reason", wanted.excluded_reasons, "reason IS NULL OR "),
            self._compared("success", "=", None if wanted.success is None else int(wanted.success)),
            self._compared("user_email", "=", wanted.user_email),
            self._compared("created_at", ">=", wanted.since),
            self._compared("created_at", "<", wanted.until),
        ]
        if wanted.user_id is not None:
            found.append(f"{self.bind('user', wanted.user_id)} IN (user_id, target_user_id, actor)")
        if wanted.only_others:
            found.append("target_user_id <> user_id")
        if wanted.networks:
            found.append(lies_in_any("ip_address", wanted.networks, self.dialect, self.bind))
        found += [
            self._stands_in(("user_agent",), wanted.agent),
            self._stands_in(_SEARCHED, wanted.contains),
        ]
        return [condition for condition in found if condition]

    def _compared(self, column: str, operator: str, value: object) -> str:
        return "" if value is None else f"{column} {operator} {self.bind(column, value)}"

    def _any_of(self, column: str, values: tuple[str, ...]) -> str:
        if len(values) < 2:
            return self._compared(column, "=", values[0] if values else None)
        return f"{column} IN ({', '.join(self.bind(column, value) for value in values)})"

    def _begins_with_any(self, ids: tuple[str, ...]) -> str:
        whole = self._any_of("id", tuple(event_id for event_id in ids if len(event_id) >= LENGTH_OF_ID))
        column = self.ordered("id")
        # As a range and not by a pattern: every database answers it from the index of the ids.
        begun = [
            f"({column} >= {self.bind('id', start)} AND {column} < {self.bind('id', start + _BEHIND_HEX)})"
            for start in ids
            if len(start) < LENGTH_OF_ID
        ]
        found = [whole, *begun] if whole else begun
        return f"({' OR '.join(found)})" if len(found) > 1 else "".join(found)

    def _none_of(self, column: str, values: tuple[str, ...], unless: str = "") -> str:
        if not values:
            return ""
        excluded = f"{column} NOT IN ({', '.join(self.bind(column, value) for value in values)})"
        return f"({unless}{excluded})" if unless else excluded

    def _stands_in(self, columns: tuple[str, ...], needle: str | None) -> str:
        if not needle:
            return ""
        value, operator = _any_case(needle, self.dialect)
        name = self.bind("text", value)
        return f"({' OR '.join(operator.format(column, name) for column in columns)})"

    def _stored(self, value: object) -> object:
        if not isinstance(value, datetime):
            return value
        if self.dialect == "sqlite":
            return write_time(value)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if self.dialect == "duckdb" else moment


def _where(conditions: list[str]) -> list[str]:
    return [f"{'  AND' if place else 'WHERE'} {condition}" for place, condition in enumerate(conditions)]


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


def _literal(value: object, dialect: Dialect) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime):
        text = value.isoformat(" ", "microseconds")
        return f"TIMESTAMP '{text}'" if dialect == "duckdb" else f"'{text}'"
    return "'" + str(value).replace("'", "''") + "'"
