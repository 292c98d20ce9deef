"""Registration, begin and complete: the user comes into being together with the first credential (D-2)."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import AlreadyExists, CeremonyFailed, RateLimited, RegistrationFailed
from authctl.server.accounts.authenticators import default_name
from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.audit.recorder import record
from authctl.server.ceremonies import answers, base64url, challenges, envelope
from authctl.server.ceremonies.new_credential import new_credential, prove
from authctl.server.ceremonies.reasons import Reason
from authctl.server.storage.rows import make
from authctl.server.storage.tables import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.audit.events import Caller
    from authctl.server.ceremonies.answers import Answer
    from authctl.server.ceremonies.challenges import ChallengeBook
    from authctl.server.ceremonies.envelope import RegistrationResponse
    from authctl.server.ceremonies.policy import Policy
    from authctl.server.ceremonies.relying_party import VerifiedRegistration
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

USER_HANDLE_BYTES: Final = 64

_TAKEN: Final = {
    "users.email": Reason.ACCOUNT_EXISTS,
    "webauthn_credentials.credential_id": Reason.CREDENTIAL_EXISTS,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Who registers; every value is checked and normalised by the edge."""

    first_name: str
    last_name: str
    email: str
    date_of_birth: datetime
    job_title: str


class Registration:
    """Makes accounts. What the caller learns of a refusal is one thing; the trail has its reason."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        book: ChallengeBook,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._policy = policy
        self._book = book
        self._random_bytes = random_bytes

    async def begin(self, profile: Profile, caller: Caller) -> dict[str, Any]:
        """Options for `navigator.credentials.create()`, the same for an e-mail with and without an account (R-EN-05).

        Raises RateLimited when too many ceremonies are outstanding.
        """
        challenge = self._random_bytes(challenges.CHALLENGE_BYTES)
        user_handle = self._random_bytes(USER_HANDLE_BYTES)
        unit = partial(self._begin, profile=profile, challenge=challenge, user_handle=user_handle, caller=caller)
        if not await self._database.write(unit):
            raise RateLimited(answers.RETRY_SECONDS, debug=Reason.TOO_MANY_OUTSTANDING)
        name = f"{profile.first_name} {profile.last_name}"
        options = self._policy.creation_options(challenge, user_handle, email=profile.email, display_name=name)
        return {"publicKey": options}

    async def complete(self, email: str, credential: object, caller: Caller) -> User:
        """The new user; raises RegistrationFailed. The challenge is consumed either way."""
        answer = answers.open_answer(credential, envelope.read_registration)
        outcome = await self._database.write(partial(self._complete, email=email, answer=answer, caller=caller))
        if isinstance(outcome, CeremonyFailed):
            answers.log_refusal(outcome, caller)
            raise RegistrationFailed(outcome.reason, debug=outcome.debug) from outcome
        return outcome

    def _begin(
        self, tx: Transaction, *, profile: Profile, challenge: bytes, user_handle: bytes, caller: Caller
    ) -> bool:
        context = {"user_handle": base64url.encode(user_handle), "profile": asdict(profile)}
        is_issued = self._book.issue(
            tx, challenge, purpose=challenges.REGISTRATION, email=profile.email, caller=caller, context=context
        )
        for event in answers.begin_events(EventType.REGISTRATION_BEGIN, profile.email, caller, is_issued=is_issued):
            record(tx, event)
        return is_issued

    def _complete(
        self, tx: Transaction, *, email: str, answer: Answer[RegistrationResponse], caller: Caller
    ) -> User | CeremonyFailed:
        # R-CH-02, R-CH-03: taken before anything is judged, so that a refusal consumes it too.
        challenge = tx.challenges.take(answer.challenge_hash)
        try:
            response = answer.required()
            context = self._book.redeem(tx, challenge, purpose=challenges.REGISTRATION, email=email)
            verified = prove(tx, self._policy, response, answer.challenge_hash, context)
            user = self._add(tx, context, verified, caller)
        except CeremonyFailed as failure:
            record(tx, _refused(failure, email, caller))
            return failure
        record(tx, _registered(user, caller))
        return user

    def _add(self, tx: Transaction, context: dict[str, Any], verified: VerifiedRegistration, caller: Caller) -> User:
        user = _new_user(context, tx.now)
        credential = new_credential(user, verified, default_name(verified.aaguid), tx.now, caller)
        try:
            with tx.attempt():
                # §7.1 steps 26 and 29, and R-WA-01: the unique indices decide, also between two that race.
                tx.users.add(user)
                tx.credentials.add(credential)
        except AlreadyExists as error:
            reason = _TAKEN.get(error.constraint)
            if reason is None:
                raise
            raise CeremonyFailed(reason, debug=error.constraint) from error
        return user


def _new_user(context: dict[str, Any], now: datetime) -> User:
    profile = context["profile"]
    return make(
        User,
        first_name=profile["first_name"],
        last_name=profile["last_name"],
        email=profile["email"],
        date_of_birth=datetime.fromisoformat(profile["date_of_birth"]),
        job_title=profile["job_title"],
        created_at=now,
        user_handle=base64url.decode(context["user_handle"]),
    )


def _registered(user: User, caller: Caller) -> Event:
    return Event(
        EventType.REGISTRATION_COMPLETE,
        True,
        caller,
        f"User {user.first_name} {user.last_name} registered {origin_of(caller)}",
        user_email=user.email,
        user_id=user.id,
        actor=user.id,
    )


def _refused(failure: CeremonyFailed, email: str, caller: Caller) -> Event:
    return Event(
        EventType.REGISTRATION_COMPLETE,
        False,
        caller,
        f"Registration of {email} refused {origin_of(caller)}: {answers.in_words(failure)}",
        reason=failure.reason,
        user_email=email,
    )
