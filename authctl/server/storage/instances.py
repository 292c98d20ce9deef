"""The one row that says whose database this is, and what reset does to the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from authctl.errors import SchemaMismatch
from authctl.server.storage.rows import make, table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import DATA_TABLES, Instance

if TYPE_CHECKING:
    from authctl.server.storage.connection import Connection
    from authctl.server.storage.transaction import Transaction

FIRST_GENERATION: int = Instance.model_fields["generation"].default
"""The generation of a database that was never reset."""

_instance = table_of(Instance)
_LOAD = Statement(_instance.select())
_ADD = Statement(_instance.insert())
_GENERATION = Statement(select(_instance.c.generation))
_BUMP = Statement(_instance.update().values(generation=_instance.c.generation + 1).returning(_instance.c.generation))
_SET_MAINTENANCE = Statement(_instance.update().values(maintenance=bindparam("on_or_off")))
_EMPTY = tuple(Statement(table_of(model).delete()) for model in DATA_TABLES)


class Instances:
    """The table `instance`."""

    __slots__ = ("_connection", "_tx")

    def __init__(self, connection: Connection, tx: Transaction) -> None:
        self._connection = connection
        self._tx = tx

    def load(self) -> Instance:
        """The row; a database without it was never set up."""
        found = self._connection.model(_LOAD, Instance)
        if found is None:
            raise SchemaMismatch("The database was never set up", hint="run `authctl db upgrade`")
        return found

    def is_set_up(self) -> bool:
        """Whether the row is there."""
        return self._connection.one(_LOAD) is not None

    def add(self, instance_id: str, key_fingerprints: str) -> None:
        """Names a new database, once."""
        row = make(Instance, instance_id=instance_id, key_fingerprints=key_fingerprints, created_at=self._tx.now)
        self._connection.change(_ADD, row.__dict__)

    def generation(self) -> int:
        """The generation alone, for the check at the start of each batch."""
        return int(self._connection.scalar(_GENERATION) or 0)

    def bump_generation(self) -> int:
        """Starts a new generation; its number."""
        return int(self._connection.scalar(_BUMP))

    def set_maintenance(self, on: bool) -> None:
        """Lets this transaction change audit rows; off again before the transaction ends."""
        self._connection.change(_SET_MAINTENANCE, {"on_or_off": int(on)})

    def empty_all_data(self) -> None:
        """Deletes every row of every data table; schema version and this row stay."""
        self.set_maintenance(True)
        for statement in _EMPTY:
            self._connection.change(statement)
        self.set_maintenance(False)
