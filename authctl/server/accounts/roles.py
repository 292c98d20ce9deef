"""Roles: nobody gives one to themselves; an operator does, on the host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from authctl.errors import Refused
from authctl.server.accounts import account_events
from authctl.server.accounts.administration import as_changed, refuse_last_admin, user_with
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction

USER = "user"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A user, and their role before and after; `changed` is False when they had it already."""

    user: User
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether anything happened, and left an event."""
        return self.before != self.after


class Roles:
    """Changes roles, each with its event in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def promote(self, email: str, caller: Caller) -> RoleChange:
        """Makes a user an admin, from their next login on (D-8). Raises NotFound."""
        return await self._database.write(partial(_promote, typed=email, caller=caller))

    async def demote(self, email: str, caller: Caller, *, allow_no_admin: bool = False) -> RoleChange:
        """Makes an admin a user, from their next request on. Raises NotFound, and Refused for the last admin."""
        unit = partial(_demote, typed=email, caller=caller, allow_no_admin=allow_no_admin)
        outcome = await self._database.write(unit)
        if isinstance(outcome, Refused):
            raise outcome
        return outcome


def _promote(tx: Transaction, *, typed: str, caller: Caller) -> RoleChange:
    return _change(tx, user_with(tx, typed), ADMIN, caller)


def _demote(tx: Transaction, *, typed: str, caller: Caller, allow_no_admin: bool) -> RoleChange | Refused:
    user = user_with(tx, typed)
    if not allow_no_admin and (
        refused := refuse_last_admin(tx, user, EventType.ROLE_CHANGE, _words(ADMIN, USER), caller)
    ):
        return refused
    return _change(tx, user, USER, caller)


def _change(tx: Transaction, user: User, role: str, caller: Caller) -> RoleChange:
    before = user.role
    if before != role:
        tx.users.set_role(user.id, role)
        record(tx, account_events.changed(EventType.ROLE_CHANGE, user, _words(before, role), caller))
    return RoleChange(as_changed(user, role=role), before, role)


def _words(before: str, after: str) -> str:
    return f"changed from {before} to {after}"
