"""Client data: strict reading (R-WA-18, R-WA-19)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import base64url, client_data
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies import messages

CHALLENGE = b"c" * 32
VALID = messages.client_data("get", CHALLENGE)


def with_member(fragment: str) -> bytes:
    """Valid client data with one more member as text."""
    return VALID[:-1] + b"," + fragment.encode() + b"}"


def test_the_members_that_count_are_read() -> None:
    read = client_data.read(messages.client_data("get", CHALLENGE, topOrigin="https://top.example", crossOrigin=True))
    assert (read.type, read.challenge, read.origin) == ("webauthn.get", base64url.encode(CHALLENGE), messages.ORIGIN)
    assert (read.cross_origin, read.top_origin) == (True, "https://top.example")


ACCEPTED = {
    "a byte order mark": b"\xef\xbb\xbf" + VALID,
    "white space and another order": json.dumps(dict(reversed(json.loads(VALID).items())), indent=2).encode(),
    "escapes": VALID.replace(b"webauthn", b"w\\u0065bauthn"),
    "unknown members": with_member('"a":{"b":[{"c":1.5}]},"tokenBinding":{"status":"supported"}'),
    "no crossOrigin": messages.client_data("get", CHALLENGE, crossOrigin=messages.ABSENT),
    "4 KB": with_member(f'"a":"{"x" * (4096 - len(VALID) - 7)}"'),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_client_data_may_differ_in_what_has_no_meaning(data: bytes) -> None:
    read = client_data.read(data)
    assert (read.type, read.challenge, read.origin) == ("webauthn.get", base64url.encode(CHALLENGE), messages.ORIGIN)


REFUSED = {
    "nothing": b"",
    "an array": b"[]",
    "text": b'"x"',
    "null": b"null",
    "not JSON": b"{",
    "bytes after the end": VALID + b"x",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + VALID,
    "UTF-16": VALID.decode().encode("utf-16"),
    "UTF-32": VALID.decode().encode("utf-32-le"),
    "a byte that is not UTF-8": with_member('"a":"b"').replace(b'"b"', b'"\xff"'),
    "an encoded surrogate": with_member('"a":"b"').replace(b'"b"', b'"\xed\xa0\x80"'),
    "NaN": with_member('"a":NaN'),
    "Infinity": with_member('"a":-Infinity'),
    "a control character": with_member('"a":"\n"'),
    "a member twice": with_member(f'"origin":"{messages.ORIGIN}"'),
    "a member twice inside another": with_member('"a":{"b":1,"b":1}'),
    "more than 4 KB": with_member(f'"a":"{"x" * (4096 - len(VALID) - 6)}"'),
    "five levels": with_member('"a":{"b":[{"c":[]}]}'),
    "a thousand levels": with_member('"a":' + "[" * 1990 + "]" * 1990),
    "a number of 4,000 digits that is refused by size alone": with_member('"a":' + "9" * 5000),
    "type that is missing": messages.client_data("get", CHALLENGE, type=messages.ABSENT),
    "type that is a list": messages.client_data("get", CHALLENGE, type=["webauthn.get"]),
    "challenge that is missing": messages.client_data("get", CHALLENGE, challenge=messages.ABSENT),
    "challenge that is a list": messages.client_data("get", CHALLENGE, challenge=[base64url.encode(CHALLENGE)]),
    "origin that is missing": messages.client_data("get", CHALLENGE, origin=messages.ABSENT),
    "origin that is null": messages.client_data("get", CHALLENGE, origin=None),
    "crossOrigin that is text": messages.client_data("get", CHALLENGE, crossOrigin="false"),
    "crossOrigin that is a number": messages.client_data("get", CHALLENGE, crossOrigin=0),
    "crossOrigin that is null": messages.client_data("get", CHALLENGE, crossOrigin=None),
    "topOrigin that is null": messages.client_data("get", CHALLENGE, topOrigin=None),
    "topOrigin that is a list": messages.client_data("get", CHALLENGE, topOrigin=[messages.ORIGIN]),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_client_data_is_refused_when_another_reader_might_read_it_differently(data: bytes) -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        client_data.read(data)
    assert refusal.value.reason == Reason.CLIENT_DATA_MALFORMED
    assert refusal.value.debug


@settings(deadline=None)
@given(st.binary())
def test_bytes_have_one_text(data: bytes) -> None:
    text = base64url.encode(data)
    assert base64url.decode(text) == data
    assert text == urlsafe_b64encode(data).decode().rstrip("=")


@settings(deadline=None)
@given(st.text(alphabet="AQgw-_+/=B \n", max_size=9))
def test_text_that_decodes_is_the_text_of_its_bytes(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@pytest.mark.parametrize("text", ["AA==", "AA=", "AB", "A", "A A", "AA\n", "+A", "/A", "AAAé", "AAA.", "AAAAA"])
def test_text_in_another_form_than_the_canonical_one_is_refused(text: str) -> None:
    """R-WA-18, A-4."""
    with pytest.raises(ValueError):
        base64url.decode(text)
