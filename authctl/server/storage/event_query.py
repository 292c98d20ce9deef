"""Questions to the trail as SQL text: one filter, one grouping, for each database that can hold events.

Written out by hand, because whoever asks from a terminal should not wait for the SQL toolkit to be imported. What a
person typed is never part of the text: it goes beside it, as parameters in the style of the driver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Final

from authctl.server.storage.event_conditions import LENGTH_OF_ID, Conditions, leading_column
from authctl.server.storage.sql_text import Dialect, Sql, Values, spelled_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from ipaddress import IPv4Network, IPv6Network

__all__ = [
    "EVENT_COLUMNS",
    "GROUP_COLUMNS",
    "LENGTH_OF_ID",
    "Dialect",
    "EventFilter",
    "Position",
    "Sql",
    "select_events",
    "select_groups",
    "spelled_out",
]

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
        "minute": "strftime(date_trunc('minute', created_at), '%Y-%m-%dT%H:%MZ')",
        "hour": "strftime(date_trunc('hour', created_at), '%Y-%m-%dT%H:00Z')",
        "day": "strftime(date_trunc('day', created_at), '%Y-%m-%d')",
        "month": "strftime(date_trunc('month', created_at), '%Y-%m')",
    },
}
_MOST_BRANCHES: Final = 24
_LONGEST_BRANCH: Final = 10_000


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


def select_events(wanted: EventFilter, dialect: Dialect, *, table: str = "audit_logs") -> Sql:
    """The events that fit, as `EVENT_COLUMNS`, in the order asked for.

    table  is SQL: the name of a table, or what stands for one
    """
    values = Values(dialect)
    branches = _branches(wanted) if dialect != "duckdb" else []
    if not branches:
        return Sql("\n".join(_selection(wanted, values, table)), values.params, dialect)
    each = ["\n".join(_selection(branch, values, table)) for branch in branches]
    # SQLite takes a LIMIT within a UNION only in a subquery of its own.
    named = (f"SELECT * FROM (\n{one}\n) AS found_{place}" for place, one in enumerate(each, 1))  # noqa: S608  ours
    lines = ["SELECT * FROM (", "\nUNION ALL\n".join(named), ") AS found", *_order_and_limit(wanted, values)]
    return Sql("\n".join(lines), values.params, dialect)


def select_groups(
    wanted: EventFilter, by: Sequence[str], dialect: Dialect, *, table: str = "audit_logs", top: int | None = None
) -> Sql:
    """How many events fit for each combination of `by`, names out of `GROUP_COLUMNS`: the largest groups first.

    The columns are those of `by`, then how many, how many without success, the first and the last time.
    Raises ValueError for another name.
    """
    if unknown := set(by).difference(GROUP_COLUMNS):
        raise ValueError(f"events are not grouped by {', '.join(sorted(unknown))}")
    values = Values(dialect)
    conditions = Conditions(wanted, values)
    expressions = [_SPANS[dialect].get(name) or conditions.grouped(name, by) for name in by]
    counts = "count(*) AS total, count(*) - sum(success) AS failures, min(created_at), max(created_at)"
    lines = [
        f"SELECT {', '.join((*expressions, counts))}",
        f"FROM {table}",
        *_where(conditions.all()),
        *([f"GROUP BY {', '.join(_keys(by, dialect))}"] if by else []),
        "HAVING count(*) > 0",
        ", ".join(
            (
                "ORDER BY total DESC",
                *(
                    f"{expression if name == 'success' else values.ordered(expression)} NULLS FIRST"
                    for name, expression in zip(by, expressions, strict=True)
                ),
            )
        ),
    ]
    if top is not None:
        lines.append(f"LIMIT {values.bind('top', top)}")
    return Sql("\n".join(lines), values.params, dialect)


def _keys(by: Sequence[str], dialect: Dialect) -> list[str]:
    """By what rows are grouped: a column of the answer, by its place."""
    # DuckDB groups by times as numbers, and writes them out for each group instead of each row.
    numbers = _SPANS[dialect] if dialect == "duckdb" else {}
    return [f"date_trunc('{name}', created_at)" if name in numbers else str(place) for place, name in enumerate(by, 1)]


def _branches(wanted: EventFilter) -> list[EventFilter]:
    """One filter for each type and outcome, where a short list is asked for of several.

    The index on them is in the order of time only within each, so that of all the newest would have to be sought.
    """
    is_short = wanted.limit is not None and wanted.limit <= _LONGEST_BRANCH
    if not is_short or leading_column(wanted) != "event_type":
        return []
    outcomes = (False, True) if wanted.success is None else (wanted.success,)
    found = [
        replace(wanted, event_types=(event_type,), success=success)
        for event_type, success in product(wanted.event_types, outcomes)
    ]
    return found if 1 < len(found) <= _MOST_BRANCHES else []


def _selection(wanted: EventFilter, values: Values, table: str) -> list[str]:
    conditions = Conditions(wanted, values).all()
    if wanted.after is not None:
        comparison = "<" if wanted.newest_first else ">"
        place = f"{values.bind('after', wanted.after.created_at)}, {values.bind('after', wanted.after.id)}"
        conditions.append(f"(created_at, {values.ordered('id')}) {comparison} ({place})")
    return [
        f"SELECT {', '.join(EVENT_COLUMNS)}",
        f"FROM {table}",
        *_where(conditions),
        *_order_and_limit(wanted, values),
    ]


def _order_and_limit(wanted: EventFilter, values: Values) -> list[str]:
    direction = "DESC" if wanted.newest_first else "ASC"
    lines = [f"ORDER BY created_at {direction}, {values.ordered('id')} {direction}"]
    return lines if wanted.limit is None else [*lines, f"LIMIT {values.bind('limit', wanted.limit)}"]


def _where(conditions: list[str]) -> list[str]:
    return [f"{'  AND' if place else 'WHERE'} {condition}" for place, condition in enumerate(conditions)]
