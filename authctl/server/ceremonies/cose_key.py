"""Credential public keys (COSE_Key, RFC 9052, 9053): only forms that can log in later, nothing added, nothing left out.

The library stores what it is given and fails at the next login; here a key is judged once, when it is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import edwards25519
from authctl.server.ceremonies.reasons import Reason

ES256: Final = -7
EDDSA: Final = -8
RS256: Final = -257

RSA_BITS: Final = range(2048, 4097)
RSA_EXPONENTS: Final = range(3, 1 << 32, 2)

_P256_PRIME: Final = (2**256 - 2**224 + 2**192 + 2**96 - 1).to_bytes(32, "big")

_KTY, _ALG, _CRV, _X, _Y = 1, 3, -1, -2, -3
_N, _E = -1, -2


def check(key: object, *, expected_algorithms: tuple[int, ...]) -> int:
    """The algorithm of a decoded COSE_Key; raises CeremonyFailed when it was not offered or the key does not fit it.

    WebAuthn section 5.8.5 binds each algorithm to one key type and curve, section 6.5.1.1 asks for the uncompressed
    form without optional members; the rest is R-WA-16.
    """
    if not isinstance(key, Mapping):
        raise _invalid("not a map")
    algorithm = key.get(_ALG)
    if not isinstance(algorithm, int) or isinstance(algorithm, bool):
        raise _invalid("alg is missing or not an integer")
    if algorithm not in expected_algorithms or algorithm not in _CHECKS:
        raise CeremonyFailed(Reason.ALGORITHM_NOT_OFFERED, debug=f"alg {algorithm}")
    try:
        _CHECKS[algorithm](key)
    except ValueError as error:
        raise _invalid(str(error)) from error
    return algorithm


def _check_es256(key: Mapping[object, object]) -> None:
    _expect(key, {_KTY: 2, _CRV: 1}, strings=(_X, _Y))
    x, y = _octets(key, _X, 32), _octets(key, _Y, 32)
    if max(x, y) >= _P256_PRIME:
        # The library reduces such a coordinate, so that one point would have two names.
        raise ValueError("a coordinate beyond the field's prime")
    # Loading the point raises ValueError when it is not on the curve; x = y = 0 is not either.
    ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()).public_key()


def _check_eddsa(key: Mapping[object, object]) -> None:
    _expect(key, {_KTY: 1, _CRV: 6}, strings=(_X,))
    edwards25519.check_public_key(_octets(key, _X, 32))


def _check_rs256(key: Mapping[object, object]) -> None:
    _expect(key, {_KTY: 3}, strings=(_N, _E))
    modulus, exponent = _unsigned(key, _N), _unsigned(key, _E)
    if modulus.bit_length() not in RSA_BITS or modulus % 2 == 0:
        raise ValueError(f"an RSA modulus of {modulus.bit_length()} bits, odd: {modulus % 2 == 1}")
    if exponent not in RSA_EXPONENTS:
        raise ValueError("an RSA exponent that is even, below 3 or beyond 32 bits")
    rsa.RSAPublicNumbers(exponent, modulus).public_key()


_CHECKS: Final[Mapping[int, Callable[[Mapping[object, object]], None]]] = {
    ES256: _check_es256,
    EDDSA: _check_eddsa,
    RS256: _check_rs256,
}

OFFERED: Final = (EDDSA, ES256, RS256)
"""What the creation options list, most wanted first."""


def _expect(key: Mapping[object, object], values: Mapping[int, int], *, strings: tuple[int, ...]) -> None:
    if set(key) != {_ALG, *values, *strings}:
        raise ValueError("labels are missing or added")
    for label, value in values.items():
        if type(key[label]) is not int or key[label] != value:
            raise ValueError(f"label {label} does not fit the algorithm")


def _octets(key: Mapping[object, object], label: int, length: int) -> bytes:
    value = key[label]
    if not isinstance(value, bytes) or len(value) != length:
        raise ValueError(f"label {label} is not a string of {length} bytes")
    return value


def _unsigned(key: Mapping[object, object], label: int) -> int:
    value = key[label]
    if not isinstance(value, bytes) or not value or value[0] == 0 or len(value) > 1024:
        raise ValueError(f"label {label} is not an unsigned integer in its shortest form")
    return int.from_bytes(value, "big")


def _invalid(debug: str) -> CeremonyFailed:
    return CeremonyFailed(Reason.PUBLIC_KEY_INVALID, debug=debug)
