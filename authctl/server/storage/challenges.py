"""Outstanding challenges: each is taken once, by the statement that deletes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import Challenge

if TYPE_CHECKING:
    from authctl.server.storage.connection import Connection
    from authctl.server.storage.transaction import Transaction

_challenges = table_of(Challenge)
_ADD = Statement(_challenges.insert())
_TAKE = Statement(_challenges.delete().where(_challenges.c.id == bindparam("id")).returning(*_challenges.c))
_COUNT_OF_SOURCE = Statement(
    select(func.count()).select_from(
        select(_challenges.c.id)
        .where(_challenges.c.source == bindparam("source"), _challenges.c.expires_at > bindparam("now"))
        .limit(bindparam("most"))
        .subquery()
    )
)
_COUNT = Statement(select(func.count()).select_from(_challenges))
_DELETE_EXPIRED = Statement(
    _challenges.delete().where(
        _challenges.c.id.in_(
            select(_challenges.c.id).where(_challenges.c.expires_at <= bindparam("now")).limit(bindparam("most"))
        )
    )
)


class Challenges:
    """The table `challenges`."""

    __slots__ = ("_connection", "_tx")

    def __init__(self, connection: Connection, tx: Transaction) -> None:
        self._connection = connection
        self._tx = tx

    def add(self, challenge: Challenge) -> None:
        """Keeps a ceremony that was begun."""
        self._connection.change(_ADD, challenge.__dict__)

    def take(self, challenge_id: bytes) -> Challenge | None:
        """Removes and returns it: of any number of callers, one gets it. Purpose and age are the caller's to judge."""
        return self._connection.model(_TAKE, Challenge, {"id": challenge_id})

    def count_of_source(self, source: str, limit: int) -> int:
        """How many unexpired ones a source has outstanding, counted up to `limit`."""
        params = {"source": source, "now": self._tx.now, "most": limit}
        return int(self._connection.scalar(_COUNT_OF_SOURCE, params))

    def count(self) -> int:
        """How many rows there are, expired ones included."""
        return int(self._connection.scalar(_COUNT))

    def delete_expired(self, limit: int) -> int:
        """Removes up to `limit` expired ones; how many."""
        return self._connection.change(_DELETE_EXPIRED, {"now": self._tx.now, "most": limit})
