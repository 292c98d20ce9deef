"""EdDSA (RFC 9053 §2.2, RFC 9864) on Curve25519 and Curve448."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from authctl.virtual_authenticator.authenticator.algorithms.algorithm import Algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

EDDSA: Final = -8
ED25519: Final = -19
ED448: Final = -53

_OCTET_KEY_PAIR: Final = 1


def _algorithm(identifier: int, name: str, key_type: Any, seed_bytes: int, curve: int) -> Algorithm:
    def cose(key: Any) -> Mapping[int, int | bytes]:
        return {1: _OCTET_KEY_PAIR, -1: curve, -2: key.public_bytes_raw()}

    return Algorithm(
        identifier,
        name,
        lambda random: key_type.from_private_bytes(random.take(seed_bytes)),
        lambda key: isinstance(key, key_type),
        lambda key, message, _: bytes(key.sign(message)),
        cose,
    )


ALGORITHMS: Final = (
    # EdDSA alone leaves the curve open; in WebAuthn it stands for Ed25519 (§5.8.5).
    _algorithm(EDDSA, "EdDSA", ed25519.Ed25519PrivateKey, 32, 6),
    _algorithm(ED25519, "Ed25519", ed25519.Ed25519PrivateKey, 32, 6),
    _algorithm(ED448, "Ed448", ed448.Ed448PrivateKey, 57, 7),
)
