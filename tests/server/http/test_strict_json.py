"""R-IN-04: JSON that two parsers could read differently is refused, and nothing that RFC 8259 allows is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authctl.errors import MalformedBody
from authctl.server.http.strict_json import DEEPEST, LONGEST_NUMBER, MOST_MEMBERS, parse_object


def nested(depth: int) -> bytes:
    """An object that holds arrays, `depth` levels in all."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def with_members(count: int) -> bytes:
    """An object with `count` members, half of them one level down."""
    half = count // 2
    inner = {str(number): 1 for number in range(half)}
    return json.dumps({**{f"m{number}": 1 for number in range(count - half - 1)}, "inner": inner}).encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' \t\r\n{"a": 1} ', {"a": 1}),
        (b'{"a":-0.5e3,"b":true,"c":null,"d":[{}]}', {"a": -500.0, "b": True, "c": None, "d": [{}]}),
        ('{"a":"é\U0001f511"}'.encode(), {"a": "é\U0001f511"}),
        (b'{"a":"\\u00e9\\ud83d\\udd11"}', {"a": "é\U0001f511"}),
        (b'{"a":{"x":1},"b":{"x":1}}', {"a": {"x": 1}, "b": {"x": 1}}),
        (b'{"a":"1:2:3"}', {"a": "1:2:3"}),
        (b'{"a":12345678901234567890}', {"a": 12345678901234567890}),
        (b'{"a":-12345678901234567890}', {"a": -12345678901234567890}),
    ],
)
def test_an_object_is_read_as_it_is_written(body: bytes, value: dict[str, Any]) -> None:
    assert parse_object(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1}x',
        b'{"a":1}{"a":1}',
        b'{"a":1}\x00',
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":.5}',
        b'{"a":+1}',
        b'{"a":0x1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":{"a":1,"a":1}}',
        b'{"a":123456789012345678901}',
        b'{"a":1.23456789012345678901}',
        b'{"a":' + b"1" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":["\\u0000"]}',
        b'{"\\u0000":1}',
        b'{"a":"\x00"}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\xaf"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-be"),
        '{"a":1}'.encode("utf-32"),
        b"// note\n{}",
        b"\x0b{}",
        "\u00a0{}".encode(),
    ],
)
def test_a_document_is_refused_when_parsers_could_differ_on_it(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_object(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1", b"true", b"[{}]"])
def test_a_document_is_refused_when_its_top_level_is_no_object(body: bytes) -> None:
    with pytest.raises(MalformedBody, match="JSON object"):
        parse_object(body)


def test_nesting_is_allowed_down_to_the_limit_and_refused_below() -> None:
    assert parse_object(nested(DEEPEST))
    for depth in (DEEPEST + 1, 1_000, 30_000):
        with pytest.raises(MalformedBody):
            parse_object(nested(depth))


def test_text_is_looked_at_down_to_the_last_level() -> None:
    deepest = nested(DEEPEST).replace(b"[]", b'["%s"]')
    assert parse_object(deepest % b"\\u00e9")
    with pytest.raises(MalformedBody):
        parse_object(deepest % b"\\u0000")


def test_siblings_do_not_count_as_nesting() -> None:
    assert parse_object(b'{"a":[' + b",".join([b"{}"] * 100) + b"]}") == {"a": [{}] * 100}


def test_members_are_counted_over_all_levels() -> None:
    assert parse_object(with_members(MOST_MEMBERS))
    with pytest.raises(MalformedBody, match="members"):
        parse_object(with_members(MOST_MEMBERS + 1))


def test_colons_in_text_are_not_members() -> None:
    text = ":" * (MOST_MEMBERS * 2)
    assert parse_object(json.dumps({"a": text}).encode()) == {"a": text}


def test_a_number_is_refused_when_it_has_more_digits_than_any_reader_keeps() -> None:
    longest = int("9" * LONGEST_NUMBER)
    assert parse_object(b'{"a":%d}' % longest) == {"a": longest}
    with pytest.raises(MalformedBody):
        parse_object(b'{"a":%d0}' % longest)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", max_size=3), PLAIN, max_size=4), st.booleans())
def test_whatever_json_says_is_read_as_json_says_it(document: dict[str, Any], is_ascii: bool) -> None:
    text = json.dumps(document, ensure_ascii=is_ascii)
    if "\\u0000" in text:
        with pytest.raises(MalformedBody):
            parse_object(text.encode())
    else:
        assert parse_object(text.encode()) == document


@given(st.binary(max_size=60))
def test_bytes_are_refused_or_read_and_never_break_the_reader(body: bytes) -> None:
    try:
        value = parse_object(b'{"a":' + body + b"}")
    except MalformedBody:
        return
    assert json.loads(b'{"a":' + body + b"}") == value
