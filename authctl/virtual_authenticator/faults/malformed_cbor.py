"""CBOR that ordinary encoders refuse to write: duplicate keys, long forms, lengths that are not there, deep nests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.authenticator.cbor import Encoded, encode, head

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.virtual_authenticator.authenticator.cbor import Encodable

_INFORMATION: Final = {1: 24, 2: 25, 4: 26, 8: 27}
_INDEFINITE: Final = 31
_BREAK: Final = b"\xff"

UNSIGNED, BYTES, TEXT, ARRAY, MAP, TAG = 0, 2, 3, 4, 5, 6
UNDEFINED: Final = Encoded(b"\xf7")


def map_of(pairs: Iterable[tuple[Any, Any]]) -> Encoded:
    """A map with the pairs as they stand, whatever their order and also when a key comes twice."""
    written = [encode(key) + encode(value) for key, value in pairs]
    return Encoded(head(MAP, len(written)) + b"".join(written))


def indefinite_map(pairs: Iterable[tuple[Any, Any]]) -> Encoded:
    """A map whose end is marked instead of its length."""
    content = b"".join(encode(key) + encode(value) for key, value in pairs)
    return Encoded(bytes([MAP << 5 | _INDEFINITE]) + content + _BREAK)


def in_chunks(data: bytes, size: int = 16) -> Encoded:
    """A byte string in pieces, whose end is marked."""
    pieces = b"".join(encode(data[start : start + size]) for start in range(0, len(data), size))
    return Encoded(bytes([BYTES << 5 | _INDEFINITE]) + pieces + _BREAK)


def long_form(major: int, argument: int, width: int) -> Encoded:
    """A head whose argument takes `width` bytes, needed or not."""
    return Encoded(bytes([major << 5 | _INFORMATION[width]]) + argument.to_bytes(width, "big"))


def long_string(data: bytes, width: int) -> Encoded:
    """A byte string whose length takes `width` bytes, needed or not."""
    return Encoded(long_form(BYTES, len(data), width) + data)


def long_text(value: str, width: int) -> Encoded:
    """A text string whose length takes `width` bytes, needed or not."""
    data = value.encode()
    return Encoded(long_form(TEXT, len(data), width) + data)


def nested_arrays(levels: int) -> Encoded:
    """Arrays of one array each, the innermost empty."""
    return Encoded(b"\x81" * levels + b"\x80")


def tagged(tag: int, content: Encodable) -> Encoded:
    """A tagged value."""
    return Encoded(head(TAG, tag) + encode(content))


def single_precision(value: bytes) -> Encoded:
    """A float of four bytes, which a re-encoder writes in eight."""
    return Encoded(b"\xfa" + value)


def half_precision(value: bytes) -> Encoded:
    """A float of two bytes."""
    return Encoded(b"\xf9" + value)


def broken_text(data: bytes) -> Encoded:
    """A text string of bytes that may be no UTF-8."""
    return Encoded(head(TEXT, len(data)) + data)
