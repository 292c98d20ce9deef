"""Makes the test vectors of WebAuthn Level 3 anew from the rule they were made by (section "Test Vectors").

Every random value is HKDF-SHA-256 of one phrase with the example's name as info and a counter as salt; ECDSA signatures
take their nonce from RFC 6979. Left out are the attestation objects of the formats that the service does not accept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.server.ceremonies.messages import attestation_object, attested_data, cbor, text

if TYPE_CHECKING:
    from collections.abc import Callable

PHRASE = b"WebAuthn test vectors"
RP_ID = "example.org"
ORIGIN = "https://example.org"
TOP_ORIGIN = "https://example.com"
BE = 0x08


@dataclass(frozen=True, slots=True)
class Example:
    """How one example of the section differs from the others."""

    id: str
    info: str
    kind: str
    algorithm: int = -7
    challenge_bytes: int = 32
    credential_id_bytes: int = 32
    client: tuple[tuple[str, Any], ...] = (("crossOrigin", False),)


EXAMPLES = (
    Example("none-es256", "none.ES256", "none"),
    Example("packed-self-es256", "packed-self.ES256", "packed-self"),
    Example("none-es256-crossOrigin", "none.ES256.crossOrigin", "none", client=(("crossOrigin", True),)),
    Example(
        "none-es256-topOrigin",
        "none.ES256.topOrigin",
        "none",
        client=(("crossOrigin", True), ("topOrigin", TOP_ORIGIN)),
    ),
    Example("none-es256-long-credential-id", "none.ES256.long-credential-id", "none", credential_id_bytes=1023),
    Example("packed-es256", "packed.ES256", "packed"),
    Example("packed-es384", "packed.ES384", "packed", -35),
    Example("packed-es512", "packed.ES512", "packed", -36, challenge_bytes=128),
    Example("packed-rs256", "packed.RS256", "packed", -257),
    Example("packed-eddsa", "packed.EdDSA", "packed", -8),
    Example("packed-ed448", "packed.Ed448", "packed", -53),
    Example("tpm-es256", "tpm.ES256", "tpm"),
    Example("android-key-es256", "android-key.ES256", "android-key"),
    Example("apple-es256", "apple.ES256", "apple"),
    Example("fido-u2f-es256", "fido-u2f.ES256", "fido-u2f"),
)


@dataclass(frozen=True, slots=True)
class Vector:
    """One registration and the login with what it made; `attestation_object` is None for formats that are left out."""

    example: Example
    credential_id: bytes
    public_key: bytes
    registration_challenge: bytes
    registration_client_data: bytes
    registration_data: bytes
    attestation_object: bytes | None
    challenge: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


class Draws:
    """The values of one example, in the order in which it draws them."""

    def __init__(self, info: str) -> None:
        self._info = info.encode()
        self._counter = 0

    def draw(self, length: int) -> bytes:
        """The next `length` bytes."""
        hkdf = HKDF(hashes.SHA256(), length, salt=bytes([self._counter]), info=self._info)
        self._counter += 1
        return hkdf.derive(PHRASE)


def derive(example: Example) -> Vector:
    """The example's vector."""
    draws = Draws(example.info)
    registration_challenge = draws.draw(example.challenge_bytes)
    public_key, signer = _credential_key(example.algorithm, draws)
    registration_client_data = _client_data(example, "webauthn.create", registration_challenge, draws)
    aaguid, credential_id = draws.draw(16), draws.draw(example.credential_id_bytes)
    # U2F tokens know neither user verification nor backup.
    flags = 0x41 if example.kind == "fido-u2f" else 0x41 | _creation_flags(draws.draw(1)[0])
    data = _data(flags, attested_data(credential_id, public_key, aaguid=aaguid))
    signed = data + sha256(registration_client_data).digest()
    attestation = _attestation_object(example, data, signed, signer, draws)
    challenge = draws.draw(example.challenge_bytes)
    client_data = _client_data(example, "webauthn.get", challenge, draws)
    # UV and BS are drawn; BS counts only for a credential that may be backed up.
    assertion_data = _data(0x01 | flags & BE | draws.draw(1)[0] & (0x14 if flags & BE else 0x04), b"")
    return Vector(
        example=example,
        credential_id=credential_id,
        public_key=public_key,
        registration_challenge=registration_challenge,
        registration_client_data=registration_client_data,
        registration_data=data,
        attestation_object=attestation,
        challenge=challenge,
        client_data=client_data,
        authenticator_data=assertion_data,
        signature=signer(assertion_data + sha256(client_data).digest()),
    )


@cache
def all_vectors() -> tuple[Vector, ...]:
    """All 15."""
    return tuple(map(derive, EXAMPLES))


@cache
def attestation_root() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The authority above all attestation certificates of the section."""
    draws = Draws("Attestation CA")
    key = ec.derive_private_key(int.from_bytes(draws.draw(32), "big"), ec.SECP256R1())
    subject = _name("Authenticator Attestation CA")
    serial = int.from_bytes(draws.draw(16), "big")
    return _certificate(subject, subject, key.public_key(), serial, key, is_authority=True), key


def _creation_flags(drawn: int) -> int:
    return drawn & (0x1C if drawn & BE else 0x04)


def _data(flags: int, attested: bytes) -> bytes:
    return sha256(RP_ID.encode()).digest() + bytes([flags]) + bytes(4) + attested


def _client_data(example: Example, kind: str, challenge: bytes, draws: Draws) -> bytes:
    members = {"type": kind, "challenge": text(challenge), "origin": ORIGIN, **dict(example.client)}
    if draws.draw(1)[0] & 1:
        members["extraData"] = (
            "clientDataJSON may be extended with additional fields in the future, such as this: " + text(draws.draw(16))
        )
    return json.dumps(members, separators=(",", ":")).encode()


_CURVES: dict[int, tuple[int, int, int, ec.EllipticCurve, hashes.HashAlgorithm]] = {
    -7: (32, 32, 1, ec.SECP256R1(), hashes.SHA256()),
    -35: (48, 48, 2, ec.SECP384R1(), hashes.SHA384()),
    -36: (65, 66, 3, ec.SECP521R1(), hashes.SHA512()),
}


def _credential_key(algorithm: int, draws: Draws) -> tuple[bytes, Callable[[bytes], bytes]]:
    if algorithm in _CURVES:
        drawn, width, number, curve, digest = _CURVES[algorithm]
        key = ec.derive_private_key(int.from_bytes(draws.draw(drawn), "big"), curve)
        point = key.public_key().public_numbers()
        x, y = point.x.to_bytes(width, "big"), point.y.to_bytes(width, "big")
        signature_algorithm = ec.ECDSA(digest, deterministic_signing=True)
        cose = {1: 2, 3: algorithm, -1: number, -2: x, -3: y}
        return cbor(cose), lambda data: key.sign(data, signature_algorithm)
    if algorithm == -257:
        rsa_key = mersenne_key()
        modulus = rsa_key.public_key().public_numbers().n
        cose = {1: 3, 3: -257, -1: modulus.to_bytes((modulus.bit_length() + 7) // 8, "big"), -2: b"\x01\x00\x01"}
        return cbor(cose), lambda data: rsa_key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    if algorithm == -8:
        ed_key = ed25519.Ed25519PrivateKey.from_private_bytes(draws.draw(32))
        return cbor({1: 1, 3: -8, -1: 6, -2: ed_key.public_key().public_bytes_raw()}), ed_key.sign
    big_key = ed448.Ed448PrivateKey.from_private_bytes(draws.draw(57))
    return cbor({1: 1, 3: -53, -1: 7, -2: big_key.public_key().public_bytes_raw()}), big_key.sign


def mersenne_key() -> rsa.RSAPrivateKey:
    """The RSA key has the two smallest Mersenne primes of 1024 bits and more for its factors."""
    p, q = 2**1279 - 1, 2**2203 - 1
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(65537, p * q),
    ).private_key()


def _attestation_object(
    example: Example, data: bytes, signed: bytes, signer: Callable[[bytes], bytes], draws: Draws
) -> bytes | None:
    if example.kind == "none":
        return attestation_object(data)
    if example.kind == "packed-self":
        return attestation_object(data, fmt="packed", statement={"alg": example.algorithm, "sig": signer(signed)})
    if example.kind in ("android-key", "apple"):
        draws.draw(16)  # the serial number; the certificate has the credential's own key
        return None
    key = ec.derive_private_key(int.from_bytes(draws.draw(32), "big"), ec.SECP256R1())
    serial = int.from_bytes(draws.draw(16), "big")
    if example.kind != "packed":
        return None
    root, root_key = attestation_root()
    subject = _name("Authenticator Attestation")
    certificate = _certificate(subject, root.subject, key.public_key(), serial, root_key, is_authority=False)
    signature = key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    statement = {"alg": -7, "sig": signature, "x5c": [certificate.public_bytes(Encoding.DER)]}
    return attestation_object(data, fmt="packed", statement=statement)


def _name(unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "WebAuthn test vectors"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "W3C"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "AA"),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    serial: int,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    uses = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder(issuer, subject, key, serial)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(3024, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **uses
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    if not is_authority:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier(authority.key_identifier, None, None), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)
