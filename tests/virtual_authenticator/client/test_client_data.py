"""The serialisation of client data, byte for byte (§5.8.1.1)."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from authctl.virtual_authenticator.client.client_data import CREATE, GET, ClientData, hash_of


def test_the_members_come_in_the_prescribed_order_without_spaces() -> None:
    data = ClientData(CREATE, b"\x00\x01\x02", "https://example.org").serialise()
    assert data == (b'{"type":"webauthn.create","challenge":"AAEC","origin":"https://example.org","crossOrigin":false}')


def test_the_top_origin_follows_when_the_page_is_framed() -> None:
    data = ClientData(GET, b"\xff", "https://example.org", cross_origin=True, top_origin="https://example.com")
    assert data.serialise() == (
        b'{"type":"webauthn.get","challenge":"_w","origin":"https://example.org","crossOrigin":true,'
        b'"topOrigin":"https://example.com"}'
    )


def test_further_members_follow_as_ordinary_json() -> None:
    data = ClientData(GET, b"\xff", "https://example.org", extra={"extraData": "ä", "n": 1}).serialise()
    assert data.endswith('"crossOrigin":false,"extraData":"ä","n":1}'.encode())
    assert json.loads(data)["n"] == 1


@pytest.mark.parametrize(
    ("origin", "serialised"),
    [
        ('a"b', rb"a\"b"),
        ("a\\b", rb"a\\b"),
        ("a\nb\x00\x1f", rb"a\u000ab\u0000\u001f"),
        ("a\x7f/ü€😀", "a\x7f/ü€😀".encode()),
        ("a\ud800b", "a�b".encode()),
    ],
)
def test_only_quote_backslash_and_controls_are_escaped(origin: str, serialised: bytes) -> None:
    data = ClientData(GET, b"\xff", origin).serialise()
    assert b'"origin":"' + serialised + b'","crossOrigin"' in data


def test_the_hash_is_sha_256_over_the_bytes() -> None:
    assert hash_of(b"{}") == sha256(b"{}").digest()
