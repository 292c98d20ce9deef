"""Attestation statement format `apple` (WebAuthn Level 3 §8.8): a certificate for the credential key with a nonce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.attestation.authority import Extension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable

_NONCE_OID: Final = "1.2.840.113635.100.8.2"


class Apple:
    """Anonymous attestation: the certificate has the credential's own key, and there is no signature beside it."""

    name = "apple"
    identifier = "apple"

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`x5c` alone; the nonce stands in an extension of the certificate."""
        nonce = der.tlv(der.SEQUENCE, der.tagged(1, der.tlv(der.OCTET_STRING, subject.nonce)))
        certificate = subject.authority.certify(
            subject.key.public(), subject.random, extensions=(Extension.raw(_NONCE_OID, nonce),)
        )
        return {"x5c": [certificate]}
