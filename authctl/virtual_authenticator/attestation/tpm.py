"""Attestation statement format `tpm` (WebAuthn Level 3 §8.3): a TPM 2.0 certifies the credential key it holds."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ObjectIdentifier

from authctl.virtual_authenticator.attestation.authority import Extension, new_key
from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES256
from authctl.virtual_authenticator.authenticator.keys import algorithm_of
from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable

# TPM 2.0 Library, Part 2: algorithm identifiers (§6.3) and structure tags (§6.9).
_ALG_RSA, _ALG_SHA256, _ALG_NULL, _ALG_ECC = 0x0001, 0x000B, 0x0010, 0x0023
_MAGIC: Final = 0xFF544347
_ATTEST_CERTIFY: Final = 0x8017
_MAY_SIGN: Final = 0x00040000
_CURVES: Final = {"secp256r1": 0x0003, "secp384r1": 0x0004, "secp521r1": 0x0005}
# TPMS_CLOCK_INFO: clock, reset count, restart count, and whether the clock never went back.
_CLOCK: Final = bytes(8) + b"\x11" * 4 + b"\x22" * 4 + b"\x01"
_FIRMWARE: Final = bytes(8)

AIK_USE: Final = ObjectIdentifier("2.23.133.8.3")
"""What the certificate of a TPM's attestation key says that the key is for (§8.3.1)."""
MANUFACTURER, MODEL, VERSION = (ObjectIdentifier(f"2.23.133.2.{number}") for number in (1, 2, 3))
# The manufacturer is IBM, as the software TPM of virtual machines says too.
NAMES: Final = {MANUFACTURER: "id:49424D00", MODEL: "authctl virtual TPM", VERSION: "id:00000001"}
"""What the certificate says of the TPM."""


class Tpm:
    """A certificate for the TPM's attestation key, what the TPM certified, and the public area of the key.

    manufacturer, model, version  what the certificate says of the TPM (§8.3.1)
    is_one_set                    whether the three stand in one set, where some servers want three
    clock                         TPMS_CLOCK_INFO, 17 bytes
    """

    name = "tpm"
    identifier = "tpm"

    def __init__(
        self,
        manufacturer: str = NAMES[MANUFACTURER],
        model: str = NAMES[MODEL],
        version: str = NAMES[VERSION],
        *,
        is_one_set: bool = False,
        clock: bytes = _CLOCK,
    ) -> None:
        self._clock = clock
        self._attributes = [
            x509.NameAttribute(MANUFACTURER, manufacturer),
            x509.NameAttribute(MODEL, model),
            x509.NameAttribute(VERSION, version),
        ]
        self._is_one_set = is_one_set

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`ver`, `alg`, `x5c`, `sig`, `certInfo` and `pubArea`."""
        area = public_area(subject.key.public())
        key = new_key(subject.random)
        certificate = subject.authority.certify(
            key.public_key(), subject.random, subject=x509.Name([]), extensions=self._extensions()
        )
        information = certify_information(subject.nonce, area, self._clock)
        return {
            "alg": ES256,
            "sig": algorithm_of(ES256).sign(key, information, subject.is_deterministic),
            "ver": "2.0",
            "x5c": [certificate],
            "pubArea": area,
            "certInfo": information,
        }

    def _extensions(self) -> tuple[Extension, ...]:
        sets = (
            [x509.RelativeDistinguishedName(self._attributes)]
            if self._is_one_set
            else [x509.RelativeDistinguishedName([attribute]) for attribute in self._attributes]
        )
        name = x509.SubjectAlternativeName([x509.DirectoryName(x509.Name(sets))])
        # An empty subject makes the alternative name critical (RFC 5280 §4.2.1.6).
        return Extension(x509.ExtendedKeyUsage([AIK_USE])), Extension(name, critical=True)


def certify_information(extra_data: bytes, area: bytes, clock: bytes = _CLOCK) -> bytes:
    """TPMS_ATTEST of a certified key: the nonce, the clock, and the name of the key, which is a hash of its area."""
    name = _ALG_SHA256.to_bytes(2, "big") + sha256(area).digest()
    return b"".join(
        (
            _MAGIC.to_bytes(4, "big"),
            _ATTEST_CERTIFY.to_bytes(2, "big"),
            sized(b""),
            sized(extra_data),
            clock,
            _FIRMWARE,
            sized(name),
            sized(b""),
        )
    )


def public_area(key: Any) -> bytes:
    """TPMT_PUBLIC of a credential's key; NotSupported for a kind of key that a TPM has no area for."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        numbers, width = key.public_numbers(), (key.curve.key_size + 7) // 8
        # Symmetric algorithm and scheme: none; then the curve and no key derivation.
        parameters = _words(_ALG_NULL, _ALG_NULL, _CURVES[key.curve.name], _ALG_NULL)
        unique = sized(numbers.x.to_bytes(width, "big")) + sized(numbers.y.to_bytes(width, "big"))
        return _head(_ALG_ECC) + parameters + unique
    if isinstance(key, rsa.RSAPublicKey):
        # An exponent of zero stands for 65537.
        parameters = _words(_ALG_NULL, _ALG_NULL, key.key_size) + bytes(4)
        return _head(_ALG_RSA) + parameters + sized(key.public_numbers().n.to_bytes(key.key_size // 8, "big"))
    raise NotSupported("A TPM holds keys on NIST curves and RSA keys", hint="--algorithm ES256 or RS256")


def _head(kind: int) -> bytes:
    return _words(kind, _ALG_SHA256) + _MAY_SIGN.to_bytes(4, "big") + sized(b"")


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def sized(data: bytes) -> bytes:
    """A buffer after its length in two bytes."""
    return len(data).to_bytes(2, "big") + data
