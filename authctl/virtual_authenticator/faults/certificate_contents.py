"""Faults of what TPM, Android and Apple certificates say: names and uses, key descriptions, nonces."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from authctl.virtual_authenticator.attestation.authority import Extension
from authctl.virtual_authenticator.attestation.tpm import AIK_USE, MANUFACTURER, VERSION
from authctl.virtual_authenticator.attestation.tpm import MODEL as TPM_MODEL
from authctl.virtual_authenticator.authenticator.keys import ES256, CredentialKey
from authctl.virtual_authenticator.faults.android import (
    ALL_APPLICATIONS,
    DESCRIPTION,
    DESCRIPTION_OID,
    IMPORTED,
    NULL,
    ORIGIN,
    PURPOSE,
    SIGN,
    VERIFY,
    AndroidStatement,
    KeyDescription,
    origin,
    purposes,
)
from authctl.virtual_authenticator.faults.certificate import chain, extension, leaf
from authctl.virtual_authenticator.faults.certificates import BASIC_CONSTRAINTS
from authctl.virtual_authenticator.faults.certified import MODEL, NONCE, NONCE_OID, model, nonce_of
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.tpm import ALTERNATIVE, USE
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

fault = partial(any_fault, Layer.CERTIFICATE)

_AUTHORITY: Final = Extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
_NAMED: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A TPM")])

leaf("reg.tpm.subject", lambda certificate: setattr(certificate, "subject", _NAMED))
extension("reg.tpm.san-missing", ALTERNATIVE, None)
extension("reg.tpm.san-dns", ALTERNATIVE, Extension(x509.SubjectAlternativeName([x509.DNSName("tpm.example")]), True))
extension("reg.tpm.eku-missing", USE, None)
extension("reg.tpm.eku-other", USE, Extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])))
extension("reg.tpm.eku-any", USE, Extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])))
extension("reg.tpm.eku-second", USE, Extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, AIK_USE])))
extension("reg.tpm.leaf-is-ca", BASIC_CONSTRAINTS, _AUTHORITY)
extension("reg.tpm.no-basic-constraints", BASIC_CONSTRAINTS, None)
extension("reg.tpm.aaguid-ext", MODEL, model(bytes(range(16))))

chain("reg.tpm.san-no-manufacturer", lambda statement: statement.names.pop(MANUFACTURER))
chain("reg.tpm.san-no-model", lambda statement: statement.names.pop(TPM_MODEL))
chain("reg.tpm.san-no-version", lambda statement: statement.names.pop(VERSION))
chain("reg.tpm.san-unknown-manufacturer", lambda statement: statement.names.update({MANUFACTURER: "id:00000000"}))


@fault("reg.tpm.san-not-critical")
def names_not_critical(draft: Any) -> None:
    """The TPM's names in an extension that may be ignored, though there is no subject."""
    draft.statement.leaf.extensions[ALTERNATIVE] = draft.statement.alternative_name(critical=False)


def _android(case_id: str, change: Callable[[KeyDescription], object], variant: str = "") -> None:
    """One thing of the key description."""

    def alter(draft: RegistrationDraft) -> None:
        change(description_of(draft))

    fault(case_id, variant)(alter)


def description_of(draft: RegistrationDraft) -> KeyDescription:
    """The key description of the draft's statement."""
    if not isinstance(draft.statement, AndroidStatement):
        raise TypeError("the draft has no statement of an Android key store")
    return draft.statement.description


def _to_software(description: KeyDescription) -> None:
    description.software, description.hardware = description.hardware, {}


_BOTH: Final = purposes(SIGN, VERIFY)

_android("reg.android.challenge", lambda description: setattr(description, "challenge", secrets.token_bytes(32)))
_android("reg.android.challenge-empty", lambda description: setattr(description, "challenge", b""))
_android("reg.android.allapps-sw", lambda description: description.software.update({ALL_APPLICATIONS: NULL}))
_android("reg.android.allapps-hw", lambda description: description.hardware.update({ALL_APPLICATIONS: NULL}))
_android("reg.android.origin-imported", lambda description: description.hardware.update({ORIGIN: origin(IMPORTED)}))
_android("reg.android.origin-absent", lambda description: description.hardware.pop(ORIGIN))
_android("reg.android.purpose-both", lambda description: description.hardware.update({PURPOSE: _BOTH}))
_android("reg.android.purpose-verify", lambda description: description.hardware.update({PURPOSE: purposes(VERIFY)}))
_android("reg.android.purpose-absent", lambda description: description.hardware.pop(PURPOSE))
_android("reg.android.lists-empty", lambda description: description.hardware.clear())
_android("reg.android.software-only", _to_software)
_android("reg.android.description-trailing", lambda description: setattr(description, "trailing", NULL))
_android("reg.android.origin-contradicts", lambda description: description.software.update({ORIGIN: origin(IMPORTED)}))
extension("reg.android.no-ext", DESCRIPTION, None)
extension("reg.android.ext-garbage", DESCRIPTION, Extension.raw(DESCRIPTION_OID, b"\x30\x03\x02\x01\x03"))
extension("reg.android.ext-empty", DESCRIPTION, Extension.raw(DESCRIPTION_OID, b""))


@fault("reg.android.pubkey")
def certified_key_is_another(draft: Any) -> None:
    """A certificate of a key that is not the credential's, which has signed."""
    statement = draft.statement
    statement.key = CredentialKey.generate(ES256, SystemRandom())
    statement.leaf.public = statement.key.public()


def _nonce(case_id: str, make: Callable[[bytes], bytes]) -> None:
    """Another nonce, made of the right one."""

    def alter(draft: Any) -> None:
        right = draft.statement.nonce
        draft.statement.nonce = lambda whole: make(right(whole))

    fault(case_id)(alter)


_nonce("reg.apple.nonce", lambda _: secrets.token_bytes(32))
_nonce("reg.apple.nonce-short", lambda nonce: nonce[:16])
_nonce("reg.apple.nonce-empty", lambda _: b"")
extension("reg.apple.no-ext", NONCE, None)
extension("reg.apple.ext-garbage", NONCE, Extension.raw(NONCE_OID, b"\x30\x00"))


@fault("reg.apple.ext-prefix")
def nonce_in_another_frame(draft: Any) -> None:
    """The right nonce behind six bytes that are no DER of anything."""
    draft.statement.leaf.extensions[NONCE] = Extension.raw(NONCE_OID, b"\xff" * 6 + nonce_of(draft))
