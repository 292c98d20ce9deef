"""Base64url without padding, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authctl.virtual_authenticator.base64url import decode, encode


@given(st.binary(max_size=100))
def test_what_was_encoded_decodes_to_itself(data: bytes) -> None:
    assert decode(encode(data)) == data


@pytest.mark.parametrize("text", ["AA==", "A", "AB", "a+b/", "AA\n", " AA", "ÄÄÄÄ", "AA.A"])
def test_text_is_refused_when_it_is_not_canonical(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        decode(text)
