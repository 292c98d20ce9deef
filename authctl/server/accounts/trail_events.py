"""What the audit trail is told about itself: who asked it over HTTP, for what, and how much they were shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.errors import NotAuthenticated
from authctl.server.accounts.account_events import Reason, name_of
from authctl.server.audit.events import Event, EventType, origin_of

if TYPE_CHECKING:
    from authctl.server.accounts.access import Identity, Rejected
    from authctl.server.audit.events import Caller

INVALID: Final = "invalid_request"


def asked(identity: Identity, words: str, shown: str, concerned: str | None, caller: Caller) -> Event:
    """An admin was shown events (R-LG-10); `words` are the filter, `concerned` is the id of whom it names."""
    user = identity.user
    who = f"{name_of(user)} (role: {identity.role})"
    details = f"Audit trail read by {who} {origin_of(caller)}: {shown} for {words}"
    return _by(identity, True, details, caller, target_user_id=concerned)


def failed(identity: Identity, reason: str, what: str, caller: Caller) -> Event:
    """An admin's question was not answered."""
    who = f"{name_of(identity.user)} (role: {identity.role})"
    return _by(identity, False, f"Question to the audit trail by {who} {origin_of(caller)} {what}", caller, reason)


def denied(identity: Identity, caller: Caller) -> Event:
    """A signed-in user who is no admin asked."""
    details = (
        f"Authorization failed: User {identity.user.email} (role: {identity.role}) attempted to read "
        f"the audit trail {origin_of(caller)}"
    )
    return _by(identity, False, details, caller, Reason.ACCESS_DENIED)


def rejected(rejection: Rejected, caller: Caller) -> Event:
    """Nobody is signed in: there was no token, or one that is worth nothing."""
    if isinstance(rejection.error, NotAuthenticated):
        details = f"Authorization failed: a caller without token attempted to read the audit trail {origin_of(caller)}"
        return Event(EventType.AUDIT_QUERY, False, caller, details, reason=Reason.NOT_AUTHENTICATED)
    user = rejection.user
    return Event(
        EventType.TOKEN_REJECTED,
        False,
        caller,
        f"Access token for the audit trail rejected {origin_of(caller)}: {rejection.error.reason.replace('_', ' ')}",
        reason=rejection.error.reason,
        user_email=user.email if user else None,
        user_id=user.id if user else None,
    )


def _by(
    identity: Identity,
    success: bool,
    details: str,
    caller: Caller,
    reason: str | None = None,
    *,
    target_user_id: str | None = None,
) -> Event:
    user = identity.user
    return Event(
        EventType.AUDIT_QUERY,
        success,
        caller,
        details,
        reason=reason,
        user_email=user.email,
        user_id=user.id,
        target_user_id=target_user_id,
        actor=user.id,
    )
