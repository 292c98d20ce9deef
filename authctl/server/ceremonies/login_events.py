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
    """A login was refused: `user_id` is the one it was meant for, `target_user_id` another owner of the credential."""
    owner = None if found is None else found[1]
    is_owner_concerned = owner is not None and email in (None, owner.email)
    concerned = owner.id if owner is not None and is_owner_concerned else _begun_for(challenge)
    whose = " without e-mail" if email is None else f" of {email}"
    details = f"Login{whose} refused {origin_of(caller)}: {answers.in_words(failure)}"
    other = owner.id if owner is not None and owner.id != concerned else None
    if other is not None:
        details += f", user {other} owns the credential"
    return Event(
        EventType.LOGIN_COMPLETE,
        False,
        caller,
        details,
        reason=failure.reason,
        user_email=owner.email if email is None and owner is not None else email,
        user_id=concerned,
        target_user_id=other,
    )


def _begun_for(challenge: Challenge | None) -> str | None:
    """The user that a login was begun for, as far as there was one."""
    if challenge is None:
        return None
    user_id: str | None = orjson.loads(challenge.context).get("user_id")
    return user_id
