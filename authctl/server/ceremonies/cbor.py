"""A strict reader of CBOR in the CTAP2 canonical form: what has two readings is refused.

Refused besides what RFC 8949 calls malformed: lengths and integers written longer than needed, indefinite lengths,
tags, duplicate keys, keys that are not integers or strings, deep nesting, bytes after the end. The order of keys is not
judged, for some clients write attestation objects in another one. CTAP 2.2 section 8 has the rules.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

Value: TypeAlias = "int | float | bytes | str | bool | list[Value] | dict[int | str | bytes, Value] | None"

MAX_DEPTH: Final = 4
"""Levels of maps and arrays that CTAP2 allows in one message."""

_SIMPLE: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None}
_FLOATS: Final[dict[int, tuple[str, int]]] = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}


class CborError(ValueError):
    """The bytes are not CBOR in the canonical form."""


def read(data: bytes, *, max_depth: int = MAX_DEPTH) -> Value:
    """The one item that `data` consists of, from the first byte to the last; raises CborError."""
    value, end = read_at(data, 0, max_depth=max_depth)
    if end != len(data):
        raise CborError(f"{len(data) - end} bytes after the item")
    return value


def read_at(data: bytes, start: int, *, max_depth: int = MAX_DEPTH) -> tuple[Value, int]:
    """The item that begins at `start`, and the place after its end; raises CborError."""
    major, argument, at = _head(data, start)
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major in (2, 3):
        return _string(data, major, argument, at)
    if major == 6:
        raise CborError("a tag")
    if major == 7:
        return _simple_or_float(data, start)
    if max_depth == 0:
        raise CborError("nested too deeply")
    return (_array if major == 4 else _map)(data, argument, at, max_depth - 1)


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(data):
        raise CborError("ends too early")
    major, short = data[at] >> 5, data[at] & 0x1F
    if short < 24 or major == 7:
        return major, short, at + 1
    if short > 27:
        raise CborError("indefinite length or reserved")
    width: int = 1 << (short - 24)
    end = at + 1 + width
    argument = int.from_bytes(data[at + 1 : end], "big")
    if end > len(data):
        raise CborError("ends too early")
    if argument < 24 or (width > 1 and argument >> (4 * width) == 0):
        raise CborError("a number written longer than needed")
    return major, argument, end


def _string(data: bytes, major: int, length: int, at: int) -> tuple[Value, int]:
    end = at + length
    if end > len(data):
        raise CborError("a string that ends too early")
    if major == 2:
        return data[at:end], end
    try:
        return data[at:end].decode("utf-8"), end
    except UnicodeDecodeError as error:
        raise CborError("text that is not UTF-8") from error


def _array(data: bytes, count: int, at: int, max_depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = read_at(data, at, max_depth=max_depth)
        items.append(item)
    return items, at


def _map(data: bytes, count: int, at: int, max_depth: int) -> tuple[Value, int]:
    members: dict[int | str | bytes, Value] = {}
    for _ in range(count):
        key, at = read_at(data, at, max_depth=max_depth)
        # Python holds 1, 1.0 and True for the same key; an array cannot be one.
        if isinstance(key, bool) or not isinstance(key, int | str | bytes):
            raise CborError("a key that is neither integer nor string")
        if key in members:
            raise CborError("a key twice")
        members[key], at = read_at(data, at, max_depth=max_depth)
    return members, at


def _simple_or_float(data: bytes, start: int) -> tuple[Value, int]:
    short = data[start] & 0x1F
    if short in _SIMPLE:
        return _SIMPLE[short], start + 1
    if short not in _FLOATS:
        raise CborError("an unassigned simple value")
    form, width = _FLOATS[short]
    end = start + 1 + width
    if end > len(data):
        raise CborError("ends too early")
    number: float = struct.unpack(form, data[start + 1 : end])[0]
    return number, end
