"""Public key credentials and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, or_, select

from authctl.server.storage.connection import names_of
from authctl.server.storage.rows import hydrate, table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import User, WebauthnCredential

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.storage.connection import Connection

_credentials = table_of(WebauthnCredential)
_users = table_of(User)
# The lock makes whoever disables the user wait for a login under way, and then end its session too.
_WITH_OWNER = Statement(
    select(*_credentials.c, *_users.c)
    .join_from(_credentials, _users, _credentials.c.user_id == _users.c.id)
    .where(_credentials.c.credential_id == bindparam("credential_id"))
    .with_for_update(read=True, of=_users)
)
_IDS_OF_EMAIL = Statement(
    select(_credentials.c.credential_id)
    .join_from(_credentials, _users, _credentials.c.user_id == _users.c.id)
    .where(_users.c.email == bindparam("email"), _credentials.c.removed_at.is_(None))
    .order_by(_credentials.c.created_at, _credentials.c.id)
)
_OF_USER = Statement(
    _credentials.select()
    .where(_credentials.c.user_id == bindparam("user_id"))
    .order_by(_credentials.c.created_at, _credentials.c.id)
)
_LIVE_OF_USER = Statement(
    _credentials.select()
    .where(_credentials.c.user_id == bindparam("user_id"), _credentials.c.removed_at.is_(None))
    .order_by(_credentials.c.created_at, _credentials.c.id)
)
_ADD = Statement(_credentials.insert())
_RENAME = Statement(_credentials.update().where(_credentials.c.id == bindparam("for_id")).values(name=bindparam("to")))
_REMOVE = Statement(
    _credentials.update()
    .where(_credentials.c.id == bindparam("for_id"), _credentials.c.removed_at.is_(None))
    .values(removed_at=bindparam("at"))
)
_IS_REMOVED = Statement(
    select(_credentials.c.id).where(_credentials.c.id == bindparam("id"), _credentials.c.removed_at.is_not(None))
)
_RECORD_USE = Statement(
    _credentials.update()
    .where(
        _credentials.c.id == bindparam("for_id"),
        _credentials.c.removed_at.is_(None),
        or_(
            _credentials.c.sign_count < bindparam("new_count"),
            and_(_credentials.c.sign_count == 0, bindparam("new_count") == 0),
        ),
    )
    .values(
        sign_count=bindparam("new_count"),
        backup_state=bindparam("new_backup_state"),
        user_verified=bindparam("new_user_verified"),
        last_used_at=bindparam("at"),
    )
)
_DELETE_OF_USER = Statement(_credentials.delete().where(_credentials.c.user_id == bindparam("user_id")))
_WIDTH = len(_credentials.c)


class Credentials:
    """The table `webauthn_credentials`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def with_owner(self, credential_id: bytes) -> tuple[WebauthnCredential, User] | None:
        """The credential with this id, removed as it may be, and its user.

        The user stays as they are until the transaction ends. Not for reading units.
        """
        row = self._connection.one(_WITH_OWNER, {"credential_id": credential_id})
        if row is None:
            return None
        credential = hydrate(WebauthnCredential, names_of(WebauthnCredential), row[:_WIDTH])
        return credential, hydrate(User, names_of(User), row[_WIDTH:])

    def ids_of_email(self, email: str) -> list[bytes]:
        """The ids of the credentials that the user with this e-mail can log in with; none for an unknown one."""
        return [bytes(row[0]) for row in self._connection.tuples(_IDS_OF_EMAIL, {"email": email})]

    def of_user(self, user_id: str) -> list[WebauthnCredential]:
        """All credentials of a user, also those that were removed, oldest first."""
        return self._connection.models(_OF_USER, WebauthnCredential, {"user_id": user_id})

    def live_of_user(self, user_id: str) -> list[WebauthnCredential]:
        """The credentials that a user can log in with, oldest first."""
        return self._connection.models(_LIVE_OF_USER, WebauthnCredential, {"user_id": user_id})

    def add(self, credential: WebauthnCredential) -> None:
        """Raises AlreadyExists("webauthn_credentials.credential_id") when the id is taken, by whomever."""
        self._connection.change(_ADD, credential.__dict__)

    def rename(self, row_id: str, name: str) -> None:
        """Calls a credential something else."""
        self._connection.change(_RENAME, {"for_id": row_id, "to": name})

    def remove(self, row_id: str, at: datetime) -> bool:
        """Ends a credential, which stays as a record; False when that had happened before."""
        return self._connection.change(_REMOVE, {"for_id": row_id, "at": at}) == 1

    def is_removed(self, row_id: str) -> bool:
        """Whether a credential has ended, as of now: it may have since it was read."""
        return self._connection.one(_IS_REMOVED, {"id": row_id}) is not None

    def record_use(
        self, row_id: str, *, sign_count: int, backup_state: bool, user_verified: bool, at: datetime
    ) -> bool:
        """Stores the new count if it has grown, or is 0 and always was (section 7.2).

        False means that it has not, or that the credential was removed meanwhile.
        """
        params = {
            "for_id": row_id,
            "new_count": sign_count,
            "new_backup_state": backup_state,
            "new_user_verified": user_verified,
            "at": at,
        }
        return self._connection.change(_RECORD_USE, params) == 1

    def delete_of_user(self, user_id: str) -> int:
        """Deletes all credentials of a user, records of removed ones too; how many there were."""
        return self._connection.change(_DELETE_OF_USER, {"user_id": user_id})
