"""The steps that registration and assertion share, WebAuthn Level 3 section 7.1 and 7.2 (editor's draft numbers)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import base64url
from authctl.server.ceremonies.reasons import Reason

if TYPE_CHECKING:
    from authctl.server.ceremonies.authenticator_data import AuthenticatorData
    from authctl.server.ceremonies.client_data import ClientData


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a ceremony was begun with, and its answer is compared with.

    challenge_hash  SHA-256 of the challenge's bytes, which is all that is kept of it
    top_origins     pages that may frame the ceremony; none means that it is never framed
    """

    challenge_hash: bytes
    origins: tuple[str, ...]
    top_origins: tuple[str, ...]
    rp_id: str
    require_user_verification: bool


def check_client_data(client: ClientData, *, expected_type: str, expected: Expected) -> bytes:
    """§7.1 steps 7 to 11, §7.2 steps 10 to 14: the challenge's bytes, or CeremonyFailed."""
    # §7.1 step 7, §7.2 step 10.
    if client.type != expected_type:
        raise CeremonyFailed(Reason.CEREMONY_TYPE_MISMATCH, debug=client.type[:64])
    # §7.1 step 8, §7.2 step 11: equality with the text that was issued. Only its hash is stored; the decoder knows one
    # text per challenge, so that equal bytes are equal texts.
    try:
        challenge = base64url.decode(client.challenge)
    except ValueError as error:
        raise CeremonyFailed(Reason.CHALLENGE_MISMATCH, debug=str(error)) from error
    if not compare_digest(sha256(challenge).digest(), expected.challenge_hash):
        raise CeremonyFailed(Reason.CHALLENGE_MISMATCH)
    # §7.1 step 9, §7.2 step 12: one of the configured texts, character by character (section 13.4.9).
    if client.origin not in expected.origins:
        raise CeremonyFailed(Reason.ORIGIN_MISMATCH, debug=client.origin[:256])
    _check_framing(client, expected.top_origins)
    return challenge


def check_authenticator_data(data: AuthenticatorData, *, expected: Expected) -> None:
    """§7.1 steps 14 to 17, §7.2 steps 15 to 18; raises CeremonyFailed."""
    # §7.1 step 14, §7.2 step 15.
    if data.rp_id_hash != sha256(expected.rp_id.encode()).digest():
        raise CeremonyFailed(Reason.RP_ID_MISMATCH)
    # §7.1 step 15, §7.2 step 16: conditional creation, which may lack UP, is not asked for.
    if not data.is_user_present:
        raise CeremonyFailed(Reason.USER_PRESENCE_MISSING)
    # §7.1 step 16, §7.2 step 17.
    if expected.require_user_verification and not data.is_user_verified:
        raise CeremonyFailed(Reason.USER_VERIFICATION_MISSING)
    # §7.1 step 17, §7.2 step 18.
    if data.is_backed_up and not data.is_backup_eligible:
        raise CeremonyFailed(Reason.BACKUP_STATE_INVALID)


def _check_framing(client: ClientData, expected_top_origins: tuple[str, ...]) -> None:
    # §7.1 step 10, §7.2 step 13: being framed is expected only where pages that may do so are listed.
    if client.cross_origin and not expected_top_origins:
        raise CeremonyFailed(Reason.CROSS_ORIGIN)
    # §7.1 step 11, §7.2 step 14: a top origin comes with crossOrigin only, and is a listed one.
    if client.top_origin is None:
        return
    if not client.cross_origin or client.top_origin not in expected_top_origins:
        raise CeremonyFailed(Reason.TOP_ORIGIN_NOT_ALLOWED, debug=client.top_origin[:256])
