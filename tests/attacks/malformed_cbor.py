"""CBOR that ordinary encoders refuse to write: duplicate keys, long forms, lengths that are not there, deep nests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.virtual_authenticator.authenticator.cbor import Encodable, Encoded, encode, head

if TYPE_CHECKING:
    from collections.abc import Mapping

_INFORMATION = {1: 24, 2: 25, 4: 26, 8: 27}


def map_of(pairs: list[tuple[Encodable, Encodable]]) -> Encoded:
    """A map with the pairs as they stand, also when a key comes twice."""
    return Encoded(head(5, len(pairs)) + b"".join(encode(key) + encode(value) for key, value in pairs))


def pairs_of(members: Mapping[int, Encodable] | Mapping[str, Encodable]) -> list[tuple[Encodable, Encodable]]:
    """The members of a map as a list that may be lengthened."""
    return [(key, value) for key, value in members.items()]


def long_form(major: int, argument: int, width: int) -> Encoded:
    """A head whose argument takes `width` bytes, needed or not."""
    return Encoded(bytes([major << 5 | _INFORMATION[width]]) + argument.to_bytes(width, "big"))


def nested_arrays(levels: int) -> Encoded:
    """Arrays of one array each, the innermost empty."""
    return Encoded(b"\x81" * levels + b"\x80")


def single_precision(value: bytes) -> Encoded:
    """A float of four bytes, which a re-encoder writes in eight."""
    return Encoded(b"\xfa" + value)
