"""authenticatorMakeCredential (WebAuthn Level 3 §6.3.2): makes a key pair for an account and attests to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.attestation.formats import format_named
from authctl.virtual_authenticator.attestation.interface import Subject
from authctl.virtual_authenticator.authenticator import cbor
from authctl.virtual_authenticator.authenticator.authenticator_data import (
    AttestedCredentialData,
    AuthenticatorData,
    rp_id_hash,
)
from authctl.virtual_authenticator.authenticator.extensions.interface import Operation
from authctl.virtual_authenticator.authenticator.extensions.table import making
from authctl.virtual_authenticator.credential_store.interface import Credential
from authctl.virtual_authenticator.errors import ConstraintNotMet, CredentialExcluded, NotSupported, OptionsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
    from authctl.virtual_authenticator.authenticator.gesture import Gesture


_NO_MODEL: Final = bytes(16)


@dataclass(frozen=True, slots=True)
class UserEntity:
    """The account that a credential is for."""

    id: bytes
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class MakeCredentialRequest:
    """The operation's input.

    algorithms           COSE identifiers, the one wanted most first
    exclude              credential ids, one of which held here ends the operation
    attestation_formats  those wanted, the one wanted most first; empty for the authenticator's own choice
    demanded_format      the name of the one to make, whatever is wanted and whatever the model has
    extensions           inputs by the extensions' names in CTAP
    """

    client_data_hash: bytes
    rp_id: str
    user: UserEntity
    algorithms: tuple[int, ...]
    exclude: tuple[bytes, ...] = ()
    requires_resident_key: bool = False
    requires_user_presence: bool = True
    requires_user_verification: bool = False
    attestation_formats: tuple[str, ...] = ()
    demanded_format: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeCredential:
    """The operation's output: the parts of an attestation object, and the credential that was stored."""

    format: str
    authenticator_data: AuthenticatorData
    statement: Mapping[str, cbor.Encodable]
    credential: Credential

    def attestation_object(self) -> bytes:
        """The encoded attestation object (§6.5.4)."""
        members: dict[str, cbor.Encodable] = {
            "fmt": self.format,
            "attStmt": self.statement,
            "authData": bytes(self.authenticator_data),
        }
        return cbor.encode(members)


def make_credential(
    authenticator: VirtualAuthenticator, request: MakeCredentialRequest, gesture: Gesture
) -> MadeCredential:
    """Performs the operation; raises the subclass of AuthenticatorError that its step names."""
    # Step 1: are the parameters well formed?
    _require_well_formed(request)
    # Step 2: is one of the algorithms supported?
    algorithm = _choose_algorithm(authenticator, request)
    # Step 3: is a credential of the exclude list held here?
    if _is_excluded(authenticator, request, gesture):
        # The gesture comes first, so that a relying party learns nothing without the user's consent.
        gesture.require(user_presence=True, user_verification=False)
        raise CredentialExcluded
    # Steps 4 and 5: can what is demanded be done at all?
    _require_capable(authenticator, request)
    # Step 6: the user's gesture.
    gesture = authenticator.able(gesture)
    gesture.require(user_presence=request.requires_user_presence, user_verification=request.requires_user_verification)
    # Steps 7, 8 and 10: the new credential and its counter.
    credential = _new_credential(authenticator, request, algorithm, gesture)
    # Step 9: the extensions that this model has of those asked for.
    operation = Operation(authenticator, credential.is_discoverable, gesture.is_user_verified)
    state, outputs = making(request.extensions, operation)
    credential = replace(credential, extensions=state)
    # Steps 11 and 13: attested credential data and authenticator data.
    chosen = format_named(request.demanded_format or _choose_format(authenticator, request))
    data = _authenticator_data(_aaguid(authenticator, chosen.name), credential, gesture, outputs)
    # Steps 12 and 14: the attestation statement.
    subject = Subject(
        data,
        request.client_data_hash,
        credential.key,
        authenticator.is_deterministic,
        authenticator.authority,
        authenticator.random,
    )
    made = MadeCredential(chosen.identifier, data, chosen.statement(subject), credential)
    # Part of step 7, done last: a credential that could not be attested is not kept.
    authenticator.store.add(credential)
    return made


def _require_well_formed(request: MakeCredentialRequest) -> None:
    if len(request.client_data_hash) != 32:
        raise OptionsInvalid("The hash of the client data has 32 bytes")
    if not 1 <= len(request.user.id) <= 64:
        raise OptionsInvalid("A user handle has 1 to 64 bytes")
    if not request.rp_id:
        raise OptionsInvalid("The RP id is empty")


def _is_excluded(authenticator: VirtualAuthenticator, request: MakeCredentialRequest, gesture: Gesture) -> bool:
    # CTAP 2.1 §12.1: what only a verified user may know of is not there for others.
    is_verified = authenticator.able(gesture).is_user_verified
    return bool(request.exclude) and any(
        not held.extensions.is_hidden(is_named=True, is_user_verified=is_verified)
        for held in authenticator.store.candidates(request.rp_id, request.exclude)
    )


def _choose_algorithm(authenticator: VirtualAuthenticator, request: MakeCredentialRequest) -> int:
    for algorithm in request.algorithms:
        if algorithm in authenticator.profile.algorithms:
            return algorithm
    offered = ", ".join(map(str, request.algorithms))
    raise NotSupported(f"None of the algorithms that the server offers ({offered}) is one of this authenticator's")


def _require_capable(authenticator: VirtualAuthenticator, request: MakeCredentialRequest) -> None:
    if request.requires_resident_key and not authenticator.profile.can_store_discoverable:
        raise ConstraintNotMet("The server demands a discoverable credential, which this authenticator cannot store")
    if request.requires_user_verification and not authenticator.profile.can_verify_user:
        raise ConstraintNotMet("The server demands user verification, which this authenticator cannot do")


def _new_credential(
    authenticator: VirtualAuthenticator, request: MakeCredentialRequest, algorithm: int, gesture: Gesture
) -> Credential:
    profile = authenticator.profile
    key = authenticator.new_key(algorithm, authenticator.random)
    return Credential(
        credential_id=_new_credential_id(authenticator),
        rp_id=request.rp_id,
        user_handle=request.user.id,
        user_name=request.user.name,
        user_display_name=request.user.display_name,
        key=key,
        counter=profile.counter,
        created_at=authenticator.now(),
        sign_count=profile.counter.first(authenticator.store.shared_count()),
        is_discoverable=request.requires_resident_key or profile.prefers_discoverable,
        # What is said at registration stays true of the credential: eligibility never changes (§6.1.3).
        is_backup_eligible=_either(gesture.backup_eligible, profile.is_backup_eligible),
        is_backed_up=_either(gesture.backed_up, profile.is_backed_up),
        attachment=profile.attachment,
        transports=profile.transports,
    )


def _either(said: bool | None, otherwise: bool) -> bool:
    return otherwise if said is None else said


def _aaguid(authenticator: VirtualAuthenticator, format_name: str) -> bytes:
    # U2F knows no models, and verifiers ask for the zero AAGUID beside its statement. A profile of such a token says
    # what it has; the published example of the format has another one.
    is_borrowed = format_name == "fido-u2f" and format_name not in authenticator.profile.attestation_formats
    return _NO_MODEL if is_borrowed else authenticator.profile.aaguid


def _new_credential_id(authenticator: VirtualAuthenticator) -> bytes:
    while True:
        credential_id = authenticator.random.take(authenticator.profile.credential_id_length)
        # In base64url these begin with a hyphen, which command lines and spreadsheets take for something else. A seed
        # keeps its values.
        if authenticator.is_deterministic or credential_id[0] >> 2 != 62:
            return credential_id


def _authenticator_data(aaguid: bytes, credential: Credential, gesture: Gesture, outputs: bytes) -> AuthenticatorData:
    attested = AttestedCredentialData.create(aaguid, credential.credential_id, credential.key.public_cose())
    flags = gesture.flags(backup_eligible=credential.is_backup_eligible, backed_up=credential.is_backed_up)
    return AuthenticatorData.create(rp_id_hash(credential.rp_id), flags, credential.sign_count, attested, outputs)


def _choose_format(authenticator: VirtualAuthenticator, request: MakeCredentialRequest) -> str:
    # A server asks by identifier, of which a model may have several ways; a test asks for one way by its name.
    own = authenticator.profile.attestation_formats
    for wanted in request.attestation_formats:
        for name in own:
            if wanted in (name, format_named(name).identifier):
                return name
    return own[0]
