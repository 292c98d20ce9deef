"""Public keys: only usable ones are registered, in exactly one form (R-WA-16)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import cbor, cose_key, edwards25519
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies import messages
from tests.server.ceremonies.messages import EDDSA, ES256, RS256

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P

P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
B256 = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
# With x = 0, y is the root of the curve's constant; the prime is zero again.
POINT_BEYOND_THE_FIELD = {-2: P256.to_bytes(32, "big"), -3: pow(B256, (P256 + 1) // 4, P256).to_bytes(32, "big")}

EC_KEY = messages.cose_key(messages.new_key(ES256))
ED_KEY = messages.cose_key(messages.new_key(EDDSA))
RSA_KEY = messages.cose_key(messages.new_key(RS256))


def refusal_of(key: Any, offered: tuple[int, ...] = cose_key.OFFERED) -> str:
    with pytest.raises(CeremonyFailed) as refusal:
        cose_key.check(key, expected_algorithms=offered)
    return refusal.value.reason


def without(key: dict[Any, Any], label: int) -> dict[Any, Any]:
    return {name: value for name, value in key.items() if name != label}


@pytest.mark.parametrize("key", [EC_KEY, ED_KEY, RSA_KEY], ids=["ES256", "EdDSA", "RS256"])
def test_a_key_of_an_offered_algorithm_is_accepted(key: dict[Any, Any]) -> None:
    assert cose_key.check(key, expected_algorithms=cose_key.OFFERED) == key[3]
    assert cose_key.check(cbor.read(messages.cbor(key)), expected_algorithms=(key[3],)) == key[3]


@pytest.mark.parametrize("alg", [-9, -35, -36, -37, -257 - 65278, 0, 7])
def test_a_key_is_refused_when_its_algorithm_was_not_offered(alg: int) -> None:
    assert refusal_of(EC_KEY | {3: alg}) == Reason.ALGORITHM_NOT_OFFERED
    assert refusal_of(EC_KEY, (EDDSA, RS256)) == Reason.ALGORITHM_NOT_OFFERED


def test_an_algorithm_without_a_check_is_refused_even_when_it_is_offered() -> None:
    assert refusal_of(EC_KEY | {3: -35}, (-35,)) == Reason.ALGORITHM_NOT_OFFERED


REFUSED: dict[str, Any] = {
    "a number": 4,
    "a list that holds the right values at the right places": [None, 2, None, -7],
    "an empty map": {},
    "alg missing": without(EC_KEY, 3),
    "alg as text": EC_KEY | {3: "ES256"},
    "alg as a boolean": EC_KEY | {3: True},
    "kty missing": without(EC_KEY, 1),
    "kty of RSA under ES256": EC_KEY | {1: 3},
    "kty unknown": EC_KEY | {1: 99},
    "kty as a boolean": ED_KEY | {1: True},
    "crv missing": without(EC_KEY, -1),
    "crv as a boolean": EC_KEY | {-1: True},
    "P-384 under ES256": EC_KEY | {-1: 2},
    "x missing": without(EC_KEY, -2),
    "x of 31 bytes": EC_KEY | {-2: EC_KEY[-2][1:]},
    "x of 33 bytes": EC_KEY | {-2: b"\0" + EC_KEY[-2]},
    "x as text": EC_KEY | {-2: "x" * 32},
    "y missing": without(EC_KEY, -3),
    "y as a sign": EC_KEY | {-3: True},
    "y of another point": EC_KEY | {-3: EC_KEY[-2]},
    "the zero point": EC_KEY | {-2: bytes(32), -3: bytes(32)},
    "x beyond the field": EC_KEY | {-2: b"\xff" * 32},
    "x of zero, written as the field's prime": EC_KEY | POINT_BEYOND_THE_FIELD,
    "a private part": EC_KEY | {-4: bytes(32)},
    "a key id": EC_KEY | {2: b"kid"},
    "key operations": EC_KEY | {4: [2]},
    "a text label": EC_KEY | {"kty": 2},
    "EdDSA with kty EC2": ED_KEY | {1: 2},
    "EdDSA with X25519": ED_KEY | {-1: 4, -2: x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()},
    "EdDSA with Ed448": ED_KEY | {-1: 7, -2: ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()},
    "Ed25519 of 31 bytes": ED_KEY | {-2: ED_KEY[-2][1:]},
    "Ed25519 with y": ED_KEY | {-3: bytes(32)},
    "Ed25519 beyond the field": ED_KEY | {-2: (P + 3).to_bytes(32, "little")},
    "Ed25519 that is no point": ED_KEY | {-2: (2).to_bytes(32, "little")},
    "an empty modulus": RSA_KEY | {-1: b""},
    "a modulus with a leading zero": RSA_KEY | {-1: b"\0" + RSA_KEY[-1]},
    "a modulus as a number": RSA_KEY | {-1: 5},
    "a modulus of 512 bits": RSA_KEY | {-1: b"\xff" * 64},
    "a modulus of 1024 bits": RSA_KEY | {-1: b"\xff" * 128},
    "a modulus of 2047 bits": RSA_KEY | {-1: b"\x7f" + b"\xff" * 255},
    "a modulus of 4097 bits": RSA_KEY | {-1: b"\x01" + b"\xff" * 512},
    "a modulus of 32768 bits": RSA_KEY | {-1: b"\xff" * 4096},
    "an even modulus": RSA_KEY | {-1: RSA_KEY[-1][:-1] + b"\xfe"},
    "exponent 1": RSA_KEY | {-2: b"\x01"},
    "exponent 2": RSA_KEY | {-2: b"\x02"},
    "an even exponent": RSA_KEY | {-2: b"\x01\x00\x00"},
    "an exponent with a leading zero": RSA_KEY | {-2: b"\x00\x01\x00\x01"},
    "an exponent beyond 32 bits": RSA_KEY | {-2: b"\x01\x00\x00\x00\x01"},
    "an RSA key with a private part": RSA_KEY | {-3: b"\x01"},
}


@pytest.mark.parametrize("key", REFUSED.values(), ids=REFUSED)
def test_a_key_is_refused_when_it_could_not_log_in_or_has_two_readings(key: Any) -> None:
    assert refusal_of(key) == Reason.PUBLIC_KEY_INVALID


@pytest.mark.parametrize("exponent", [b"\x03", b"\x11", b"\x01\x00\x01"])
def test_an_odd_exponent_from_three_on_is_accepted(exponent: bytes) -> None:
    assert cose_key.check(RSA_KEY | {-2: exponent}, expected_algorithms=(RS256,)) == RS256


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The complete addition law of Edwards curves with a = -1."""
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    x3 = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    return x3, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def xs_of(y: int) -> list[int]:
    """The x coordinates of the points with this y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    root = root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P
    assert root * root % P == square
    return sorted({root, -root % P})


def test_the_small_order_points_are_exactly_the_eight_of_the_torsion_group() -> None:
    """Each listed y belongs to points that eight additions bring to the neutral element; together they are eight."""
    points = [(x, y) for y in edwards25519.SMALL_ORDER_Y for x in xs_of(y)]
    assert len(points) == 8
    for point in points:
        total = (0, 1)
        for _ in range(8):
            total = add(total, point)
        assert total == (0, 1)


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", sorted(edwards25519.SMALL_ORDER_Y))
def test_an_ed25519_key_of_small_order_is_refused(y: int, sign: int) -> None:
    encoded = (y | sign << 255).to_bytes(32, "little")
    assert refusal_of(ED_KEY | {-2: encoded}) == Reason.PUBLIC_KEY_INVALID


def test_every_new_ed25519_key_is_accepted() -> None:
    for _ in range(50):
        key = messages.cose_key(messages.new_key(EDDSA))
        assert cose_key.check(key, expected_algorithms=(EDDSA,)) == EDDSA


def test_a_point_of_another_curve_with_coordinates_of_32_bytes_is_refused() -> None:
    point = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    key = EC_KEY | {-2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
    assert refusal_of(key) == Reason.PUBLIC_KEY_INVALID
