"""Which 32 bytes are a usable Ed25519 public key: a point in its canonical form that is not of small order.

The library loads any 32 bytes. With a key of small order one constant signature fits every message, and a form that is
not canonical gives one key two names (RFC 8032 sections 5.1.2 and 5.1.3).
"""

from __future__ import annotations

from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P

_ORDER_EIGHT_Y: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _ORDER_EIGHT_Y, _P - _ORDER_EIGHT_Y})
"""The y coordinates of the eight points whose order divides 8: orders 4, 1, 2, 8 and 8."""


def check_public_key(encoded: bytes) -> None:
    """Raises ValueError unless `encoded` (32 bytes) is the canonical form of a point that is safe as a key."""
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    if y >= _P:
        raise ValueError("an Ed25519 point in a form that is not canonical")
    if y in SMALL_ORDER_Y:
        raise ValueError("an Ed25519 point of small order")
    # x² = (y² - 1) / (d·y² + 1); by Euler's criterion there is such an x or there is not.
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise ValueError("32 bytes that are not a point of Ed25519")
