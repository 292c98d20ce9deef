"""What the audit trail is told about the end of a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.ceremonies import answers
from authctl.server.ceremonies.reasons import Reason

if TYPE_CHECKING:
    from authctl.errors import CeremonyFailed
    from authctl.server.audit.events import Caller
    from authctl.server.storage.tables import Challenge, User, WebauthnCredential


def logged_in(user: User, caller: Caller) -> Event:
    """A session was opened."""
    return Event(
        EventType.LOGIN_COMPLETE,
        True,
        caller,
        f"User {user.first_name} {user.last_name} logged in {origin_of(caller)}",
        user_email=user.email,
        user_id=user.id,
        actor=user.id,
    )


def clone_suspected(credential: WebauthnCredential, user: User, sign_count: int, caller: Caller) -> Event:
    """The alarm beside the refusal: a signature that holds came with a count that has not grown."""
    details = (
        f"A credential of {user.first_name} {user.last_name} may have been cloned: its signature count went from "
        f"{credential.sign_count} to {sign_count} in a login {origin_of(caller)}"
    )
    return Event(
        EventType.CREDENTIAL_CLONE_SUSPECTED,
        False,
        caller,
        details,
        reason=Reason.CLONE_SUSPECTED,
        user_email=user.email,
        user_id=user.id,
    )


def refused(
    failure: CeremonyFailed,
    email: str | None,
    challenge: Challenge | None,
    found: tuple[WebauthnCredential, User] | None,
    caller: Caller,
) -> Event:
    """A login was refused: `user_id` is the one it names, `target_user_id` another one it has to do with."""
    owner = None if found is None else found[1]
    user_id = _named(email, challenge, owner)
    whose = " without e-mail" if email is None else f" of {email}"
    details = f"Login{whose} refused {origin_of(caller)}: {answers.in_words(failure)}"
    other = None
    if owner is not None and owner.id != user_id:
        other = owner.id
        details += f", user {other} owns the credential"
    elif (begun_for := _begun_for(challenge)) not in (None, user_id):
        other = begun_for
        details += f", it was begun for user {other}"
    return Event(
        EventType.LOGIN_COMPLETE,
        False,
        caller,
        details,
        reason=failure.reason,
        user_email=owner.email if email is None and owner is not None else email,
        user_id=user_id,
        target_user_id=other,
    )


def _named(email: str | None, challenge: Challenge | None, owner: User | None) -> str | None:
    if owner is not None and email in (None, owner.email):
        return owner.id
    return _begun_for(challenge) if challenge is not None and challenge.email == email else None


def _begun_for(challenge: Challenge | None) -> str | None:
    """The user that a login was begun for, as far as there was one."""
    if challenge is None:
        return None
    user_id: str | None = orjson.loads(challenge.context).get("user_id")
    return user_id
