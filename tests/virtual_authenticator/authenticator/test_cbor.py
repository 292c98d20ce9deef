"""The CBOR writer gives the canonical form, which an independent reader understands."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authctl.virtual_authenticator.authenticator.cbor import Encoded, encode, head

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_reads_back_as_itself(value: Any) -> None:
    assert cbor2.loads(encode(value)) == value


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (65536, "1a00010000"),
        (2**32, "1b0000000100000000"),
        (-1, "20"),
        (-257, "390100"),
        (b"\x01", "4101"),
        ("ü", "62c3bc"),
        ([1, (2,)], "8201 8102"),
        (False, "f4"),
        (True, "f5"),
        (None, "f6"),
        (1.5, "fb3ff8000000000000"),
        ({3: -7, 1: 2, -1: 1, -2: b"", -3: b""}, "a5 0102 0326 2001 2140 2240"),
        ({"fmt": "a", "authData": 1, "attStmt": {}}, "a3 63666d74 6161 6761747453746d74 a0 686175746844617461 01"),
        ({"aa": 1, "b": 2, 1000: 3}, "a3 1903e8 03 6162 02 626161 01"),
        (Encoded(b"\x18\x01"), "1801"),
    ],
)
def test_a_value_has_one_encoding(value: Any, encoded: str) -> None:
    assert encode(value).hex() == encoded.replace(" ", "")


def test_a_value_is_refused_when_ctap_has_no_form_for_it() -> None:
    with pytest.raises(TypeError, match="set"):
        encode({1, 2})  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(ValueError, match="64 bits"):
        encode(2**64)
    assert head(6, 24) == b"\xd8\x18"
