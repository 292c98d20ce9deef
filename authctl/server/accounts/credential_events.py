"""What the audit trail is told about passkeys: who added, renamed or removed which, of whom, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.errors import AccessDenied, NotAuthenticated, NotFound
from authctl.server.accounts.account_events import Reason, counted, name_of
from authctl.server.audit.events import Event, EventType, origin_of

if TYPE_CHECKING:
    from authctl.server.accounts.access import Identity, Rejected
    from authctl.server.audit.events import Caller
    from authctl.server.storage.tables import User, WebauthnCredential


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that is wanted with passkeys: the event that tells of it, and its words after "attempted to"."""

    event_type: EventType
    words: str
    needs_fresh_login: bool = False


def seen(identity: Identity, owner: User, caller: Caller) -> Event:
    """The list was shown (R-AZ-07)."""
    user = identity.user
    return Event(
        EventType.USER_ACCESS,
        True,
        caller,
        f"Passkeys of user {name_of(owner)} accessed by {_who(identity)} {origin_of(caller)}",
        user_email=user.email,
        user_id=user.id,
        target_user_id=owner.id,
        actor=user.id,
    )


def added(credential: WebauthnCredential, owner: User, caller: Caller) -> Event:
    """A user has one more."""
    details = f"{_passkey(credential)} added by user {name_of(owner)} {origin_of(caller)}"
    return _about(EventType.CREDENTIAL_ADDED, True, owner, owner, details, caller)


def renamed(credential: WebauthnCredential, name: str, owner: User, identity: Identity, caller: Caller) -> Event:
    """One is called something else now."""
    what = f"{_passkey(credential)} of user {name_of(owner)} renamed to {_quoted(name)}"
    details = f"{what} by {_who(identity)} {origin_of(caller)}"
    return _about(EventType.CREDENTIAL_RENAMED, True, owner, identity.user, details, caller)


def removed(
    credential: WebauthnCredential, sessions: int, owner: User, identity: Identity | None, caller: Caller
) -> Event:
    """One lets nobody in any more. Without an identity an operator did it."""
    what = f"{_passkey(credential)} of user {name_of(owner)} removed with {counted(sessions, 'session')}"
    details = f"{what} by {_who(identity, caller)} {origin_of(caller)}"
    return _about(EventType.CREDENTIAL_REMOVED, True, owner, _user(identity), details, caller)


def refused(
    identity: Identity | None, owner: User, attempt: Attempt, reason: str, caller: Caller, which: str = ""
) -> Event:
    """Somebody who may manage these passkeys wanted what cannot be; `which` is the id that they named."""
    named = f" ({which})" if which else ""
    what = f"Attempt of {_who(identity, caller)} to {attempt.words}{named} of user {name_of(owner)}"
    details = f"{what} refused {origin_of(caller)}: {reason.replace('_', ' ')}"
    return _about(attempt.event_type, False, owner, _user(identity), details, caller, reason)


def denied(
    identity: Identity, error: AccessDenied | NotFound, attempt: Attempt, target_id: str, caller: Caller
) -> Event:
    """A signed-in user wanted something with the passkeys of others, or an admin with those of nobody."""
    user = identity.user
    if isinstance(error, AccessDenied):
        reason = Reason.ACCESS_DENIED
        who = f"User {user.email} (role: {identity.role})"
        details = f"Authorization failed: {who} attempted to {attempt.words} of user {target_id} {origin_of(caller)}"
    else:
        reason = Reason.UNKNOWN_USER
        details = f"User {target_id} does not exist: {_who(identity)} attempted to {attempt.words} {origin_of(caller)}"
    return Event(
        attempt.event_type,
        False,
        caller,
        details,
        reason=reason,
        user_email=user.email,
        user_id=user.id,
        target_user_id=target_id,
        actor=user.id,
    )


def rejected(rejection: Rejected, attempt: Attempt, target_id: str | None, caller: Caller) -> Event:
    """Nobody is signed in: there was no token, or one that is worth nothing."""
    what = attempt.words if target_id is None else f"{attempt.words} of user {target_id}"
    if isinstance(rejection.error, NotAuthenticated):
        details = f"Authorization failed: a caller without token attempted to {what} {origin_of(caller)}"
        reason = Reason.NOT_AUTHENTICATED
        return Event(attempt.event_type, False, caller, details, reason=reason, target_user_id=target_id)
    user = rejection.user
    return Event(
        EventType.TOKEN_REJECTED,
        False,
        caller,
        f"Access token to {what} rejected {origin_of(caller)}: {rejection.error.reason.replace('_', ' ')}",
        reason=rejection.error.reason,
        user_email=user.email if user else None,
        user_id=user.id if user else None,
        target_user_id=target_id,
    )


def _about(
    event_type: EventType,
    success: bool,
    owner: User,
    acting: User | None,
    details: str,
    caller: Caller,
    reason: str | None = None,
) -> Event:
    """`user_...` is the owner; whoever else acts stands as the other party too, so that an erasure finds the row."""
    return Event(
        event_type,
        success,
        caller,
        details,
        reason=reason,
        user_email=owner.email,
        user_id=owner.id,
        target_user_id=acting.id if acting is not None and acting.id != owner.id else None,
        actor=None if acting is None else acting.id,
    )


def _user(identity: Identity | None) -> User | None:
    return None if identity is None else identity.user


def _who(identity: Identity | None, caller: Caller | None = None) -> str:
    if identity is not None:
        return f"{name_of(identity.user)} (role: {identity.role})"
    return (caller and caller.actor) or "somebody"


def _passkey(credential: WebauthnCredential) -> str:
    return f"Passkey {_quoted(credential.name)} ({credential.id})"


def _quoted(name: str) -> str:
    """Its owner chose the name, perhaps to look like the rest of a sentence: it cannot leave its quotation marks."""
    return '"' + name.replace('"', "'") + '"'
