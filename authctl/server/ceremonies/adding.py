"""A further passkey for a signed-in user, begin and complete: a registration that makes no account (R-WA-23)."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from authctl.errors import AlreadyExists, CeremonyFailed, RateLimited, RegistrationFailed, TooManyCredentials
from authctl.server.accounts import credential_events
from authctl.server.accounts.access import Rejected, read_or_count
from authctl.server.accounts.account_events import name_of
from authctl.server.accounts.authenticators import default_name
from authctl.server.accounts.credential_access import ADD, BEGIN, MOST_CREDENTIALS, admit
from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.audit.recorder import record
from authctl.server.ceremonies import answers, challenges, envelope
from authctl.server.ceremonies.new_credential import new_credential, prove
from authctl.server.ceremonies.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.accounts.credential_access import Admitted
    from authctl.server.accounts.credential_events import Attempt
    from authctl.server.accounts.rejections import Rejections
    from authctl.server.audit.events import Caller
    from authctl.server.ceremonies.answers import Answer
    from authctl.server.ceremonies.challenges import ChallengeBook
    from authctl.server.ceremonies.envelope import RegistrationResponse
    from authctl.server.ceremonies.policy import Policy
    from authctl.server.ceremonies.relying_party import VerifiedRegistration
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import Challenge, User, WebauthnCredential
    from authctl.server.storage.transaction import Transaction
    from authctl.server.tokens.verifying import Claims, Verifier


class Adding:
    """Gives a user one more passkey.

    Both halves want a token whose login is fresh, and are judged anew in their own transaction: what was allowed at
    begin may not be at complete. Raises NotAuthenticated, TokenRejected or LoginTooOld when it is not.
    """

    def __init__(
        self,
        database: Database,
        policy: Policy,
        book: ChallengeBook,
        verifier: Verifier,
        rejections: Rejections,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._policy = policy
        self._book = book
        self._verifier = verifier
        self._rejections = rejections
        self._random_bytes = random_bytes

    async def begin(self, bearer: str | None, caller: Caller) -> dict[str, Any]:
        """Options for `navigator.credentials.create()`, for the same account, without authenticators that have it.

        Raises RateLimited when too many ceremonies are outstanding, TooManyCredentials when the account is full.
        """
        claims = read_or_count(self._verifier, self._rejections, bearer, caller)
        challenge = self._random_bytes(challenges.CHALLENGE_BYTES)
        outcome = await self._database.write(partial(self._begin, claims=claims, challenge=challenge, caller=caller))
        if isinstance(outcome, Exception):
            raise outcome
        return {"publicKey": outcome}

    async def complete(
        self, bearer: str | None, credential: object, name: str | None, caller: Caller
    ) -> WebauthnCredential:
        """The new passkey, under the name given or that of its authenticator.

        Raises RegistrationFailed, and TooManyCredentials. The challenge is consumed either way.
        """
        claims = read_or_count(self._verifier, self._rejections, bearer, caller)
        answer = answers.open_answer(credential, envelope.read_registration)
        outcome = await self._database.write(
            partial(self._complete, claims=claims, answer=answer, name=name, caller=caller)
        )
        if isinstance(outcome, CeremonyFailed):
            answers.log_refusal(outcome, caller)
            raise RegistrationFailed(outcome.reason, debug=outcome.debug) from outcome
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _begin(
        self, tx: Transaction, *, claims: Claims | Rejected, challenge: bytes, caller: Caller
    ) -> dict[str, Any] | Exception:
        admitted = admit(tx, claims, None, BEGIN, caller)
        if isinstance(admitted, Exception):
            return admitted
        user = admitted.owner
        live = tx.credentials.live_of_user(user.id)
        if len(live) >= MOST_CREDENTIALS:
            return _too_many(tx, admitted, BEGIN, caller)
        is_issued = self._book.issue(
            tx, challenge, purpose=challenges.ADDING, email=user.email, caller=caller, context={"user_id": user.id}
        )
        for event in answers.begin_events(
            EventType.CREDENTIAL_BEGIN, user.email, caller, is_issued=is_issued, user_id=user.id, actor=user.id
        ):
            record(tx, event)
        if not is_issued:
            return RateLimited(answers.RETRY_SECONDS, debug=Reason.TOO_MANY_OUTSTANDING)
        return self._policy.creation_options(
            challenge,
            user.user_handle,
            email=user.email,
            display_name=name_of(user),
            exclude=[(one.credential_id, orjson.loads(one.transports)) for one in live],
        )

    def _complete(
        self,
        tx: Transaction,
        *,
        claims: Claims | Rejected,
        answer: Answer[RegistrationResponse],
        name: str | None,
        caller: Caller,
    ) -> WebauthnCredential | Exception:
        # R-CH-02, R-CH-03: taken before anything is judged; but by nobody who is not signed in.
        challenge = None if isinstance(claims, Rejected) else tx.challenges.take(answer.challenge_hash)
        admitted = admit(tx, claims, None, ADD, caller)
        if isinstance(admitted, Exception):
            return admitted
        user = admitted.owner
        try:
            response = answer.required()
            context = self._redeem(tx, challenge, user)
            verified = prove(tx, self._policy, response, answer.challenge_hash, context)
            live = tx.credentials.live_of_user(user.id)
            if len(live) >= MOST_CREDENTIALS:
                return _too_many(tx, admitted, ADD, caller)
            added = _add(tx, user, verified, name or default_name(verified.aaguid, {one.name for one in live}), caller)
        except CeremonyFailed as failure:
            record(tx, _refused(failure, user, caller))
            return failure
        record(tx, credential_events.added(added, user, caller))
        return added

    def _redeem(self, tx: Transaction, challenge: Challenge | None, user: User) -> dict[str, Any]:
        # The request names no e-mail: whose ceremony it is, is told by the id, which outlives no account.
        email = None if challenge is None else challenge.email
        context = self._book.redeem(tx, challenge, purpose=challenges.ADDING, email=email)
        if context["user_id"] != user.id:
            raise CeremonyFailed(Reason.USER_MISMATCH)
        return context


def _add(tx: Transaction, user: User, verified: VerifiedRegistration, name: str, caller: Caller) -> WebauthnCredential:
    credential = new_credential(user, verified, name, tx.now, caller)
    try:
        with tx.attempt():
            # §7.1 step 26: the unique index decides, also over credentials that were removed.
            tx.credentials.add(credential)
    except AlreadyExists as error:
        raise CeremonyFailed(Reason.CREDENTIAL_EXISTS, debug=error.constraint) from error
    return credential


def _too_many(tx: Transaction, admitted: Admitted, attempt: Attempt, caller: Caller) -> TooManyCredentials:
    reason = Reason.TOO_MANY_CREDENTIALS
    record(tx, credential_events.refused(admitted.identity, admitted.owner, attempt, reason, caller))
    return TooManyCredentials()


def _refused(failure: CeremonyFailed, user: User, caller: Caller) -> Event:
    return Event(
        EventType.CREDENTIAL_ADDED,
        False,
        caller,
        f"Passkey registration of {user.email} refused {origin_of(caller)}: {answers.in_words(failure)}",
        reason=failure.reason,
        user_email=user.email,
        user_id=user.id,
        actor=user.id,
    )
