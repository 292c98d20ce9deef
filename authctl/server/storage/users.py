"""Users: who has an account, under which role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import User

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.storage.connection import Connection

_users = table_of(User)
_BY_ID = Statement(_users.select().where(_users.c.id == bindparam("id")))
_BY_EMAIL = Statement(_users.select().where(_users.c.email == bindparam("email")))
_ALL = Statement(_users.select().order_by(_users.c.created_at, _users.c.id))
_ADD = Statement(_users.insert())
_SET_ROLE = Statement(_users.update().where(_users.c.id == bindparam("for_id")).values(role=bindparam("new_role")))
_SET_DISABLED = Statement(
    _users.update().where(_users.c.id == bindparam("for_id")).values(disabled_at=bindparam("new_disabled_at"))
)
_DELETE = Statement(_users.delete().where(_users.c.id == bindparam("id")))
# The lock makes those who change what hangs on an account, its credentials for one, do so one after the other.
_HOLD = Statement(_users.select().where(_users.c.id == bindparam("id")).with_for_update(key_share=True))
# The lock keeps two operators from taking each other's role away at the same moment; SQLite has one writer anyway.
_ADMINS = Statement(
    select(_users.c.id)
    .where(_users.c.role == "admin", _users.c.disabled_at.is_(None))
    .order_by(_users.c.id)
    .with_for_update()
)


class Users:
    """The table `users`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_id(self, user_id: str) -> User | None:
        """The user with this id."""
        return self._connection.model(_BY_ID, User, {"id": user_id})

    def by_email(self, email: str) -> User | None:
        """The user with this normalised e-mail."""
        return self._connection.model(_BY_EMAIL, User, {"email": email})

    def hold(self, user_id: str) -> User | None:
        """The user with this id, whom nobody else changes, or logs in as, before this transaction ends.

        Not for reading units.
        """
        return self._connection.model(_HOLD, User, {"id": user_id})

    def all(self) -> list[User]:
        """Everyone, in the order of registration."""
        return self._connection.models(_ALL, User)

    def add(self, user: User) -> None:
        """Raises AlreadyExists("users.email") when the e-mail is taken."""
        self._connection.change(_ADD, user.__dict__)

    def set_role(self, user_id: str, role: str) -> None:
        """Gives a user the role "user" or "admin"."""
        self._connection.change(_SET_ROLE, {"for_id": user_id, "new_role": role})

    def set_disabled(self, user_id: str, at: datetime | None) -> None:
        """Disables a user since `at`, or enables them again with None."""
        self._connection.change(_SET_DISABLED, {"for_id": user_id, "new_disabled_at": at})

    def delete(self, user_id: str) -> None:
        """Removes the row; credentials and sessions go with it."""
        self._connection.change(_DELETE, {"id": user_id})

    def count_admins(self) -> int:
        """How many admins could act now; none of them changes before this transaction ends. Not for reading units."""
        return len(self._connection.tuples(_ADMINS))
