"""Key pairs of credentials: how each algorithm makes, signs with and describes a key; one entry per algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from authctl.virtual_authenticator.authenticator import cbor, primes
from authctl.virtual_authenticator.errors import NotSupported, StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.randomness import RandomSource

ES256: Final = -7
EDDSA: Final = -8
RS256: Final = -257

_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One COSE algorithm.

    key_type         the class of private keys it signs with
    generate         a new private key from random bytes
    sign             (key, message, deterministic) to signature, in the form of WebAuthn §6.5.5
    cose             the public key's COSE members beside `alg`
    """

    identifier: int
    name: str
    key_type: type[Any]
    generate: Callable[[RandomSource], Any]
    sign: Callable[[Any, bytes, bool], bytes]
    cose: Callable[[Any], Mapping[int, int | bytes]]


class CredentialKey:
    """A private key with its algorithm. Neither repr nor str shows the key."""

    __slots__ = ("_pkcs8", "_private", "algorithm")

    def __init__(self, algorithm: Algorithm, private: Any = None, pkcs8: bytes | None = None) -> None:
        self.algorithm = algorithm
        self._private = private
        self._pkcs8 = pkcs8

    @classmethod
    def generate(cls, identifier: int, random: RandomSource) -> CredentialKey:
        """A new key; NotSupported for an algorithm that is not here."""
        algorithm = algorithm_of(identifier)
        return cls(algorithm, algorithm.generate(random))

    @classmethod
    def from_pkcs8(cls, identifier: int, pkcs8: bytes) -> CredentialKey:
        """A stored key; it is parsed when first used, since a file holds many that one command does not need."""
        return cls(algorithm_of(identifier), pkcs8=pkcs8)

    def __repr__(self) -> str:
        return f"<CredentialKey {self.algorithm.name}>"

    def sign(self, message: bytes, *, is_deterministic: bool = False) -> bytes:
        """The signature over the message."""
        return self.algorithm.sign(self._private or self._load(), message, is_deterministic)

    def public_cose(self) -> bytes:
        """The public key as an encoded COSE key with `alg` and no other optional member."""
        members: dict[int, cbor.Encodable] = {3: self.algorithm.identifier}
        members.update(self.algorithm.cose(self._public()))
        return cbor.encode(members)

    def public_spki(self) -> bytes:
        """The public key as a DER SubjectPublicKeyInfo, the form of `getPublicKey()`."""
        spki: bytes = self._public().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return spki

    def to_pkcs8(self) -> bytes:
        """The private key as unencrypted PKCS#8, for the store and nothing else."""
        if self._pkcs8 is None:
            self._pkcs8 = self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return self._pkcs8

    def _public(self) -> Any:
        return (self._private or self._load()).public_key()

    def _load(self) -> Any:
        try:
            private = load_der_private_key(self._pkcs8 or b"", None, unsafe_skip_rsa_key_validation=True)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The text of the error could quote the key.
            raise StoreDamaged("A stored private key cannot be read", debug=type(error).__name__) from None
        if not isinstance(private, self.algorithm.key_type):
            raise StoreDamaged(f"A stored private key is not one of {self.algorithm.name}")
        self._private = private
        return private


def algorithm_of(identifier: int) -> Algorithm:
    """The entry of a COSE identifier; NotSupported when there is none."""
    try:
        return ALGORITHMS[identifier]
    except KeyError:
        raise NotSupported(f"The algorithm {identifier} is not known here") from None


def algorithm_named(name: str) -> Algorithm:
    """The entry of a name such as ES256, in any case; NotSupported when there is none."""
    for algorithm in ALGORITHMS.values():
        if algorithm.name.lower() == name.lower():
            return algorithm
    known = ", ".join(algorithm.name for algorithm in ALGORITHMS.values())
    raise NotSupported(f"The algorithm {name!r} is not known here", hint=f"One of: {known}")


_ECDSA_SHA256 = ec.ECDSA(SHA256())
_ECDSA_SHA256_RFC6979 = ec.ECDSA(SHA256(), deterministic_signing=True)
_PKCS1 = padding.PKCS1v15()
_SHA256 = SHA256()
_P256 = ec.SECP256R1()
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _generate_p256(random: RandomSource) -> ec.EllipticCurvePrivateKey:
    if not random.is_deterministic:
        return ec.generate_private_key(_P256)
    scalar = 0
    while not 0 < scalar < _P256_ORDER:
        scalar = int.from_bytes(random.take(32), "big")
    return ec.derive_private_key(scalar, _P256)


def _sign_es256(key: ec.EllipticCurvePrivateKey, message: bytes, is_deterministic: bool) -> bytes:
    return key.sign(message, _ECDSA_SHA256_RFC6979 if is_deterministic else _ECDSA_SHA256)


def _cose_p256(key: ec.EllipticCurvePublicKey) -> Mapping[int, int | bytes]:
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {1: 2, -1: 1, -2: point[1:33], -3: point[33:]}


def _cose_ed25519(key: ed25519.Ed25519PublicKey) -> Mapping[int, int | bytes]:
    return {1: 1, -1: 6, -2: key.public_bytes_raw()}


def _generate_rsa(random: RandomSource) -> rsa.RSAPrivateKey:
    if not random.is_deterministic:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return primes.rsa_key(random, _RSA_BITS)


def _cose_rsa(key: rsa.RSAPublicKey) -> Mapping[int, int | bytes]:
    numbers = key.public_numbers()
    return {1: 3, -1: _magnitude(numbers.n), -2: _magnitude(numbers.e)}


def _magnitude(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


ALGORITHMS: Final[dict[int, Algorithm]] = {
    ES256: Algorithm(ES256, "ES256", ec.EllipticCurvePrivateKey, _generate_p256, _sign_es256, _cose_p256),
    EDDSA: Algorithm(
        EDDSA,
        "EdDSA",
        ed25519.Ed25519PrivateKey,
        lambda random: ed25519.Ed25519PrivateKey.from_private_bytes(random.take(32)),
        lambda key, message, _: key.sign(message),
        _cose_ed25519,
    ),
    RS256: Algorithm(
        RS256,
        "RS256",
        rsa.RSAPrivateKey,
        _generate_rsa,
        lambda key, message, _: key.sign(message, _PKCS1, _SHA256),
        _cose_rsa,
    ),
}
