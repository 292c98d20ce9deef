"""The writers of the audit trail: one row per chain, with the place it has reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import AuditWriter, Instance

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.storage.connection import Connection

_writers = table_of(AuditWriter)
_instance = table_of(Instance)
_id = _writers.c.id == bindparam("for_id")
_ADD = Statement(_writers.insert())
_BY_ID = Statement(_writers.select().where(_id))
_ALL = Statement(_writers.select().order_by(_writers.c.started_at, _writers.c.id))
_NEWEST = Statement(_writers.select().order_by(_writers.c.started_at.desc(), _writers.c.id).limit(bindparam("most")))
_MOVED = Statement(
    select(_writers.c.id, _writers.c.last_seq, _writers.c.last_mac)
    .where(_writers.c.last_seq > _writers.c.checkpointed_seq)
    .order_by(_writers.c.id)
)
_FEEDING = Statement(_writers.select().where(_writers.c.log_file == bindparam("path")).order_by(_writers.c.started_at))
_HOLD_GENERATION = Statement(select(_instance.c.generation).with_for_update(read=True))
_ADVANCE = Statement(
    _writers.update()
    .where(_id)
    .values(last_seq=bindparam("seq"), last_mac=bindparam("mac"), shipped_seq=bindparam("shipped"))
)
_CHECKPOINTED = Statement(_writers.update().where(_id).values(checkpointed_seq=bindparam("seq")))
# Never waits: whoever asks holds a lock of its own on the file.
_SHIPPED = Statement(
    _writers.update()
    .where(_writers.c.id.in_(select(_writers.c.id).where(_id).with_for_update(skip_locked=True)))
    .values(shipped_seq=bindparam("seq"))
)
_CLOSE = Statement(_writers.update().where(_id).values(closed_at=bindparam("at")))


class Writers:
    """The table `audit_writers`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, writer: AuditWriter) -> None:
        """Opens a chain."""
        self._connection.change(_ADD, writer.__dict__)

    def by_id(self, writer_id: str) -> AuditWriter | None:
        """The writer with this id."""
        return self._connection.model(_BY_ID, AuditWriter, {"for_id": writer_id})

    def all(self) -> list[AuditWriter]:
        """Every writer, in the order of their starts."""
        return self._connection.models(_ALL, AuditWriter)

    def newest(self, most: int) -> list[AuditWriter]:
        """Up to `most` writers, the one that started last first."""
        return self._connection.models(_NEWEST, AuditWriter, {"most": most})

    def moved(self) -> list[tuple[str, int, bytes]]:
        """Id, last sequence and last MAC of every chain that is longer than the last checkpoint says, by id."""
        return [(str(row[0]), int(row[1]), bytes(row[2])) for row in self._connection.tuples(_MOVED)]

    def feeding(self, log_file: str) -> list[AuditWriter]:
        """The writers whose events go to this file."""
        return self._connection.models(_FEEDING, AuditWriter, {"path": log_file})

    def hold_generation(self) -> int:
        """The generation, which no reset changes before this transaction has ended."""
        return int(self._connection.scalar(_HOLD_GENERATION) or 0)

    def advance(self, writer_id: str, *, seq: int, mac: bytes, shipped: int) -> bool:
        """Notes where a chain ends now, and up to where the file has it; False when a reset has removed the writer."""
        params = {"for_id": writer_id, "seq": seq, "mac": mac, "shipped": shipped}
        return self._connection.change(_ADVANCE, params) == 1

    def note_checkpoint(self, writer_id: str, seq: int) -> None:
        """Rows up to `seq` are named by a signed checkpoint."""
        self._connection.change(_CHECKPOINTED, {"for_id": writer_id, "seq": seq})

    def note_shipped(self, writer_id: str, seq: int) -> None:
        """Rows up to `seq` are in the file; says nothing when another transaction has the writer in its hands."""
        self._connection.change(_SHIPPED, {"for_id": writer_id, "seq": seq})

    def close(self, writer_id: str, at: datetime) -> None:
        """A clean stop: nothing will be added to this chain."""
        self._connection.change(_CLOSE, {"for_id": writer_id, "at": at})
