"""A writer for deterministic CBOR in the CTAP2 canonical form; reading is left to cbor2."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

Encodable: TypeAlias = Union[
    bool,
    int,
    float,
    bytes,
    str,
    "Encoded",
    Sequence["Encodable"],
    Mapping[int, "Encodable"],
    Mapping[str, "Encodable"],
    None,
]


class Encoded(bytes):
    """Bytes that are CBOR already and are written as they are."""

    __slots__ = ()


def encode(value: Encodable) -> bytes:
    """The canonical encoding: shortest lengths, definite lengths, map keys in the order of CTAP2.

    TypeError for a type that CTAP2 messages do not hold, ValueError for an integer of more than 64 bits.
    """
    if isinstance(value, Encoded):
        return bytes(value)
    if isinstance(value, bool) or value is None:
        return _SIMPLE[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    return _encode_composite(value)


def head(major: int, argument: int) -> bytes:
    """The initial byte of a major type with its argument in the shortest form."""
    lead = major << 5
    if argument < 24:
        return bytes((lead | argument,))
    if argument < 0x100:
        return bytes((lead | 24, argument))
    for information, size in ((25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            return bytes((lead | information,)) + argument.to_bytes(size, "big")
    raise ValueError("an integer of more than 64 bits has no place in CTAP2")


_SIMPLE = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}


def _encode_composite(
    value: float | bytes | str | Sequence[Encodable] | Mapping[int, Encodable] | Mapping[str, Encodable],
) -> bytes:
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    if isinstance(value, Mapping):
        return _encode_map(value)
    if isinstance(value, list | tuple):
        return head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, float):
        # CTAP2 writes floats as they are, without shrinking.
        return b"\xfb" + struct.pack(">d", value)
    raise TypeError(f"{type(value).__name__} has no canonical CBOR form")


def _encode_map(value: Mapping[int, Encodable] | Mapping[str, Encodable]) -> bytes:
    pairs = [(encode(key), encode(item)) for key, item in value.items()]
    # CTAP2 §8: lower major type first, then the shorter key, then bytewise.
    pairs.sort(key=lambda pair: (pair[0][0] >> 5, len(pair[0]), pair[0]))
    return head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
