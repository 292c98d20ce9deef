"""Who is asking, and under which role: what the token claims and what the database says now have to agree (D-8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.errors import AccessDenied, NotAuthenticated, NotFound, TokenRejected
from authctl.server.tokens.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.accounts.rejections import Rejections
    from authctl.server.audit.events import Caller
    from authctl.server.storage.tables import LoginSession, User
    from authctl.server.storage.transaction import Transaction
    from authctl.server.tokens.verifying import Claims, Verifier

LONGEST_SINCE_LOGIN: Final = 300
"""Seconds: how old a login may be for what changes how an account is got into (R-WA-23)."""

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Refusal = NotAuthenticated | TokenRejected | AccessDenied | NotFound


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user; `role` is the one in force, for this request."""

    user: User
    session: LoginSession
    role: str

    @property
    def is_admin(self) -> bool:
        """Whether other users' data may be seen."""
        return self.role == "admin"

    def is_fresh(self, now: datetime) -> bool:
        """Whether the login is recent enough for what changes how an account is got into."""
        return (now - self.session.created_at).total_seconds() <= LONGEST_SINCE_LOGIN


@dataclass(frozen=True, slots=True)
class Rejected:
    """A token that is refused, and whose it is as far as that is certain."""

    error: NotAuthenticated | TokenRejected
    user: User | None = None


def read_bearer(verifier: Verifier, bearer: str | None) -> Claims | Rejected:
    """The claims of a request's token, before the database is asked."""
    if bearer is None:
        return Rejected(NotAuthenticated())
    try:
        return verifier.verify(bearer)
    except TokenRejected as error:
        return Rejected(error)


def read_or_count(verifier: Verifier, rejections: Rejections, bearer: str | None, caller: Caller) -> Claims | Rejected:
    """The same; a rejection in a flood of them is counted and raised, the others are for the caller to write down."""
    claims = read_bearer(verifier, bearer)
    if isinstance(claims, Rejected) and not rejections.is_to_be_written(caller):
        raise claims.error
    return claims


def identify(tx: Transaction, claims: Claims | Rejected) -> Identity | Rejected:
    """The user whose session the token names, in one query (D-9); a session that ended carries no token any more."""
    if isinstance(claims, Rejected):
        return claims
    found = tx.sessions.with_user(claims.session_id)
    if found is None:
        return Rejected(TokenRejected(Reason.SESSION_UNKNOWN))
    session, user = found
    if user.id != claims.subject:
        return Rejected(TokenRejected(Reason.SESSION_MISMATCH), user)
    if (reason := _objection(session, user, tx.now)) is not None:
        return Rejected(TokenRejected(reason), user)
    return Identity(user, session, "admin" if claims.role == user.role == "admin" else "user")


def target_of(tx: Transaction, identity: Identity, target_id: str) -> User | AccessDenied | NotFound:
    """R-EN-06: who may not see others gets one answer for every other id, and costs no look at the table."""
    if target_id == identity.user.id:
        return identity.user
    if not identity.is_admin:
        return AccessDenied()
    found = tx.users.by_id(target_id) if is_identifier(target_id) else None
    return found or NotFound()


def is_identifier(text: str) -> bool:
    """Whether this could be the id of a user: no other text is for a database, and PostgreSQL refuses some."""
    return _IDENTIFIER.fullmatch(text) is not None


def _objection(session: LoginSession, user: User, now: datetime) -> Reason | None:
    if user.disabled_at is not None:
        return Reason.USER_DISABLED
    if session.ended_at is not None:
        return Reason.SESSION_ENDED
    if session.expires_at <= now:
        return Reason.SESSION_EXPIRED
    return None
