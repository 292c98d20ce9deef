"""ML-DSA (FIPS 204) as COSE has it: keys of type AKP, which name their algorithm themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import mldsa

from authctl.virtual_authenticator.authenticator.algorithms.algorithm import Algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

ML_DSA_44: Final = -48
ML_DSA_65: Final = -49
ML_DSA_87: Final = -50

_ALGORITHM_KEY_PAIR: Final = 7
_SEED_BYTES: Final = 32


def _algorithm(identifier: int, name: str, key_type: Any) -> Algorithm:
    def cose(key: Any) -> Mapping[int, int | bytes]:
        return {1: _ALGORITHM_KEY_PAIR, -1: key.public_bytes_raw()}

    return Algorithm(
        identifier,
        name,
        lambda random: key_type.from_seed_bytes(random.take(_SEED_BYTES)),
        lambda key: isinstance(key, key_type),
        lambda key, message, _: bytes(key.sign(message)),
        cose,
        # The library signs with fresh randomness and offers no other way.
        is_repeatable=False,
    )


ALGORITHMS: Final = (
    _algorithm(ML_DSA_44, "ML-DSA-44", mldsa.MLDSA44PrivateKey),
    _algorithm(ML_DSA_65, "ML-DSA-65", mldsa.MLDSA65PrivateKey),
    _algorithm(ML_DSA_87, "ML-DSA-87", mldsa.MLDSA87PrivateKey),
)
