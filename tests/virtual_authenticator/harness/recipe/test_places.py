from __future__ import annotations

import json
from typing import Any

import pytest

from authctl.virtual_authenticator.harness.recipe.places import MISSING, Place
from authctl.virtual_authenticator.harness.transport import Answer, Request


def answer(body: object = None, *, headers: dict[str, str] | None = None, cookies: tuple[str, ...] = ()) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(Request("GET", "/"), 200, headers or {}, content, 0.1, cookies)


@pytest.mark.parametrize(
    ("text", "body", "expected"),
    [
        ("$", {"a": 1}, {"a": 1}),
        ("$", [1], [1]),
        ("$.a.b", {"a": {"b": None}}, None),
        ("a.b", {"a": {"b": "x"}}, "x"),
        ("$.list.1", {"list": [1, 2]}, 2),
        ("$.list.2", {"list": [1, 2]}, MISSING),
        ("$.list.x", {"list": [1, 2]}, MISSING),
        ("$.a", "text", MISSING),
        ("$.a", b"<html>", MISSING),
        ("$", b"[" * 100_000, MISSING),
        ("$.a", b"\xff", MISSING),
        ("re:x=(\\d+)", b"a x=12 b", "12"),
        ("re:x=\\d+", b"a x=12 b", "x=12"),
        ("re:a(b)?", b"ac", MISSING),
        ("re:a.b", b"a\nb", "a\nb"),
        ("re:z", b"abc", MISSING),
    ],
)
def test_a_place_is_found_in_the_body(text: str, body: object, expected: Any) -> None:
    assert Place.parse(text).find(answer(body)) == expected


def test_a_place_is_found_in_headers_and_cookies() -> None:
    given = answer(headers={"x-csrf": "h"}, cookies=("sid=1; Path=/", "sid=2", "other=3"))
    assert Place.parse("header:X-CSRF").find(given) == "h"
    assert Place.parse("header:X-Other").find(given) is MISSING
    assert Place.parse("cookie:sid").find(given) == "2"
    assert Place.parse("cookie:none").find(given) is MISSING


@pytest.mark.parametrize("text", ["", "$.", "$..a", "a b", "header:", "cookie: ", "re:(", "re:" + "(" * 5000])
def test_a_place_is_refused_when_it_cannot_be_understood(text: str) -> None:
    with pytest.raises(ValueError):
        Place.parse(text)
