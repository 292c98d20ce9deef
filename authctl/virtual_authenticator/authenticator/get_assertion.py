"""authenticatorGetAssertion (WebAuthn Level 3 §6.3.3): proves that a credential is held here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData, rp_id_hash
from authctl.virtual_authenticator.authenticator.extensions.interface import Operation
from authctl.virtual_authenticator.authenticator.extensions.table import getting
from authctl.virtual_authenticator.errors import ConstraintNotMet, NoCredential, OptionsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.credential_store.interface import Credential


@dataclass(frozen=True, slots=True)
class GetAssertionRequest:
    """The operation's input.

    allow       None when the relying party named no credentials
    extensions  inputs by the extensions' names in CTAP
    """

    rp_id: str
    client_data_hash: bytes
    allow: tuple[bytes, ...] | None = None
    requires_user_presence: bool = True
    requires_user_verification: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assertion:
    """The operation's output; `user_handle` is None for a credential that is not discoverable."""

    credential: Credential
    authenticator_data: AuthenticatorData
    signature: bytes
    user_handle: bytes | None


def get_assertion(authenticator: VirtualAuthenticator, request: GetAssertionRequest, gesture: Gesture) -> Assertion:
    """Performs the operation; raises the subclass of AuthenticatorError that its step names."""
    # Step 1: are the parameters well formed?
    if len(request.client_data_hash) != 32 or not request.rp_id:
        raise OptionsInvalid("The RP id is empty or the hash of the client data has not 32 bytes")
    # Steps 2 to 6: which credentials fit?
    credentials = fitting(authenticator, request, gesture)
    if not credentials:
        raise NoCredential(_nothing_fits(request))
    # Step 7: the user chooses one, the newest, and makes the gesture.
    credential = credentials[0]
    if request.requires_user_verification and not authenticator.profile.can_verify_user:
        raise ConstraintNotMet("The server demands user verification, which this authenticator cannot do")
    gesture = authenticator.able(gesture)
    gesture.require(user_presence=request.requires_user_presence, user_verification=request.requires_user_verification)
    # Step 8: the extensions that this model has of those asked for.
    operation = Operation(authenticator, credential.is_discoverable, gesture.is_user_verified)
    outputs = getting(request.extensions, credential.extensions, operation)
    # Step 9: the counter moves, and is kept for good before there is a signature (R-CL-05).
    count = authenticator.store.count_signature(credential.credential_id, authenticator.counter_override)
    if count is None:
        raise NoCredential("The passkey was deleted in the meantime")
    # Step 10: authenticator data, without attested credential data.
    flags = gesture.flags(backup_eligible=credential.is_backup_eligible, backed_up=credential.is_backed_up)
    data = AuthenticatorData.create(rp_id_hash(request.rp_id), flags, count, extensions=outputs)
    # Steps 11 to 13: the signature, and what the client gets.
    signature = credential.key.sign(data + request.client_data_hash, is_deterministic=authenticator.is_deterministic)
    return Assertion(credential, data, signature, credential.user_handle if credential.is_discoverable else None)


def fitting(authenticator: VirtualAuthenticator, request: GetAssertionRequest, gesture: Gesture) -> list[Credential]:
    """The credentials that may answer, newest first."""
    # CTAP 2.1 §12.1: what is protected is not there for a user who is not verified.
    is_verified = authenticator.able(gesture).is_user_verified
    return [
        held
        for held in authenticator.store.candidates(request.rp_id, request.allow)
        if not held.extensions.is_hidden(is_named=request.allow is not None, is_user_verified=is_verified)
    ]


def _nothing_fits(request: GetAssertionRequest) -> str:
    if request.allow is None:
        return f"The authenticator has no discoverable passkey for RP id {request.rp_id!r}"
    return f"The authenticator has none of the passkeys that the server lists for RP id {request.rp_id!r}"
