"""What the audit trail is told about accounts: who looked at whom, who changed what, and from where."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from authctl.errors import AccessDenied, NotAuthenticated, NotFound
from authctl.server.audit.events import Event, EventType, origin_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.accounts.access import Identity, Rejected
    from authctl.server.accounts.rejections import Flood
    from authctl.server.audit.erasure import Subject
    from authctl.server.audit.events import Caller, ChainRange
    from authctl.server.storage.tables import User


class Reason(StrEnum):
    """Why an access or a change was refused, in words for machines; those of tokens have a list of their own."""

    NOT_AUTHENTICATED = "not_authenticated"
    ACCESS_DENIED = "access_denied"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_CREDENTIAL = "unknown_credential"
    LAST_ADMIN = "last_admin"
    LOGIN_TOO_OLD = "login_too_old"
    LAST_CREDENTIAL = "last_credential"
    COUNTED = "counted"
    TOOK_TOO_LONG = "took_too_long"


def name_of(user: User) -> str:
    """A person in a sentence."""
    return f"{user.first_name} {user.last_name}"


def accessed(identity: Identity, target: User, caller: Caller) -> Event:
    """A record was shown (R-AZ-07)."""
    user = identity.user
    return Event(
        EventType.USER_ACCESS,
        True,
        caller,
        f"User {name_of(target)} accessed by {name_of(user)} (role: {identity.role}) {origin_of(caller)}",
        user_email=user.email,
        user_id=user.id,
        target_user_id=target.id,
        actor=user.id,
    )


def refused(identity: Identity, error: AccessDenied | NotFound, target_id: str, caller: Caller) -> Event:
    """A signed-in user asked for what they may not see, or an admin for what is not there."""
    user = identity.user
    if isinstance(error, AccessDenied):
        reason = Reason.ACCESS_DENIED
        details = (
            f"Authorization failed: User {user.email} (role: {identity.role}) attempted to access "
            f"user {target_id}'s data {origin_of(caller)}"
        )
    else:
        reason = Reason.UNKNOWN_USER
        who = f"{name_of(user)} (role: {identity.role})"
        details = f"User {target_id} does not exist, asked for by {who} {origin_of(caller)}"
    return Event(
        EventType.USER_ACCESS,
        False,
        caller,
        details,
        reason=reason,
        user_email=user.email,
        user_id=user.id,
        target_user_id=target_id,
        actor=user.id,
    )


def flooded(flood: Flood) -> Event:
    """Many requests without a usable token, of which these were only counted (R-RL-08)."""
    details = f"{flood.count} more requests without a usable token {origin_of(flood.caller)} within a minute"
    return Event(EventType.TOKEN_REJECTED, False, flood.caller, details, reason=Reason.COUNTED)


def rejected(rejection: Rejected, target_id: str | None, caller: Caller) -> Event:
    """Nobody is signed in: there was no token, or one that is worth nothing."""
    asked_for = "their own data" if target_id is None else f"user {target_id}'s data"
    if isinstance(rejection.error, NotAuthenticated):
        details = f"Authorization failed: a caller without token attempted to access {asked_for} {origin_of(caller)}"
        return Event(
            EventType.USER_ACCESS, False, caller, details, reason=Reason.NOT_AUTHENTICATED, target_user_id=target_id
        )
    words = rejection.error.reason.replace("_", " ")
    user = rejection.user
    return Event(
        EventType.TOKEN_REJECTED,
        False,
        caller,
        f"Access token for {asked_for} rejected {origin_of(caller)}: {words}",
        reason=rejection.error.reason,
        user_email=user.email if user else None,
        user_id=user.id if user else None,
        target_user_id=target_id,
    )


def changed(event_type: EventType, user: User, what: str, caller: Caller) -> Event:
    """An operator did something to an account: "User Jane Doe disabled by os:root(0) from the command line"."""
    return Event(event_type, True, caller, _sentence(user, what, caller), user_email=user.email, user_id=user.id)


def change_refused(event_type: EventType, user: User, what: str, reason: Reason, caller: Caller) -> Event:
    """An operator wanted something that is refused."""
    details = f"{_sentence(user, what, caller)}: refused, {reason.replace('_', ' ')}"
    return Event(event_type, False, caller, details, reason=reason, user_email=user.email, user_id=user.id)


def former_exported(subject: Subject, what: str, caller: Caller) -> Event:
    """What is held about somebody who has no account any more was given out."""
    details = f"Data of a former user {what} by {caller.actor or 'somebody'} {origin_of(caller)}"
    return Event(
        EventType.USER_EXPORT,
        True,
        caller,
        details,
        user_email=subject.email or None,
        user_id=subject.ids[0] if subject.ids else None,
    )


def erased(ids: Sequence[str], what: str, ranges: tuple[ChainRange, ...], caller: Caller) -> Event:
    """A person was erased, or a part of what the trail says of them: named by nothing but an id."""
    details = f"Personal data of a user erased by {caller.actor or 'somebody'} {origin_of(caller)}: {what}"
    if len(ids) > 1:
        details += f"; the user had the ids {', '.join(ids)}"
    return Event(EventType.USER_ERASED, True, caller, details, user_id=ids[0] if ids else None, ranges=ranges)


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 session", "2 sessions"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sentence(user: User, what: str, caller: Caller) -> str:
    return f"User {name_of(user)} {what} by {caller.actor or 'somebody'} {origin_of(caller)}"
