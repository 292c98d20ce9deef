"""Login sessions: a token is worth what its session is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from authctl.server.storage.connection import names_of
from authctl.server.storage.rows import hydrate, table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import LoginSession, User

if TYPE_CHECKING:
    from authctl.server.storage.connection import Connection
    from authctl.server.storage.transaction import Transaction

_sessions = table_of(LoginSession)
_users = table_of(User)
_ADD = Statement(_sessions.insert())
_WITH_USER = Statement(
    select(*_sessions.c, *_users.c)
    .join_from(_sessions, _users, _sessions.c.user_id == _users.c.id)
    .where(_sessions.c.id == bindparam("id"))
)
_OF_USER = Statement(
    _sessions.select()
    .where(_sessions.c.user_id == bindparam("user_id"))
    .order_by(_sessions.c.created_at, _sessions.c.id)
)
_END = Statement(
    _sessions.update()
    .where(_sessions.c.id == bindparam("for_id"), _sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), ended_reason=bindparam("why"))
)
_END_ALL = Statement(
    _sessions.update()
    .where(
        _sessions.c.user_id == bindparam("for_user"),
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > bindparam("now"),
    )
    .values(ended_at=bindparam("now"), ended_reason=bindparam("why"))
)
_END_ALL_OF_CREDENTIAL = Statement(
    _sessions.update()
    .where(
        _sessions.c.user_id == bindparam("for_user"),
        _sessions.c.credential_id == bindparam("by_credential"),
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > bindparam("now"),
    )
    .values(ended_at=bindparam("now"), ended_reason=bindparam("why"))
)
_DELETE_EXPIRED = Statement(
    _sessions.delete().where(
        _sessions.c.id.in_(
            select(_sessions.c.id).where(_sessions.c.expires_at <= bindparam("now")).limit(bindparam("most"))
        )
    )
)
_WIDTH = len(_sessions.c)


class Sessions:
    """The table `login_sessions`."""

    __slots__ = ("_connection", "_tx")

    def __init__(self, connection: Connection, tx: Transaction) -> None:
        self._connection = connection
        self._tx = tx

    def add(self, session: LoginSession) -> None:
        """Opens a session."""
        self._connection.change(_ADD, session.__dict__)

    def with_user(self, session_id: str) -> tuple[LoginSession, User] | None:
        """The session, ended or expired as it may be, and its user."""
        row = self._connection.one(_WITH_USER, {"id": session_id})
        if row is None:
            return None
        session = hydrate(LoginSession, names_of(LoginSession), row[:_WIDTH])
        return session, hydrate(User, names_of(User), row[_WIDTH:])

    def of_user(self, user_id: str) -> list[LoginSession]:
        """All sessions of a user that are still kept, oldest first."""
        return self._connection.models(_OF_USER, LoginSession, {"user_id": user_id})

    def end(self, session_id: str, reason: str) -> bool:
        """Ends a session; False when there is none or it had ended before."""
        return self._connection.change(_END, {"for_id": session_id, "now": self._tx.now, "why": reason}) == 1

    def end_all_of_user(self, user_id: str, reason: str) -> int:
        """Ends every live session of a user; how many there were."""
        return self._connection.change(_END_ALL, {"for_user": user_id, "now": self._tx.now, "why": reason})

    def end_all_of_credential(self, user_id: str, credential_row_id: str, reason: str) -> int:
        """Ends every live session that a user opened with one of their credentials; how many there were."""
        params = {"for_user": user_id, "by_credential": credential_row_id, "now": self._tx.now, "why": reason}
        return self._connection.change(_END_ALL_OF_CREDENTIAL, params)

    def delete_expired(self, limit: int) -> int:
        """Removes up to `limit` sessions whose tokens have expired; how many."""
        return self._connection.change(_DELETE_EXPIRED, {"now": self._tx.now, "most": limit})
