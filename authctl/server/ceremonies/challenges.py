"""Challenges: issued within bounds, bound to what they were issued for, worth something once and for a short time."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies.reasons import Reason
from authctl.server.storage.rows import make
from authctl.server.storage.tables import Challenge

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller
    from authctl.server.ceremonies.policy import Policy
    from authctl.server.storage.transaction import Transaction

CHALLENGE_BYTES: Final = 32
REGISTRATION: Final = "registration"
LOGIN: Final = "login"
ADDING: Final = "adding"

_COUNT_SECONDS: Final = 1.0
_SWEEP: Final = 10_000
_CLOCK_SKEW: Final = timedelta(seconds=30)


class ChallengeBook:
    """Issues and redeems the challenges of one relying party. Safe for several writer threads."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        # When the rows were last counted, and how many there are since.
        self._counted: tuple[float, int] = (float("-inf"), 0)

    def issue(
        self,
        tx: Transaction,
        challenge: bytes,
        *,
        purpose: str,
        email: str | None,
        caller: Caller,
        context: dict[str, Any],
    ) -> bool:
        """Keeps a challenge with the context of its ceremony; False when too many are outstanding (R-CH-08)."""
        if self._is_full(tx, caller.network):
            return False
        policy = self._policy
        binding = {
            "fingerprint": policy.fingerprint,
            "user_verification": policy.user_verification == "required",
            "algorithms": policy.algorithms,
            **context,
        }
        tx.challenges.add(
            make(
                Challenge,
                id=sha256(challenge).digest(),
                purpose=purpose,
                email=email,
                context=orjson.dumps(binding).decode(),
                source=caller.network,
                created_at=tx.now,
                expires_at=tx.now + timedelta(seconds=policy.challenge_seconds),
                boot_id=tx.boot_id,
                created_monotonic=tx.monotonic,
            )
        )
        return True

    def redeem(
        self, tx: Transaction, challenge: Challenge | None, *, purpose: str, email: str | None
    ) -> dict[str, Any]:
        """The context of a challenge that was just taken; raises CeremonyFailed when it is not good for this answer."""
        if challenge is None:
            raise CeremonyFailed(Reason.CHALLENGE_UNKNOWN)
        if challenge.purpose != purpose:
            raise CeremonyFailed(Reason.PURPOSE_MISMATCH, debug=challenge.purpose)
        if _has_expired(tx, challenge):
            raise CeremonyFailed(Reason.CHALLENGE_EXPIRED)
        if challenge.email != email:
            raise CeremonyFailed(Reason.EMAIL_MISMATCH)
        context: dict[str, Any] = orjson.loads(challenge.context)
        if context["fingerprint"] != self._policy.fingerprint:
            raise CeremonyFailed(Reason.SETTINGS_CHANGED)
        return context

    def _is_full(self, tx: Transaction, source: str) -> bool:
        most = self._policy.outstanding_per_source
        if most is not None and tx.challenges.count_of_source(source, most) >= most:
            return True
        since, count = self._counted
        if count < self._policy.outstanding_total and 0 <= tx.monotonic - since < _COUNT_SECONDS:
            self._counted = (since, count + 1)
            return False
        return not self._has_room(tx)

    def _has_room(self, tx: Transaction) -> bool:
        count = tx.challenges.count()
        if count >= self._policy.outstanding_total:
            # Expired ones make room; nobody's pending ceremony does.
            count -= tx.challenges.delete_expired(_SWEEP)
        has_room = count < self._policy.outstanding_total
        self._counted = (tx.monotonic, count + has_room)
        return has_room


def _has_expired(tx: Transaction, challenge: Challenge) -> bool:
    if tx.now >= challenge.expires_at:
        return True
    if tx.boot_id == challenge.boot_id:
        # R-CH-10: the time of day may be set back, the time since the machine started is not.
        age = tx.monotonic - challenge.created_monotonic
        return age >= (challenge.expires_at - challenge.created_at).total_seconds()
    # Another machine's clock may be a little behind; a challenge from the future tells of one that was set back.
    return challenge.created_at > tx.now + _CLOCK_SKEW
