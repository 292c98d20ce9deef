"""CBOR that ordinary encoders refuse to write."""

from __future__ import annotations

import cbor2
import pytest

from authctl.virtual_authenticator.authenticator.cbor import Encoded, encode
from authctl.virtual_authenticator.faults import malformed_cbor as malformed

SAME: dict[str, tuple[Encoded, object]] = {
    "a map whose end is marked": (malformed.indefinite_map([(1, 2)]), {1: 2}),
    "a string in pieces": (malformed.in_chunks(b"x" * 40), b"x" * 40),
    "a number in eight bytes": (malformed.long_form(malformed.UNSIGNED, 7, 8), 7),
    "a string whose length has two bytes": (malformed.long_string(b"abc", 2), b"abc"),
    "a tagged value": (malformed.tagged(2, b"\x01"), 1),
    "a float of four bytes": (malformed.single_precision(b"\x3f\x80\x00\x00"), 1.0),
    "a float of two bytes": (malformed.half_precision(b"\x3c\x00"), 1.0),
}


@pytest.mark.parametrize(("written", "value"), SAME.values(), ids=SAME)
def test_an_unusual_form_is_still_the_same_value(written: Encoded, value: object) -> None:
    assert cbor2.loads(written) == value
    assert written != encode(value)  # type: ignore[arg-type]  # all of them are encodable
    assert encode({"x": written}) == b"\xa1\x61x" + written


def test_a_key_may_come_twice() -> None:
    assert malformed.map_of([(1, 2), (1, 3)]) == bytes.fromhex("a201020103")


def test_text_may_be_no_utf_8() -> None:
    assert malformed.broken_text(b"\xff") == b"\x61\xff"


def test_arrays_are_nested_as_deep_as_one_likes() -> None:
    assert cbor2.loads(malformed.nested_arrays(2)) == [[[]]]
    assert len(malformed.nested_arrays(100_000)) == 100_001
