"""Attestation certificates as parts (RFC 5280), issued when a draft is put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import randbits
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.attestation.authority import BEGIN, END, Extension, usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from authctl.virtual_authenticator.authenticator.keys import CredentialKey

BASIC_CONSTRAINTS: Final = "basicConstraints"
KEY_USAGE: Final = "keyUsage"
AUTHORITY_KEY: Final = "authorityKeyIdentifier"
_BIT_STRING: Final = 0x03
_VERSION_3: Final = bytes.fromhex("a003020102")
_VERSION_1: Final = bytes.fromhex("a003020100")
_ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_SERIAL_BITS: Final = 120


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs a certificate."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


@dataclass
class CertificateDraft:
    """One certificate.

    extensions  by a name of ours, in place of those that it would have; None leaves one out
    finish      makes something else of the finished DER
    """

    subject: x509.Name
    public: Any
    issuer: Issuer
    begin: datetime = BEGIN
    end: datetime = END
    is_authority: bool = False
    extensions: dict[str, Extension | None] = field(default_factory=dict)
    finish: Callable[[bytes], bytes] | None = None

    def der(self, own: Mapping[str, Extension] | None = None) -> bytes:
        """The certificate in DER, with the extensions that its format wants in it."""
        builder = (
            x509.CertificateBuilder(self.issuer.name, self.subject, self.public, randbits(_SERIAL_BITS) | 1)
            .not_valid_before(self.begin)
            .not_valid_after(self.end)
        )
        for extension in (self._usual() | dict(own or {}) | self.extensions).values():
            if extension is not None:
                builder = builder.add_extension(extension.value, critical=extension.critical)
        made = builder.sign(self.issuer.key, SHA256()).public_bytes(Encoding.DER)
        return made if self.finish is None else self.finish(made)

    def _usual(self) -> dict[str, Extension | None]:
        issuer = x509.SubjectKeyIdentifier.from_public_key(self.issuer.key.public_key()).digest
        return {
            BASIC_CONSTRAINTS: Extension(x509.BasicConstraints(ca=self.is_authority, path_length=None), critical=True),
            KEY_USAGE: Extension(usage(is_authority=self.is_authority), critical=True),
            "subjectKeyIdentifier": Extension(x509.SubjectKeyIdentifier.from_public_key(self.public)),
            AUTHORITY_KEY: Extension(x509.AuthorityKeyIdentifier(issuer, None, None)),
        }


def private_of(key: CredentialKey) -> Any:
    """The private key, as `cryptography` has it."""
    return key.private()


def reissued(certificate: bytes, key: ec.EllipticCurvePrivateKey, change: Callable[[bytes], bytes]) -> bytes:
    """The certificate with its to-be-signed part changed as bytes, and signed again with the issuer's key."""
    changed = change(x509.load_der_x509_certificate(certificate).tbs_certificate_bytes)
    signature = key.sign(changed, ec.ECDSA(SHA256()))
    return der.tlv(der.SEQUENCE, changed, _ECDSA_WITH_SHA256, der.tlv(_BIT_STRING, b"\x00", signature))


def of_version_1(content: bytes) -> bytes:
    """A to-be-signed certificate that claims version 1, extensions and all."""
    return content.replace(_VERSION_3, _VERSION_1, 1)
