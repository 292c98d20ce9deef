"""ECDSA (RFC 9053 §2.1, RFC 8812, RFC 9864): signatures in DER, as WebAuthn §6.5.5 wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authctl.virtual_authenticator.authenticator.algorithms.algorithm import Algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from authctl.virtual_authenticator.randomness import RandomSource

ES256: Final = -7
ES384: Final = -35
ES512: Final = -36
ES256K: Final = -47
ESP256: Final = -9
ESP384: Final = -51
ESP512: Final = -52


@dataclass(frozen=True, slots=True)
class _Curve:
    """A curve with its COSE number (RFC 9053 §7.1).

    bound  scalars are below it: the order of the base point (SEC 2), or less
    drawn  the random bytes of a scalar
    """

    curve: ec.EllipticCurve
    number: int
    bound: int
    drawn: int

    @property
    def width(self) -> int:
        """The bytes of a coordinate."""
        return (self.curve.key_size + 7) // 8

    def generate(self, random: RandomSource) -> ec.EllipticCurvePrivateKey:
        if not random.is_deterministic:
            return ec.generate_private_key(self.curve)
        scalar = 0
        while not 0 < scalar < self.bound:
            scalar = int.from_bytes(random.take(self.drawn), "big")
        return ec.derive_private_key(scalar, self.curve)

    def fits(self, key: Any) -> bool:
        return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == self.curve.name

    def cose(self, key: ec.EllipticCurvePublicKey) -> Mapping[int, int | bytes]:
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {1: 2, -1: self.number, -2: point[1 : 1 + self.width], -3: point[1 + self.width :]}


_P256: Final = _Curve(ec.SECP256R1(), 1, 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551, 32)
_P384: Final = _Curve(
    ec.SECP384R1(),
    2,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    48,
)
# The test vectors of WebAuthn draw a byte less for P-521, so that every draw is a scalar: bits above fill no byte.
_P521: Final = _Curve(ec.SECP521R1(), 3, 2**520, drawn=65)
_K256: Final = _Curve(ec.SECP256K1(), 8, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141, 32)


def _algorithm(identifier: int, name: str, curve: _Curve, digest: HashAlgorithm) -> Algorithm:
    random_nonce, rfc6979 = ec.ECDSA(digest), ec.ECDSA(digest, deterministic_signing=True)

    def sign(key: ec.EllipticCurvePrivateKey, message: bytes, is_deterministic: bool) -> bytes:
        return key.sign(message, rfc6979 if is_deterministic else random_nonce)

    return Algorithm(identifier, name, curve.generate, curve.fits, sign, curve.cose)


ALGORITHMS: Final = (
    _algorithm(ES256, "ES256", _P256, SHA256()),
    _algorithm(ES384, "ES384", _P384, SHA384()),
    _algorithm(ES512, "ES512", _P521, SHA512()),
    _algorithm(ES256K, "ES256K", _K256, SHA256()),
    # The same under identifiers that also name the curve.
    _algorithm(ESP256, "ESP256", _P256, SHA256()),
    _algorithm(ESP384, "ESP384", _P384, SHA384()),
    _algorithm(ESP512, "ESP512", _P521, SHA512()),
)
