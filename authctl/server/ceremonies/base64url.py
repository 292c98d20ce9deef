"""Base64url in its one canonical, unpadded form (RFC 4648 section 5): a byte string has one text and no other."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """The unpadded text of `data`."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of `text`; raises ValueError for padding, white space, foreign characters and spare bits that are set.

    The decoder of the standard library drops what it does not know, so the text is compared with what the result
    encodes to: that one comparison refuses every form but the canonical one.
    """
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
