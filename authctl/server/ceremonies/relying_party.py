"""The relying party's two judgements, as the numbered steps of WebAuthn Level 3 section 7.1 and 7.2 (editor's draft).

This is the only door to the `webauthn` library. The library verifies signatures and attestation statements and repeats
several of the comparisons; the steps that it leaves out, or takes loosely, are performed here before it is asked.
Both functions return what was proved or raise CeremonyFailed with a Reason, whatever the message and the library do.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import (
    attestation_object,
    authenticator_data,
    base64url,
    client_data,
    cose_key,
    packed_certificate,
    shared_steps,
)
from authctl.server.ceremonies.envelope import AssertionResponse
from authctl.server.ceremonies.reasons import Reason
from authctl.server.ceremonies.shared_steps import Expected

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from authctl.server.ceremonies.attestation_object import AttestationObject
    from authctl.server.ceremonies.authenticator_data import AttestedCredential, AuthenticatorData
    from authctl.server.ceremonies.envelope import RegistrationResponse

CREDENTIAL_ID_BYTES: Final = range(16, 1024)
"""Section 4 asks for 100 bits of entropy, which 16 bytes hold; section 7.1 step 25 ends at 1023."""


@dataclass(frozen=True, slots=True)
class VerifiedRegistration:
    """The credential record that a registration proved (section 4, "credential record")."""

    credential_id: bytes
    public_key: bytes
    algorithm: int
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    attestation_format: str
    is_user_verified: bool
    is_backup_eligible: bool
    is_backed_up: bool


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """What an assertion proved; `sign_count` is still to be judged, in the transaction that stores it."""

    sign_count: int
    is_user_verified: bool
    is_backed_up: bool


def verify_registration(
    response: RegistrationResponse,
    *,
    expected: Expected,
    expected_algorithms: tuple[int, ...],
    expected_formats: frozenset[str],
    expected_roots: tuple[bytes, ...] = (),
    now: datetime,
) -> VerifiedRegistration:
    """Section 7.1, Registering a New Credential; raises CeremonyFailed.

    expected_roots  PEM certificates that packed statements with x5c have to lead to
    """
    # Steps 1 and 2, options and the call of the client, happened at begin and in the browser.
    # Step 3, an attestation response and not an assertion: `envelope.read_registration` read its members.
    # Step 4, client extension results: none were asked for, and unsolicited ones are ignored (section 9).
    # Steps 5 and 6, decoding and parsing of the client data: `client_data.read`, called by the envelope.
    # Steps 7 to 11, type, challenge, origin and framing.
    challenge = shared_steps.check_client_data(response.client, expected_type="webauthn.create", expected=expected)
    # Step 12, the hash of the client data, is computed by the library over the same bytes.
    # Step 13, the CBOR of the attestation object, and the authenticator data in it.
    attestation = attestation_object.read(response.attestation_object)
    data = authenticator_data.read(attestation.authenticator_data)
    # Steps 14 to 17, the RP id's hash, UP, UV, and BS only with BE.
    shared_steps.check_authenticator_data(data, expected=expected)
    # Steps 18 and 19, policy on backup: both kinds of credential are welcome; the record keeps BE and BS.
    # Step 25, the length of the credential id, and that there is a credential, before its key is looked at.
    credential = _new_credential(data, response)
    # Step 20, the algorithm is one that the options offered, and the key is one of that algorithm.
    algorithm = cose_key.check(credential.key, expected_algorithms=expected_algorithms)
    # Step 21, the statement's format, matched exactly.
    attestation_object.check_statement(attestation, expected_formats=expected_formats, key_algorithm=algorithm)
    # Step 23, trust anchors; of the certificate, the checks of section 8.2.1.
    _check_certificates(attestation, expected_aaguid=credential.aaguid, expected_roots=expected_roots, now=now)
    # Steps 22 and 24, the statement is verified and, with x5c, its path to an anchor; the trust of `none` and of self
    # attestation is what `expected_formats` says.
    _verify_statement(response, challenge, algorithm, expected=expected, expected_roots=expected_roots)
    # Step 26, the id is not yet registered, is the unique index's part; steps 27 and 29 are the caller's transaction.
    # Step 28, authenticator extension outputs: none were asked for, and unsolicited ones are ignored.
    return _record(data, credential, algorithm, attestation.format, response.transports)


def verify_assertion(
    response: AssertionResponse,
    *,
    expected: Expected,
    expected_user_handle: bytes,
    expected_backup_eligible: bool,
    public_key: bytes,
    require_user_handle: bool,
) -> VerifiedAssertion:
    """Section 7.2, Verifying an Authentication Assertion; raises CeremonyFailed, after one signature check in any case.

    `public_key` is the COSE_Key of the record that the caller found under the assertion's credential id.
    """
    try:
        # Steps 1 and 2, options and the call of the client, happened at begin and in the browser.
        # Step 3, an assertion response: `envelope.read_assertion` read its members.
        # Step 4, client extension results: none were asked for, and unsolicited ones are ignored (section 9).
        # Step 5, the credential is among those of the options: the caller's part, which knows them.
        # Step 6, the user owns the credential: the caller found record and owner; the handle has to name the owner.
        _check_user_handle(response.user_handle, expected_user_handle, is_required=require_user_handle)
        # Step 7, three byte strings: the envelope has them.
        # Steps 8 and 9, decoding and parsing of the client data: `client_data.read`, called by the envelope.
        # Steps 10 to 14, type, challenge, origin and framing.
        challenge = shared_steps.check_client_data(response.client, expected_type="webauthn.get", expected=expected)
        # Steps 15 to 18, the RP id's hash, UP, UV, and BS only with BE.
        data = authenticator_data.read(response.authenticator_data)
        shared_steps.check_authenticator_data(data, expected=expected)
        # Step 19, what a credential may become does not change after its making.
        _check_old_credential(data, expected_backup_eligible=expected_backup_eligible)
    except CeremonyFailed:
        # D-21: a refusal takes as long here as it takes at the signature, whatever key and signature these are.
        verify_in_vain(response.signature, public_key)
        raise
    # Steps 20 and 21, the hash, and the signature over authenticator data and hash.
    # Step 22, the signature counter, is judged by the caller and only now that the signature is known to hold.
    _verify_signature(response, challenge, public_key, expected=expected)
    # Step 23, authenticator extension outputs: as at registration. Steps 24 and 25 are the caller's transaction.
    return VerifiedAssertion(data.sign_count, data.is_user_verified, data.is_backed_up)


def verify_in_vain(signature: bytes | None = None, public_key: bytes | None = None) -> None:
    """Spends the work of one assertion's verification, for answers that are refused without one (D-21).

    How much that is depends on signature and key; an answer that names a credential is given its own. What comes of it
    means nothing.
    """
    vain, nobodys_key, expected = _vain_assertion()
    if signature is not None:
        vain = replace(vain, signature=signature)
    with suppress(CeremonyFailed):
        _verify_signature(vain, _VAIN_CHALLENGE, public_key or nobodys_key, expected=expected)


@cache
def dummy_public_keys() -> dict[int, bytes]:
    """COSE_Keys by algorithm that stand in for an unknown credential's; nobody has their private parts."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
    okp = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    # Verification never asks how a modulus was made, and making one properly takes a while.
    modulus = bytearray(secrets.token_bytes(256))
    modulus[0] |= 0x80
    modulus[-1] |= 0x01
    return {
        cose_key.ES256: b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y,
        cose_key.EDDSA: b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20" + okp,
        cose_key.RS256: b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00" + bytes(modulus) + b"\x21\x43\x01\x00\x01",
    }


def _new_credential(data: AuthenticatorData, response: RegistrationResponse) -> AttestedCredential:
    if data.attested is None:
        raise CeremonyFailed(Reason.AUTHENTICATOR_DATA_MALFORMED, debug="no attested credential data")
    # §7.1 step 25, moved before the key is looked at; the lower end is R-WA-15.
    if len(data.attested.credential_id) not in CREDENTIAL_ID_BYTES:
        raise CeremonyFailed(Reason.CREDENTIAL_ID_LENGTH, debug=str(len(data.attested.credential_id)))
    # Not a step: only the id inside the authenticator data is signed, so the one outside has to be the same.
    if data.attested.credential_id != response.credential_id:
        raise CeremonyFailed(Reason.CREDENTIAL_ID_MISMATCH)
    return data.attested


def _check_certificates(
    attestation: AttestationObject, *, expected_aaguid: str, expected_roots: tuple[bytes, ...], now: datetime
) -> None:
    if attestation.format != attestation_object.PACKED_X5C:
        return
    if not expected_roots:
        # Without anchors the library would take every chain.
        raise CeremonyFailed(Reason.ATTESTATION_FORMAT_REFUSED, debug="packed with x5c, and no root is configured")
    chain: Any = attestation.statement["x5c"]
    packed_certificate.check(chain, expected_aaguid=expected_aaguid, now=now)


def _check_user_handle(presented: bytes | None, expected: bytes, *, is_required: bool) -> None:
    if presented is None:
        if is_required:
            raise CeremonyFailed(Reason.USER_HANDLE_MISSING)
    elif not compare_digest(presented, expected):
        raise CeremonyFailed(Reason.USER_HANDLE_MISMATCH)


def _check_old_credential(data: AuthenticatorData, *, expected_backup_eligible: bool) -> None:
    # Not a step: section 6.1 has authenticators leave attested credential data out of assertions.
    if data.attested is not None:
        raise CeremonyFailed(Reason.ATTESTED_DATA_IN_ASSERTION)
    if data.is_backup_eligible != expected_backup_eligible:
        raise CeremonyFailed(Reason.BACKUP_ELIGIBILITY_CHANGED)


def _verify_statement(
    response: RegistrationResponse,
    challenge: bytes,
    algorithm: int,
    *,
    expected: Expected,
    expected_roots: tuple[bytes, ...],
) -> None:
    _ask_library(
        verify_registration_response,
        invalid=Reason.ATTESTATION_INVALID,
        credential=RegistrationCredential(
            id=base64url.encode(response.credential_id),
            raw_id=response.credential_id,
            response=AuthenticatorAttestationResponse(
                client_data_json=response.client_data, attestation_object=response.attestation_object
            ),
        ),
        expected_challenge=challenge,
        expected_rp_id=expected.rp_id,
        expected_origin=list(expected.origins),
        require_user_verification=expected.require_user_verification,
        supported_pub_key_algs=[algorithm],
        pem_root_certs_bytes_by_fmt={AttestationFormat.PACKED: list(expected_roots)},
    )


def _verify_signature(response: AssertionResponse, challenge: bytes, public_key: bytes, *, expected: Expected) -> None:
    _ask_library(
        verify_authentication_response,
        invalid=Reason.SIGNATURE_INVALID,
        credential=AuthenticationCredential(
            id=base64url.encode(response.credential_id),
            raw_id=response.credential_id,
            response=AuthenticatorAssertionResponse(
                client_data_json=response.client_data,
                authenticator_data=response.authenticator_data,
                signature=response.signature,
            ),
        ),
        expected_challenge=challenge,
        expected_rp_id=expected.rp_id,
        expected_origin=list(expected.origins),
        credential_public_key=public_key,
        # The library would judge the count before the signature (R-WA-14); from 0, no count offends it.
        credential_current_sign_count=0,
        require_user_verification=expected.require_user_verification,
    )


def _record(
    data: AuthenticatorData,
    credential: AttestedCredential,
    algorithm: int,
    attestation_format: str,
    transports: tuple[str, ...],
) -> VerifiedRegistration:
    return VerifiedRegistration(
        credential_id=credential.credential_id,
        public_key=credential.public_key,
        algorithm=algorithm,
        sign_count=data.sign_count,
        aaguid=credential.aaguid,
        transports=transports,
        attestation_format=attestation_format,
        is_user_verified=data.is_user_verified,
        is_backup_eligible=data.is_backup_eligible,
        is_backed_up=data.is_backed_up,
    )


def _ask_library(question: Callable[..., object], *, invalid: Reason, **arguments: object) -> None:
    try:
        question(**arguments)
    except WebAuthnException as error:
        # A signature that does not hold is raised while the primitive's own exception is handled.
        reason = invalid if isinstance(error.__context__, InvalidSignature) else Reason.LIBRARY_REFUSED
        raise CeremonyFailed(reason, debug=f"{type(error).__name__}: {error}") from error
    except Exception as error:
        # R-WA-20: the parsers beneath it raise what they like; none of it may become more than a refusal.
        raise CeremonyFailed(Reason.LIBRARY_ERROR, debug=f"{type(error).__name__}: {error}") from error


_VAIN_CHALLENGE: Final = bytes(32)


@cache
def _vain_assertion() -> tuple[AssertionResponse, bytes, Expected]:
    expected = Expected(
        challenge_hash=sha256(_VAIN_CHALLENGE).digest(),
        origins=("https://localhost",),
        top_origins=(),
        rp_id="localhost",
        require_user_verification=True,
    )
    collected = b'{"type":"webauthn.get","challenge":"%s","origin":"https://localhost","crossOrigin":false}' % (
        base64url.encode(_VAIN_CHALLENGE).encode()
    )
    response = AssertionResponse(
        credential_id=_VAIN_CHALLENGE,
        client_data=collected,
        client=client_data.read(collected),
        authenticator_data=sha256(b"localhost").digest() + b"\x05\x00\x00\x00\x00",
        signature=ec.generate_private_key(ec.SECP256R1()).sign(b"something else", ec.ECDSA(hashes.SHA256())),
        user_handle=None,
    )
    return response, dummy_public_keys()[cose_key.ES256], expected
