"""What operators do to accounts: each change, its event and the check that it is allowed are one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.errors import NotFound, Refused
from authctl.server.accounts import account_events
from authctl.server.accounts.account_events import Reason, counted
from authctl.server.accounts.normalising import email_to_look_up
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record
from authctl.server.storage.rows import make
from authctl.server.storage.tables import User

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller
    from authctl.server.storage.transaction import Transaction

ENDED_BY_OPERATOR = "revoked"
ENDED_BY_DISABLING = "user_disabled"


def user_with(tx: Transaction, typed: str) -> User:
    """The user with an e-mail as somebody typed it. Raises NotFound."""
    user = tx.users.by_email(email_to_look_up(typed))
    if user is None:
        raise NotFound(f"No user has the e-mail {typed}", hint="authctl users list shows all of them")
    return user


def as_changed(user: User, **changes: Any) -> User:
    """The row as it is after a change; rows from the database are for reading only."""
    return make(User, **{name: getattr(user, name) for name in User.model_fields} | changes)


def refuse_last_admin(tx: Transaction, user: User, event_type: EventType, what: str, caller: Caller) -> Refused | None:
    """R-CL-04: the refusal, with its event, when nobody who can act would be left as admin."""
    if user.role != "admin" or user.disabled_at is not None or tx.users.count_admins() > 1:
        return None
    record(tx, account_events.change_refused(event_type, user, what, Reason.LAST_ADMIN, caller))
    return Refused(f"{user.email} is the last admin", hint="promote somebody else first, or add --allow-no-admin")


def disable(tx: Transaction, typed: str, caller: Caller, *, allow_no_admin: bool) -> User | Refused:
    """Locks a user out; nothing happens when they are."""
    user = user_with(tx, typed)
    if user.disabled_at is not None:
        return user
    if not allow_no_admin and (refused := refuse_last_admin(tx, user, EventType.USER_DISABLED, "disabled", caller)):
        return refused
    tx.users.set_disabled(user.id, tx.now)
    ended = tx.sessions.end_all_of_user(user.id, ENDED_BY_DISABLING)
    what = f"disabled, {counted(ended, 'session')} ended,"
    record(tx, account_events.changed(EventType.USER_DISABLED, user, what, caller))
    return as_changed(user, disabled_at=tx.now)


def enable(tx: Transaction, typed: str, caller: Caller) -> User:
    """Lets a disabled user in again; nothing happens when they are not."""
    user = user_with(tx, typed)
    if user.disabled_at is None:
        return user
    tx.users.set_disabled(user.id, None)
    record(tx, account_events.changed(EventType.USER_ENABLED, user, "enabled", caller))
    return as_changed(user, disabled_at=None)


def end_sessions(tx: Transaction, typed: str, caller: Caller) -> int:
    """Ends every live session of a user; how many there were."""
    user = user_with(tx, typed)
    ended = tx.sessions.end_all_of_user(user.id, ENDED_BY_OPERATOR)
    if ended:
        what = f"logged out of {counted(ended, 'session')}"
        record(tx, account_events.changed(EventType.SESSION_REVOKED, user, what, caller))
    return ended


def delete(tx: Transaction, typed: str, caller: Caller, *, allow_no_admin: bool) -> User | Refused:
    """Removes the account with its credentials and sessions; the trail stays."""
    user = user_with(tx, typed)
    if not allow_no_admin and (refused := refuse_last_admin(tx, user, EventType.USER_DELETED, "deleted", caller)):
        return refused
    sessions = len(tx.sessions.of_user(user.id))
    credentials = tx.credentials.delete_of_user(user.id)
    tx.users.delete(user.id)
    what = f"deleted with {counted(credentials, 'credential')} and {counted(sessions, 'session')}"
    record(tx, account_events.changed(EventType.USER_DELETED, user, what, caller))
    return user
