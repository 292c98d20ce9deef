"""The strict CBOR reader: what has one reading is read, everything else is refused (D-22, V-22, V-46)."""

from __future__ import annotations

import math
import struct
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authctl.server.ceremonies import cbor
from tests.server.ceremonies import messages

KEYS = st.integers(-(2**64), 2**64 - 1) | st.text() | st.binary()
LEAVES = KEYS | st.booleans() | st.none()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12)


def depth_of(value: Any) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 1 + max(map(depth_of, value.values()), default=0) if isinstance(value, dict) else 0


@settings(deadline=None)
@given(VALUES)
def test_what_the_shortest_form_says_is_read_back(value: Any) -> None:
    encoded = messages.cbor(value)
    if depth_of(value) <= cbor.MAX_DEPTH:
        assert cbor.read(encoded) == value
    else:
        with pytest.raises(cbor.CborError, match="deeply"):
            cbor.read(encoded)


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_what_is_read_means_the_same_to_the_library_of_the_house(data: bytes) -> None:
    """The reader accepts less than cbor2, and never something else."""
    try:
        value = cbor.read(data)
    except cbor.CborError:
        return
    assert repr(cbor2.loads(data)) == repr(value)


@pytest.mark.parametrize(("form", "width"), [(">e", 0xF9), (">f", 0xFA), (">d", 0xFB)])
def test_floats_of_every_width_are_read(form: str, width: int) -> None:
    assert cbor.read(bytes([width]) + struct.pack(form, 1.5)) == 1.5
    nan = cbor.read(bytes([width]) + struct.pack(form, math.nan))
    assert isinstance(nan, float)
    assert math.isnan(nan)
    with pytest.raises(cbor.CborError, match="early"):
        cbor.read(bytes([width]) + struct.pack(form, 1.5)[:-1])


REFUSED = {
    "nothing": "",
    "two items": "0000",
    "an integer in two bytes that fits one": "1817",
    "an integer in three bytes that fits two": "1900ff",
    "an integer in five bytes that fits three": "1a0000ffff",
    "an integer in nine bytes that fits five": "1b00000000ffffffff",
    "a negative integer longer than needed": "3817",
    "a length longer than needed": "5801ff",
    "a map head longer than needed": "b80100f6",
    "an integer cut off": "19ff",
    "a head of a reserved kind": "1c",
    "text of indefinite length": "7f6161ff",
    "bytes of indefinite length": "5f4161ff",
    "an array of indefinite length": "9f00ff",
    "a map of indefinite length": "bf0000ff",
    "a break alone": "ff",
    "a string that ends too early": "4200",
    "a string of 2^60 bytes": "5b1000000000000000",
    "an array of 2^60 items": "9b100000000000000000",
    "a map of 2^60 members": "bb10000000000000000000",
    "a map without its last value": "a100",
    "text that is not UTF-8": "61ff",
    "text with an encoded surrogate": "63eda080",
    "a tag": "c000",
    "a shared value": "d81c80",
    "a reference": "d81d00",
    "a big number": "c2420100",
    "undefined": "f7",
    "an unassigned simple value": "e0",
    "a simple value of two bytes": "f814",
    "a key twice": "a200000000",
    "a text key twice": "a261610061610000"[:16],
    "a boolean key": "a1f500",
    "an integer and a boolean key that Python takes for one": "a20100f500",
    "a float key": "a1f93c0000",
    "null for a key": "a1f600",
    "an array for a key": "a18000",
    "a map for a key": "a1a000",
    "five levels": "8181818180",
}


@pytest.mark.parametrize("encoded", REFUSED.values(), ids=REFUSED)
def test_other_encodings_are_refused(encoded: str) -> None:
    with pytest.raises(cbor.CborError):
        cbor.read(bytes.fromhex(encoded))


def test_nesting_is_refused_before_it_costs_anything() -> None:
    """V-46: 100,000 levels."""
    with pytest.raises(cbor.CborError, match="deeply"):
        cbor.read(b"\x81" * 100_000)
    assert cbor.read(b"\x81\x81\x81\x80") == [[[[]]]]


def test_an_item_in_the_middle_is_read_with_its_end() -> None:
    assert cbor.read_at(b"\xff\x18\x64\xff", 1) == (100, 3)
