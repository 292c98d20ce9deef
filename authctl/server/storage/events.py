"""The rows of the audit trail: appended by the journal, read by queries and by verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, func, or_, select, type_coerce

from authctl.server.storage.connection import names_of
from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement, Written
from authctl.server.storage.tables import AuditLog

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from authctl.server.storage.connection import Connection
    from authctl.server.storage.event_query import Dialect, Sql

EventRow = tuple[Any, ...]
"""A row in the order of the table's columns, as the driver gives it: with SQLite, `created_at` is its text."""

COLUMNS: tuple[str, ...] = names_of(AuditLog)

_events = table_of(AuditLog)
# Times stay as they are stored: the chain covers them to the letter, and converting a million of them takes seconds.
ROW_COLUMNS = [type_coerce(column, Text) if column.name == "created_at" else column for column in _events.c]
_of_writer = _events.c.writer_id == bindparam("writer")
_ADD = Statement(_events.insert())
_AT = Statement(select(*ROW_COLUMNS).where(_of_writer, _events.c.seq == bindparam("seq")))
_MAC_AT = Statement(select(_events.c.mac).where(_of_writer, _events.c.seq == bindparam("seq")))
_BETWEEN = Statement(
    select(*ROW_COLUMNS)
    .where(_of_writer, _events.c.seq > bindparam("after"), _events.c.seq <= bindparam("last"))
    .order_by(_events.c.seq)
    .limit(bindparam("most"))
)
_FIRST_SINCE = Statement(select(func.min(_events.c.seq)).where(_of_writer, _events.c.id >= bindparam("event_id")))
_IN_CHAINS = Statement(select(*ROW_COLUMNS).order_by(_events.c.writer_id, _events.c.seq))
_BY_ID = Statement(_events.select().where(_events.c.id == bindparam("id")))
_COUNT_OF_TYPE = Statement(
    select(func.count()).select_from(_events).where(_events.c.event_type == bindparam("event_type"))
)
# `user_email` alone would miss the rows in which somebody else acted on the person.
_ABOUT = Statement(
    _events.select()
    .where(
        or_(
            _events.c.user_email == bindparam("email"),
            _events.c.user_id == bindparam("user_id"),
            _events.c.target_user_id == bindparam("user_id"),
        )
    )
    .order_by(_events.c.created_at, _events.c.id)
)


class Events:
    """The table `audit_logs`. There is no method that changes a row: the trail is append-only."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, row: dict[str, object]) -> None:
        """Appends a row; every column has to be there."""
        self._connection.change(_ADD, row)

    def by_id(self, event_id: str) -> AuditLog | None:
        """The event with this id."""
        return self._connection.model(_BY_ID, AuditLog, {"id": event_id})

    def at(self, writer_id: str, seq: int) -> EventRow | None:
        """The row at one place of a chain."""
        return self._connection.one(_AT, {"writer": writer_id, "seq": seq})

    def mac_at(self, writer_id: str, seq: int) -> bytes | None:
        """The MAC at one place of a chain."""
        mac: bytes | None = self._connection.scalar(_MAC_AT, {"writer": writer_id, "seq": seq})
        return mac

    def between(self, writer_id: str, *, after: int, last: int, most: int) -> list[EventRow]:
        """Up to `most` rows of one chain with `after < seq <= last`, in their order."""
        return self._connection.tuples(_BETWEEN, {"writer": writer_id, "after": after, "last": last, "most": most})

    def first_since(self, writer_id: str, event_id: str) -> int | None:
        """The first sequence of a chain whose event is not older than another one, by their ids."""
        seq: int | None = self._connection.scalar(_FIRST_SINCE, {"writer": writer_id, "event_id": event_id})
        return seq

    def in_chains(self) -> Iterator[EventRow]:
        """Every row, chain by chain, each in its order; memory stays flat."""
        return self._connection.stream(_IN_CHAINS)

    def count_of_type(self, event_type: str) -> int:
        """How many events are of this type."""
        return int(self._connection.scalar(_COUNT_OF_TYPE, {"event_type": event_type}))

    def about(self, *, email: str, user_id: str) -> Iterator[AuditLog]:
        """Everything the trail holds about one person, oldest first."""
        yield from self._connection.models(_ABOUT, AuditLog, {"email": email, "user_id": user_id})

    @property
    def dialect(self) -> Dialect:
        """Which SQL `all` and `stream` understand."""
        return "sqlite" if self._connection.dialect == "sqlite" else "postgresql"

    def all(self, sql: Sql) -> list[EventRow]:
        """The answer to a question of `event_query`."""
        return self._connection.tuples(Written(sql.text, sql.params))

    def stream(self, sql: Sql) -> Generator[EventRow]:
        """The same in flat memory."""
        return self._connection.stream(Written(sql.text, sql.params))

    def close(self) -> None:
        """The transaction ends with its unit of work."""
