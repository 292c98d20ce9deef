"""What both ceremonies do alike: open an answer that may be defective, and tell the trail how a begin went."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from authctl.errors import CeremonyFailed
from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.ceremonies import base64url, envelope
from authctl.server.ceremonies.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.audit.events import Caller
    from authctl.server.ceremonies.client_data import ClientData

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 60


_CEREMONIES: Final = {
    EventType.REGISTRATION_BEGIN: "Registration",
    EventType.LOGIN_BEGIN: "Login",
    EventType.CREDENTIAL_BEGIN: "Passkey registration",
}


class Response(Protocol):
    """What the responses of both ceremonies have."""

    @property
    def credential_id(self) -> bytes:
        """The id outside the authenticator data."""
        ...

    @property
    def client(self) -> ClientData:
        """The client data, parsed."""
        ...


R = TypeVar("R", bound=Response)


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """An answer, read as far as that goes.

    challenge_hash  the key of the challenge to consume; the empty string, which is no challenge's, when none is named
    """

    challenge_hash: bytes
    response: R | None
    failure: CeremonyFailed | None = None

    @property
    def credential_id(self) -> bytes:
        """Empty, which is no credential's, when there is none."""
        return b"" if self.response is None else self.response.credential_id

    def required(self) -> R:
        """The response; raises CeremonyFailed when it could not be read."""
        if self.response is None:
            raise self.failure or CeremonyFailed(Reason.MALFORMED_RESPONSE)
        return self.response


def open_answer(credential: object, read: Callable[[object], R]) -> Answer[R]:
    """Reads a credential; a defective one still names its challenge, if that can be made out (R-CH-03)."""
    try:
        response = read(credential)
    except CeremonyFailed as failure:
        return Answer(_hash(envelope.presented_challenge(credential)), None, failure)
    try:
        return Answer(_hash(base64url.decode(response.client.challenge)), response)
    except ValueError:
        # Not in the form in which challenges are issued, so it is none of ours.
        return Answer(b"", response)


def begin_events(
    event_type: EventType,
    email: str | None,
    caller: Caller,
    *,
    is_issued: bool,
    reason: Reason | None = None,
    user_id: str | None = None,
    actor: str | None = None,
) -> list[Event]:
    """The event of a begin; a second one, the alarm, when there was no room for its challenge."""
    what = _CEREMONIES[event_type]
    whose = f" of {email}" if email is not None else " without e-mail"
    if is_issued:
        details = f"{what}{whose} started {origin_of(caller)}"
        begun = Event(event_type, True, caller, details, reason=reason, user_email=email, user_id=user_id, actor=actor)
        return [begun]
    full = Reason.TOO_MANY_OUTSTANDING
    details = f"{what}{whose} refused {origin_of(caller)}: too many ceremonies are outstanding"
    return [
        Event(event_type, False, caller, details, reason=full, user_email=email, user_id=user_id, actor=actor),
        Event(EventType.RATE_LIMITED, False, caller, details, reason=full, user_email=email),
    ]


def in_words(failure: CeremonyFailed) -> str:
    """A reason as part of a sentence."""
    return failure.reason.replace("_", " ")


def log_refusal(failure: CeremonyFailed, caller: Caller) -> None:
    """Tells the operational log what the caller and the trail are not told; an exception of a library is a warning."""
    level = logging.WARNING if failure.reason == Reason.LIBRARY_ERROR else logging.DEBUG
    logger.log(level, "%s: %s", failure.reason, failure.debug, extra={"request_id": caller.request_id})


def _hash(challenge: bytes | None) -> bytes:
    return b"" if challenge is None else sha256(challenge).digest()
