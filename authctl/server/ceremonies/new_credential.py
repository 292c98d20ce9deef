"""What a registration proves, and the record of it: alike for a user's first credential and for further ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.ceremonies import relying_party
from authctl.server.storage.rows import make
from authctl.server.storage.tables import WebauthnCredential

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.audit.events import Caller
    from authctl.server.ceremonies.envelope import RegistrationResponse
    from authctl.server.ceremonies.policy import Policy
    from authctl.server.ceremonies.relying_party import VerifiedRegistration
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction


def new_credential(
    user: User, verified: VerifiedRegistration, name: str, now: datetime, caller: Caller
) -> WebauthnCredential:
    """Everything that R-WA-24 asks to keep; `name` is what the owner will see it as."""
    return make(
        WebauthnCredential,
        user_id=user.id,
        credential_id=verified.credential_id,
        public_key=verified.public_key,
        sign_count=verified.sign_count,
        created_at=now,
        algorithm=verified.algorithm,
        aaguid=verified.aaguid,
        transports=orjson.dumps(verified.transports).decode(),
        attestation_format=verified.attestation_format,
        user_verified=verified.is_user_verified,
        backup_eligible=verified.is_backup_eligible,
        backup_state=verified.is_backed_up,
        source_address=caller.address,
        name=name,
    )


def prove(
    tx: Transaction,
    policy: Policy,
    response: RegistrationResponse,
    challenge_hash: bytes,
    context: dict[str, Any],
) -> VerifiedRegistration:
    """What a response proves under the policy of now and the context that its ceremony was begun with.

    Raises CeremonyFailed.
    """
    return relying_party.verify_registration(
        response,
        expected=policy.expected(challenge_hash, require_user_verification=context["user_verification"]),
        expected_algorithms=tuple(context["algorithms"]),
        expected_formats=policy.formats,
        now=tx.now,
    )
