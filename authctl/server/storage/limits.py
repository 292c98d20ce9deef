"""Counters of rate limits: check and count are one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, text

from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import RateLimit

if TYPE_CHECKING:
    from authctl.server.storage.connection import Connection
    from authctl.server.storage.transaction import Transaction

_limits = table_of(RateLimit)
# A window that has ended starts again at this hit. SQLite and PostgreSQL share this syntax to the letter, and
# SQLAlchemy's two constructs for it would have every command import both dialects.
_HIT = Statement(
    text("""
    INSERT INTO rate_limits (key, count, expires_at) VALUES (:key, :amount, :end_)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN rate_limits.expires_at <= :now THEN :amount ELSE rate_limits.count + :amount END,
      expires_at = CASE WHEN rate_limits.expires_at <= :now THEN :end_ ELSE rate_limits.expires_at END
    RETURNING count, expires_at
    """)
)
_GET = Statement(
    select(_limits.c.count, _limits.c.expires_at).where(
        _limits.c.key == bindparam("key"), _limits.c.expires_at > bindparam("now")
    )
)
_CLEAR = Statement(_limits.delete().where(_limits.c.key == bindparam("key")))
_DELETE_EXPIRED = Statement(
    _limits.delete().where(
        _limits.c.key.in_(
            select(_limits.c.key).where(_limits.c.expires_at <= bindparam("now")).limit(bindparam("most"))
        )
    )
)


class Limits:
    """The table `rate_limits`. Times are seconds since the epoch."""

    __slots__ = ("_connection", "_tx")

    def __init__(self, connection: Connection, tx: Transaction) -> None:
        self._connection = connection
        self._tx = tx

    def hit(self, key: str, amount: int, seconds: float) -> tuple[int, float]:
        """Adds `amount` to the running window, or opens one of `seconds`; the new count and the window's end."""
        now = self._tx.now.timestamp()
        row = self._connection.one(_HIT, {"key": key, "amount": amount, "now": now, "end_": now + seconds})
        return (int(row[0]), float(row[1])) if row else (amount, now + seconds)

    def get(self, key: str) -> tuple[int, float] | None:
        """Count and end of the running window."""
        row = self._connection.one(_GET, {"key": key, "now": self._tx.now.timestamp()})
        return (int(row[0]), float(row[1])) if row else None

    def clear(self, key: str) -> None:
        """Forgets a counter."""
        self._connection.change(_CLEAR, {"key": key})

    def delete_expired(self, limit: int) -> int:
        """Removes up to `limit` windows that have ended; how many."""
        return self._connection.change(_DELETE_EXPIRED, {"now": self._tx.now.timestamp(), "most": limit})
