"""Key pairs of credentials: a private key with its algorithm, and the table of algorithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from authctl.virtual_authenticator.authenticator import cbor
from authctl.virtual_authenticator.authenticator.algorithms import ecdsa, eddsa, mldsa, rsa
from authctl.virtual_authenticator.authenticator.algorithms.algorithm import Algorithm
from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES256
from authctl.virtual_authenticator.authenticator.algorithms.eddsa import EDDSA
from authctl.virtual_authenticator.authenticator.algorithms.rsa import RS256
from authctl.virtual_authenticator.errors import NotSupported, StoreDamaged

if TYPE_CHECKING:
    from authctl.virtual_authenticator.randomness import RandomSource

__all__ = ["ALGORITHMS", "EDDSA", "ES256", "RS256", "Algorithm", "CredentialKey", "algorithm_named", "algorithm_of"]

ALGORITHMS: Final[dict[int, Algorithm]] = {
    algorithm.identifier: algorithm
    for family in (ecdsa.ALGORITHMS, eddsa.ALGORITHMS, rsa.ALGORITHMS, mldsa.ALGORITHMS)
    for algorithm in family
}


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

    @classmethod
    def of_pkcs8(cls, pkcs8: bytes) -> CredentialKey:
        """A key of which nobody said the algorithm: the first that fits, which is the usual one of its kind."""
        private = _parsed(pkcs8)
        for algorithm in ALGORITHMS.values():
            if algorithm.fits(private):
                return cls(algorithm, private, pkcs8)
        raise NotSupported("The private key is of a kind that is not known here")

    def __repr__(self) -> str:
        return f"<CredentialKey {self.algorithm.name}>"

    def sign(self, message: bytes, *, is_deterministic: bool = False) -> bytes:
        """The signature over the message; the same in every run if asked for, where the algorithm allows it."""
        return self.algorithm.sign(self._private or self._load(), message, is_deterministic)

    def public_cose(self) -> bytes:
        """The public key as an encoded COSE key with `alg` and no other optional member."""
        members: dict[int, cbor.Encodable] = {3: self.algorithm.identifier}
        members.update(self.algorithm.cose(self.public()))
        return cbor.encode(members)

    def public_spki(self) -> bytes:
        """The public key as a DER SubjectPublicKeyInfo, the form of `getPublicKey()`."""
        spki: bytes = self.public().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return spki

    def to_pkcs8(self) -> bytes:
        """The private key as unencrypted PKCS#8, for the store and nothing else."""
        if self._pkcs8 is None:
            self._pkcs8 = self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return self._pkcs8

    def public(self) -> Any:
        """The public key, as `cryptography` has it."""
        return (self._private or self._load()).public_key()

    def private(self) -> Any:
        """The private key, as `cryptography` has it, for whoever signs what no authenticator would."""
        return self._private or self._load()

    def _load(self) -> Any:
        private = _parsed(self._pkcs8 or b"")
        if not self.algorithm.fits(private):
            raise StoreDamaged(f"A stored private key is not one of {self.algorithm.name}")
        self._private = private
        return private


def _parsed(pkcs8: bytes) -> Any:
    try:
        return load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The text of the error could quote the key.
        raise StoreDamaged("A stored private key cannot be read", debug=type(error).__name__) from None


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
