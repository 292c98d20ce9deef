"""Rows that say something about other rows: checkpoints, and events that explain what was removed or blanked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal_column, select

from authctl.server.storage.events import ROW_COLUMNS
from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import AuditLog

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from authctl.server.storage.connection import Connection
    from authctl.server.storage.events import EventRow

_events = table_of(AuditLog)
_columns = _events.c
_of_type = select(*ROW_COLUMNS).where(_columns.event_type == bindparam("event_type"))
_oldest_first = (_columns.created_at, _columns.id)
_newest_first = (_columns.created_at.desc(), _columns.id.desc())
_OF_TYPE = Statement(_of_type.where(_columns.anchors.is_not(None)).order_by(*_oldest_first))
_OF_TYPE_BACKWARD = Statement(_of_type.where(_columns.anchors.is_not(None)).order_by(*_newest_first))
# A checkpoint always succeeds; saying so lets the index answer.
_NEWEST = Statement(_of_type.where(_columns.success == 1).order_by(*_newest_first).limit(1))
_OF_REQUEST = Statement(
    _of_type.where(
        _columns.success == 1,
        _columns.created_at == bindparam("at"),
        _columns.request_id == bindparam("request_id"),
    )
)
_BY_ID = Statement(select(*ROW_COLUMNS).where(_columns.id == bindparam("id")))
# Not the bare column: SQLite would go through its whole index to have the groups in order.
_writer = _columns.writer_id.concat(literal_column("''"))
_FIRST_SINCE = Statement(
    select(_writer, func.min(_columns.seq)).where(_columns.created_at >= bindparam("at")).group_by(_writer)
)
_CHECKPOINT = "checkpoint"


class AnchoredRows:
    """A second view of `audit_logs`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_type(self, event_type: str, *, newest_first: bool = False) -> Generator[EventRow]:
        """The rows of a type that have anchors, in the order of time."""
        statement = _OF_TYPE_BACKWARD if newest_first else _OF_TYPE
        return self._connection.stream(statement, {"event_type": event_type})

    def by_id(self, event_id: str) -> EventRow | None:
        """The row of an event."""
        return self._connection.one(_BY_ID, {"id": event_id})

    def newest_checkpoint(self) -> EventRow | None:
        """The checkpoint that was signed last."""
        return self._connection.one(_NEWEST, {"event_type": _CHECKPOINT})

    def checkpoint_of(self, request_id: str, at: datetime) -> EventRow | None:
        """The checkpoint that a request had signed in the running transaction."""
        params: dict[str, Any] = {"event_type": _CHECKPOINT, "request_id": request_id, "at": at}
        return self._connection.one(_OF_REQUEST, params)

    def first_since(self, at: datetime) -> list[tuple[str, int]]:
        """Each chain that has rows from a moment on, with the first of them."""
        return [(str(row[0]), int(row[1])) for row in self._connection.tuples(_FIRST_SINCE, {"at": at})]
