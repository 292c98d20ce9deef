"""The key of access tokens: what signs, what verifies, and the public name of both."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Literal, TypeGuard, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Asymmetric = Literal["ES256", "EdDSA", "RS256"]
Algorithm = Literal["HS256"] | Asymmetric
ALGORITHMS: tuple[Algorithm, ...] = ("HS256", *get_args(Asymmetric))
PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

SHORTEST_SECRET = 32
SMALLEST_RSA_BITS = 2048
_KINDS = {
    "ES256": "an EC private key on P-256",
    "EdDSA": "an Ed25519 private key",
    "RS256": f"an RSA private key of at least {SMALLEST_RSA_BITS} bits",
}
_NO_SECRETS = (b"-----BEGIN ", b"ssh-", b"ecdsa-")
"""How PEM files and SSH keys begin. One that is public would let everybody sign."""


class UnsuitableKey(ValueError):
    """A key that does not fit its algorithm; the message says what would, and nothing of the key."""


@dataclass(frozen=True, slots=True)
class JwtKey:
    """One key for exactly one algorithm. Its private half never appears in a repr.

    kid  derived from the key, so that the same key has the same name everywhere: for asymmetric keys the JWK thumbprint
         (RFC 7638), for a secret a MAC under it, which tells nothing about it
    """

    algorithm: Algorithm
    kid: str
    signing: bytes | PrivateKey = field(repr=False)
    verifying: bytes | PublicKey = field(repr=False)

    @classmethod
    def from_secret(cls, secret: bytes) -> JwtKey:
        """A key for HS256 (RFC 7518 section 3.2). Raises UnsuitableKey when it is shorter than the hash."""
        if len(secret) < SHORTEST_SECRET:
            raise UnsuitableKey(f"is shorter than {SHORTEST_SECRET} bytes")
        if secret.lstrip().startswith(_NO_SECRETS) or b'"kty"' in secret:  # a JWK (RFC 7517 section 4.1)
            raise UnsuitableKey("is a key document and no secret; give it as JWT_PRIVATE_KEY")
        name = hmac.digest(secret, b"authctl: name of a token key", "sha256")
        return cls("HS256", _base64url(name[:16]), secret, secret)

    @classmethod
    def from_pem(cls, algorithm: Asymmetric, pem: bytes) -> JwtKey:
        """A key for ES256, EdDSA or RS256 from an unencrypted PEM. Raises UnsuitableKey for any other."""
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError is its word for an encrypted one
            raise UnsuitableKey(f"has to be an unencrypted PEM file with {_KINDS[algorithm]}") from error
        if not _fits(private, algorithm):
            raise UnsuitableKey(f"has to be {_KINDS[algorithm]} for JWT_ALGORITHM {algorithm}")
        public = private.public_key()
        return cls(algorithm, _thumbprint(public_members(public)), private, public)


def key_set(key: JwtKey) -> dict[str, list[dict[str, str]]]:
    """The JWK set (RFC 7517 section 5) that may be published: public keys only, and never a secret."""
    if isinstance(key.verifying, bytes):
        return {"keys": []}
    return {"keys": [{**public_members(key.verifying), "kid": key.kid, "alg": key.algorithm, "use": "sig"}]}


def public_members(key: PublicKey) -> dict[str, str]:
    """The members of a JWK that make the key (RFC 7518 section 6, RFC 8037 section 2)."""
    if isinstance(key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    point = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _integer(point.x, 32), "y": _integer(point.y, 32)}


def _fits(key: object, algorithm: Asymmetric) -> TypeGuard[PrivateKey]:
    if algorithm == "ES256":
        return isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
    if algorithm == "EdDSA":
        return isinstance(key, Ed25519PrivateKey)
    return isinstance(key, RSAPrivateKey) and key.key_size >= SMALLEST_RSA_BITS


def _thumbprint(members: dict[str, str]) -> str:
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def _integer(number: int, length: int = 0) -> str:
    return _base64url(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
