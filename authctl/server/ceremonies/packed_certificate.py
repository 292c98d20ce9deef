"""What WebAuthn section 8.2.1 asks of the certificate in a packed statement with x5c; the library checks none of it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

_AAGUID_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_OCTET_STRING_OF_16: Final = b"\x04\x10"


def check(chain: list[bytes], *, expected_aaguid: str, now: datetime) -> None:
    """Raises CeremonyFailed with `attestation_invalid` unless the first certificate is one that may attest.

    Whether it leads to a trusted root, and whether the others are in force, is the library's part.
    """
    try:
        _check(x509.load_der_x509_certificate(chain[0]), expected_aaguid, now)
    except Exception as error:
        # R-WA-20: the parser has exceptions of its own for versions, names and extensions, of no common family.
        raise CeremonyFailed(Reason.ATTESTATION_INVALID, debug=f"certificate: {error}") from error


def _check(certificate: x509.Certificate, expected_aaguid: str, now: datetime) -> None:
    if certificate.version is not x509.Version.v3:
        raise ValueError("not version 3")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ValueError("not in force")
    _check_subject(certificate.subject)
    if certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise ValueError("of an authority")
    _check_aaguid(certificate.extensions, uuid.UUID(expected_aaguid).bytes)


def _check_subject(subject: x509.Name) -> None:
    for name in (NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        if not subject.get_attributes_for_oid(name):
            raise ValueError("the subject lacks country, organisation or common name")
    units = [attribute.value for attribute in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
    if units != ["Authenticator Attestation"]:
        raise ValueError("the subject's unit is not Authenticator Attestation")


def _check_aaguid(extensions: x509.Extensions, aaguid: bytes) -> None:
    try:
        extension = extensions.get_extension_for_oid(_AAGUID_EXTENSION)
    except x509.ExtensionNotFound:
        return
    value = extension.value
    if extension.critical or not isinstance(value, x509.UnrecognizedExtension):
        raise ValueError("the AAGUID extension is critical")
    if value.value != _OCTET_STRING_OF_16 + aaguid:
        raise ValueError("the AAGUID extension names another model")
