"""Login, begin and complete, with and without an e-mail: refusals cost the same work and read the same (D-21)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from authctl.errors import CeremonyFailed, LoginFailed, RateLimited
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record
from authctl.server.ceremonies import answers, base64url, challenges, envelope, login_events, relying_party
from authctl.server.ceremonies.reasons import Reason
from authctl.server.storage.rows import make
from authctl.server.storage.tables import LoginSession, User, WebauthnCredential

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from authctl.server.audit.events import Caller
    from authctl.server.ceremonies.answers import Answer
    from authctl.server.ceremonies.challenges import ChallengeBook
    from authctl.server.ceremonies.decoys import Decoys
    from authctl.server.ceremonies.envelope import AssertionResponse
    from authctl.server.ceremonies.policy import Policy
    from authctl.server.ceremonies.relying_party import VerifiedAssertion
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import Challenge
    from authctl.server.storage.transaction import Transaction

    Owned = tuple[WebauthnCredential, User]


class IssuedToken(Protocol):
    """An access token, signed."""

    @property
    def text(self) -> str:
        """Its compact form."""
        ...

    @property
    def expires_in(self) -> int:
        """Its lifetime in seconds."""
        ...


class TokenIssuer(Protocol):
    """Signs access tokens."""

    def issue(self, user: User, session: LoginSession, *, now: datetime, user_verified: bool) -> IssuedToken:
        """A token for a session that was just opened."""
        ...


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A login that succeeded; `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    user: User


class Login:
    """Opens sessions. What the caller learns of a refusal is one thing; the trail has its reason."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        book: ChallengeBook,
        decoys: Decoys,
        issuer: TokenIssuer,
        session_lifetime: timedelta,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._policy = policy
        self._book = book
        self._decoys = decoys
        self._issuer = issuer
        self._session_lifetime = session_lifetime
        self._random_bytes = random_bytes
        # Made now, so that the first refusals are not answered later than others.
        self._nobodys_keys = relying_party.dummy_public_keys()
        relying_party.verify_in_vain()

    async def begin(self, email: str | None, caller: Caller) -> dict[str, Any]:
        """Options for `navigator.credentials.get()`: with the e-mail's credentials or decoys, or with none.

        Raises RateLimited when too many ceremonies are outstanding.
        """
        challenge = self._random_bytes(challenges.CHALLENGE_BYTES)
        # Made for known e-mails too, so that known and unknown cost the same.
        decoys = [] if email is None else self._decoys.for_email(email)
        unit = partial(self._begin, email=email, challenge=challenge, decoys=decoys, caller=caller)
        credential_ids = await self._database.write(unit)
        if credential_ids is None:
            raise RateLimited(answers.RETRY_SECONDS, debug=Reason.TOO_MANY_OUTSTANDING)
        return {"publicKey": self._policy.request_options(challenge, credential_ids)}

    async def complete(self, email: str | None, assertion: object, caller: Caller) -> LoginResult:
        """A token for the user whose passkey signed; raises LoginFailed. The challenge is consumed either way."""
        answer = answers.open_answer(assertion, envelope.read_assertion)
        outcome = await self._database.write(partial(self._complete, email=email, answer=answer, caller=caller))
        if isinstance(outcome, CeremonyFailed):
            answers.log_refusal(outcome, caller)
            raise LoginFailed(outcome.reason, debug=outcome.debug) from outcome
        return outcome

    def _begin(
        self, tx: Transaction, *, email: str | None, challenge: bytes, decoys: list[bytes], caller: Caller
    ) -> list[bytes] | None:
        user, credential_ids = None, decoys
        if email is not None:
            user = tx.users.by_email(email)
            credential_ids = tx.credentials.ids_of_email(email) or decoys
        context = {
            "user_id": user.id if user else None,
            "allowed": [base64url.encode(credential_id) for credential_id in credential_ids],
        }
        is_issued = self._book.issue(
            tx, challenge, purpose=challenges.LOGIN, email=email, caller=caller, context=context
        )
        reason = Reason.UNKNOWN_USER if email is not None and user is None else None
        user_id = user.id if user else None
        for event in answers.begin_events(
            EventType.LOGIN_BEGIN, email, caller, is_issued=is_issued, reason=reason, user_id=user_id
        ):
            record(tx, event)
        return credential_ids if is_issued else None

    def _complete(
        self, tx: Transaction, *, email: str | None, answer: Answer[AssertionResponse], caller: Caller
    ) -> LoginResult | CeremonyFailed:
        # R-CH-02, R-CH-03: taken before anything is judged, so that a refusal consumes it too. Each refusal runs these
        # two statements, one signature verification and one insert; only who holds the key gets further.
        challenge = tx.challenges.take(answer.challenge_hash)
        found = tx.credentials.with_owner(answer.credential_id)
        try:
            credential, user, verified = self._judge(tx, email, answer, challenge, found)
            _record_use(tx, credential, user, verified, caller)
        except CeremonyFailed as failure:
            record(tx, login_events.refused(failure, email, challenge, found, caller))
            return failure
        return self._grant(tx, credential, user, verified, caller)

    def _judge(
        self,
        tx: Transaction,
        email: str | None,
        answer: Answer[AssertionResponse],
        challenge: Challenge | None,
        found: Owned | None,
    ) -> tuple[WebauthnCredential, User, VerifiedAssertion]:
        try:
            response = answer.required()
            context = self._book.redeem(tx, challenge, purpose=challenges.LOGIN, email=email)
        except CeremonyFailed as failure:
            relying_party.verify_in_vain()
            raise _more_exact(failure, email, challenge, found) from failure
        objection = _objection(context, email, response.credential_id, found)
        try:
            verified = self._verify(response, answer.challenge_hash, context, email, found)
        except CeremonyFailed as failure:
            raise (objection or failure) from failure.__cause__
        if objection is not None or found is None:
            raise objection or CeremonyFailed(Reason.CREDENTIAL_UNKNOWN)
        if found[1].disabled_at is not None:
            raise CeremonyFailed(Reason.USER_DISABLED)
        return *found, verified

    def _verify(
        self,
        response: AssertionResponse,
        challenge_hash: bytes,
        context: dict[str, Any],
        email: str | None,
        found: Owned | None,
    ) -> VerifiedAssertion:
        # §7.2 step 6: who was not named at begin has to be named by the authenticator.
        require_user_handle = email is None
        expected = self._policy.expected(challenge_hash, require_user_verification=context["user_verification"])
        if found is None:
            # Nobody's key stands in, so that unknown and known credentials cost the same. What comes of it is refused.
            return relying_party.verify_assertion(
                response,
                expected=expected,
                expected_user_handle=response.user_handle or b"",
                expected_backup_eligible=False,
                public_key=self._nobodys_keys[self._decoys.algorithm_of(response.credential_id)],
                require_user_handle=require_user_handle,
            )
        credential, user = found
        return relying_party.verify_assertion(
            response,
            expected=expected,
            expected_user_handle=user.user_handle,
            expected_backup_eligible=credential.backup_eligible,
            public_key=credential.public_key,
            require_user_handle=require_user_handle,
        )

    def _grant(
        self, tx: Transaction, credential: WebauthnCredential, user: User, verified: VerifiedAssertion, caller: Caller
    ) -> LoginResult:
        session = make(
            LoginSession,
            user_id=user.id,
            credential_id=credential.id,
            created_at=tx.now,
            expires_at=tx.now + self._session_lifetime,
        )
        tx.sessions.add(session)
        token = self._issuer.issue(user, session, now=tx.now, user_verified=verified.is_user_verified)
        record(tx, login_events.logged_in(user, caller))
        return LoginResult(token.text, token.expires_in, user)


def _objection(
    context: dict[str, Any], email: str | None, credential_id: bytes, found: Owned | None
) -> CeremonyFailed | None:
    """§7.2 steps 5 and 6 as far as they concern records: which credential, and whose, the options asked for."""
    if found is None:
        return CeremonyFailed(Reason.CREDENTIAL_UNKNOWN)
    if email is not None and found[1].email != email:
        return CeremonyFailed(Reason.CREDENTIAL_USER_MISMATCH)
    if found[0].removed_at is not None:
        return CeremonyFailed(Reason.CREDENTIAL_REMOVED)
    if email is not None and base64url.encode(credential_id) not in context["allowed"]:
        return CeremonyFailed(Reason.CREDENTIAL_NOT_ALLOWED)
    return None


def _more_exact(
    failure: CeremonyFailed, email: str | None, challenge: Challenge | None, found: Owned | None
) -> CeremonyFailed:
    """R-WA-03: of two reasons, that the credential is another user's is the one to know."""
    if failure.reason != Reason.EMAIL_MISMATCH or challenge is None or found is None:
        return failure
    named = {email, challenge.email} - {None, found[1].email}
    return CeremonyFailed(Reason.CREDENTIAL_USER_MISMATCH) if named else failure


def _record_use(
    tx: Transaction, credential: WebauthnCredential, user: User, verified: VerifiedAssertion, caller: Caller
) -> None:
    # §7.2 step 22, by compare-and-set: of two assertions with one count, the second is refused (R-WA-13).
    if tx.credentials.record_use(
        credential.id,
        sign_count=verified.sign_count,
        backup_state=verified.is_backed_up,
        user_verified=verified.is_user_verified,
        at=tx.now,
    ):
        return
    # R-WA-24: the credential may have been removed after it was read.
    if tx.credentials.is_removed(credential.id):
        raise CeremonyFailed(Reason.CREDENTIAL_REMOVED)
    record(tx, login_events.clone_suspected(credential, user, verified.sign_count, caller))
    raise CeremonyFailed(Reason.CLONE_SUSPECTED)
