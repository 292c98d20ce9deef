"""RSA with PKCS #1 v1.5 (RFC 8812) and with PSS (RFC 8230)."""

from __future__ import annotations

from hmac import digest as hmac_digest
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, Hash

from authctl.virtual_authenticator.authenticator import primes
from authctl.virtual_authenticator.authenticator.algorithms.algorithm import Algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from authctl.virtual_authenticator.randomness import RandomSource

RS1: Final = -65535
RS256: Final = -257
RS384: Final = -258
RS512: Final = -259
PS256: Final = -37
PS384: Final = -38
PS512: Final = -39

_RSA: Final = 3
_BITS: Final = 2048
_PKCS1: Final = padding.PKCS1v15()


def _generate(random: RandomSource) -> rsa.RSAPrivateKey:
    if not random.is_deterministic:
        return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return primes.rsa_key(random, _BITS)


def _fits(key: Any) -> bool:
    return isinstance(key, rsa.RSAPrivateKey)


def _cose(key: rsa.RSAPublicKey) -> Mapping[int, int | bytes]:
    numbers = key.public_numbers()
    return {1: _RSA, -1: _magnitude(numbers.n), -2: _magnitude(numbers.e)}


def _magnitude(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _pkcs1(identifier: int, name: str, digest: HashAlgorithm) -> Algorithm:
    return Algorithm(
        identifier, name, _generate, _fits, lambda key, message, _: bytes(key.sign(message, _PKCS1, digest)), _cose
    )


def _pss(identifier: int, name: str, digest: HashAlgorithm) -> Algorithm:
    # RFC 8230 §2: the salt is as long as the digest.
    scheme = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)

    def sign(key: rsa.RSAPrivateKey, message: bytes, is_deterministic: bool) -> bytes:
        return sign_pss(key, message, digest) if is_deterministic else key.sign(message, scheme, digest)

    return Algorithm(identifier, name, _generate, _fits, sign, _cose)


def sign_pss(key: rsa.RSAPrivateKey, message: bytes, digest: HashAlgorithm, *, salt_bytes: int | None = None) -> bytes:
    """An RSASSA-PSS signature whose salt follows from key and message, so that it is the same in every run.

    `cryptography` draws the salt itself, so the encoding of RFC 8017 §9.1.1 stands here. For tests: the exponentiation
    takes no care of timing. `salt_bytes` departs from the digest's length, which a strict verifier refuses.
    """
    numbers = key.private_numbers()
    length = digest.digest_size if salt_bytes is None else salt_bytes
    secret = numbers.d.to_bytes(key.key_size // 8, "big")
    salt = hmac_digest(secret, message, "sha512")[:length]
    encoded_bits = key.key_size - 1
    encoded_bytes = (encoded_bits + 7) // 8
    # RFC 8017 §9.1.1, steps 2 to 12.
    inner = _hash(bytes(8) + _hash(message, digest) + salt, digest)
    block = bytes(encoded_bytes - len(salt) - len(inner) - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mgf1(inner, len(block), digest), strict=True))
    masked[0] &= 0xFF >> (8 * encoded_bytes - encoded_bits)
    encoded = int.from_bytes(bytes(masked) + inner + b"\xbc", "big")
    signature = pow(encoded, numbers.d, numbers.public_numbers.n)
    return signature.to_bytes(key.key_size // 8, "big")


def _mgf1(seed: bytes, length: int, digest: HashAlgorithm) -> bytes:
    blocks = -(-length // digest.digest_size)
    return b"".join(_hash(seed + count.to_bytes(4, "big"), digest) for count in range(blocks))[:length]


def _hash(data: bytes, digest: HashAlgorithm) -> bytes:
    state = Hash(digest)
    state.update(data)
    return state.finalize()


ALGORITHMS: Final = (
    _pkcs1(RS256, "RS256", SHA256()),
    _pkcs1(RS384, "RS384", SHA384()),
    _pkcs1(RS512, "RS512", SHA512()),
    # Only for attestation by old TPMs: a server that takes it for a login is worth a finding.
    _pkcs1(RS1, "RS1", SHA1()),  # noqa: S303
    _pss(PS256, "PS256", SHA256()),
    _pss(PS384, "PS384", SHA384()),
    _pss(PS512, "PS512", SHA512()),
)
