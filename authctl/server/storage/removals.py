"""Takes rows out of the audit trail: what retention and archiving need of the table, and nothing that decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, case, func, not_, or_, select

from authctl.server.storage.events import ROW_COLUMNS
from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import AuditLog

if TYPE_CHECKING:
    from collections.abc import Collection

    from authctl.server.storage.connection import Connection
    from authctl.server.storage.events import EventRow

_events = table_of(AuditLog)
_columns = _events.c
_in_time = select(*ROW_COLUMNS).order_by(_columns.created_at, _columns.id).limit(bindparam("most"))
_is_old = _columns.created_at < bindparam("before")
_OLD = Statement(_in_time.where(_is_old))
_OLD_BEHIND = Statement(
    _in_time.where(
        _is_old,
        _columns.created_at >= bindparam("at"),  # by itself, so that the index is entered at the right place
        or_(_columns.created_at > bindparam("at"), _columns.id > bindparam("id")),
    )
)
_in_range = and_(
    _columns.writer_id == bindparam("writer"), _columns.seq >= bindparam("first"), _columns.seq <= bindparam("last")
)
_CONTENT = Statement(
    select(func.count(), func.coalesce(func.sum(case((_columns.salt.is_(None), 1), else_=0)), 0)).where(_in_range)
)
_TYPES = Statement(select(_columns.event_type).where(_in_range).distinct())
# What fails after a moment may be kept longer than the rest; a moment far away keeps nothing.
_is_kept = and_(_columns.success == 0, _columns.created_at >= bindparam("failures_since"))
_by_type = select(
    _columns.event_type, func.count(), func.min(_columns.created_at), func.max(_columns.created_at)
).group_by(_columns.event_type)
_COUNTS = Statement(_by_type.where(_is_old, not_(_is_kept)))
_COUNTS_BEHIND = Statement(
    _by_type.where(
        _is_old, not_(_is_kept), _columns.writer_id == bindparam("writer"), _columns.seq > bindparam("behind")
    )
)
_KEPT = Statement(select(func.count()).select_from(_events).where(_is_old, _is_kept))
_DELETE = Statement(_events.delete().where(_in_range))


class RangeContent(NamedTuple):
    """What the table holds of a range: how many rows, how many of them blank, and of which types they are."""

    rows: int
    blank: int
    types: frozenset[str]


class TypeCount(NamedTuple):
    """How many old rows there are of a type, and when they begin and end."""

    event_type: str
    rows: int
    oldest: datetime
    newest: datetime


_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Removals:
    """Ranges of chains, on their way out of `audit_logs`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def old(self, before: datetime, *, most: int, after: EventRow | None = None) -> list[EventRow]:
        """Up to `most` rows older than a moment, in the order of time; `after` goes on behind a row."""
        params: dict[str, Any] = {"before": before, "most": most}
        if after is None:
            return self._connection.tuples(_OLD, params)
        return self._connection.tuples(_OLD_BEHIND, {**params, "at": after[8], "id": after[0]})

    def counts(self, before: datetime, failures_since: datetime | None = None) -> list[TypeCount]:
        """Old rows by type, by the index alone; without failures that are not older than `failures_since`."""
        params = {"before": before, "failures_since": failures_since or _NEVER}
        return [TypeCount(*row) for row in self._connection.tuples(_COUNTS, params)]

    def counts_behind(
        self, before: datetime, failures_since: datetime | None, writer_id: str, behind: int
    ) -> list[TypeCount]:
        """The same of one chain, behind a sequence."""
        params = {"before": before, "failures_since": failures_since or _NEVER, "writer": writer_id, "behind": behind}
        return [TypeCount(*row) for row in self._connection.tuples(_COUNTS_BEHIND, params)]

    def kept(self, before: datetime, failures_since: datetime) -> int:
        """How many old failures are kept because they are not older than a moment."""
        return int(self._connection.scalar(_KEPT, {"before": before, "failures_since": failures_since}))

    def content(self, writer_id: str, first: int, last: int) -> RangeContent:
        """What is there of a range."""
        params = {"writer": writer_id, "first": first, "last": last}
        found = self._connection.one(_CONTENT, params) or (0, 0)
        types: Collection[tuple[Any, ...]] = self._connection.tuples(_TYPES, params)
        return RangeContent(int(found[0]), int(found[1]), frozenset(str(row[0]) for row in types))

    def delete(self, writer_id: str, first: int, last: int) -> int:
        """Deletes a range, in a transaction that is under maintenance; how many rows there were."""
        return self._connection.change(_DELETE, {"writer": writer_id, "first": first, "last": last})
