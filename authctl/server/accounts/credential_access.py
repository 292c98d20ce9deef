"""Who may manage whose passkeys: oneself and admins, for what changes how an account is got into soon after a login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.errors import AccessDenied, LoginTooOld, NotFound
from authctl.server.accounts import credential_events
from authctl.server.accounts.access import Rejected, identify, is_identifier, target_of
from authctl.server.accounts.account_events import Reason
from authctl.server.accounts.credential_events import Attempt
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from authctl.server.accounts.access import Identity, Refusal
    from authctl.server.audit.events import Caller
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction
    from authctl.server.tokens.verifying import Claims

MOST_CREDENTIALS: Final = 20
"""Passkeys that one account may have at a time."""

BEGIN: Final = Attempt(EventType.CREDENTIAL_BEGIN, "add a passkey", needs_fresh_login=True)
ADD: Final = Attempt(EventType.CREDENTIAL_ADDED, "add a passkey", needs_fresh_login=True)
RENAME: Final = Attempt(EventType.CREDENTIAL_RENAMED, "rename a passkey")
REMOVE: Final = Attempt(EventType.CREDENTIAL_REMOVED, "remove a passkey", needs_fresh_login=True)
LOOK: Final = Attempt(EventType.USER_ACCESS, "see the passkeys")


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who may do what they asked for, and whose passkeys it is about."""

    identity: Identity
    owner: User


def admit(
    tx: Transaction, claims: Claims | Rejected, user_id: str | None, attempt: Attempt, caller: Caller
) -> Admitted | Refusal | LoginTooOld:
    """Lets somebody manage the passkeys of the user with this id, or their own; else the refusal, with its event.

    An account whose passkeys are to be changed stays as it is until the transaction ends.
    """
    if attempt is not LOOK:
        _hold(tx, claims, user_id)
    identity = identify(tx, claims)
    if isinstance(identity, Rejected):
        record(tx, credential_events.rejected(identity, attempt, user_id, caller))
        return identity.error
    target_id = identity.user.id if user_id is None else user_id
    owner = target_of(tx, identity, target_id)
    if isinstance(owner, AccessDenied | NotFound):
        record(tx, credential_events.denied(identity, owner, attempt, target_id, caller))
        return owner
    if attempt.needs_fresh_login and not identity.is_fresh(tx.now):
        record(tx, credential_events.refused(identity, owner, attempt, Reason.LOGIN_TOO_OLD, caller))
        return LoginTooOld()
    return Admitted(identity, owner)


def _hold(tx: Transaction, claims: Claims | Rejected, user_id: str | None) -> None:
    """Before anything is read, so that what is read is what holds when the change is made."""
    if isinstance(claims, Rejected):
        return
    if user_id in {None, claims.subject}:
        tx.users.hold(claims.subject)
    elif claims.role == "admin" and is_identifier(str(user_id)):
        tx.users.hold(str(user_id))
