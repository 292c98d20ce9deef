"""The little DER (X.690) that attestation extensions need, which `cryptography` has no types for."""

from __future__ import annotations

from typing import Final

SEQUENCE: Final = 0x30
SET: Final = 0x31
OCTET_STRING: Final = 0x04
INTEGER: Final = 0x02
ENUMERATED: Final = 0x0A
_CONTEXT: Final = 0xA0
_LONG_TAG: Final = 31


def tlv(tag: int, *content: bytes) -> bytes:
    """One element: tag, definite length, content."""
    return bytes([tag]) + _with_length(b"".join(content))


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A number that is not negative."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def tagged(number: int, content: bytes) -> bytes:
    """An element under an explicit context tag; from 31 on the number follows in groups of seven bits."""
    if number < _LONG_TAG:
        return tlv(_CONTEXT | number, content)
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.insert(0, number & 0x7F | 0x80)
    return bytes([_CONTEXT | _LONG_TAG, *groups]) + _with_length(content)


def _with_length(content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets + content
