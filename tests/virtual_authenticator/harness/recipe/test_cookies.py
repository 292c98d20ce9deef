"""Which cookies a request carries (RFC 6265 §5)."""

from __future__ import annotations

import pytest

from authctl.virtual_authenticator.harness.recipe.cookies import CookieJar, set_cookies
from authctl.virtual_authenticator.harness.transport import Answer, Request


def setting(*lines: str) -> Answer:
    return Answer(Request("GET", "/"), 200, {}, b"", 0.0, lines)


def sent(line: str, url: str, *, set_at: str = "https://a.example/register/begin") -> str:
    jar = CookieJar()
    jar.keep(set_at, setting(line))
    return jar.header(url)


@pytest.mark.parametrize(
    ("line", "url", "expected"),
    [
        ("s=1; Path=/", "https://a.example/login/finish", "s=1"),
        # Without a path the cookie stays in the directory of the request that set it.
        ("s=1", "https://a.example/register/finish", "s=1"),
        ("s=1", "https://a.example/register", "s=1"),
        ("s=1", "https://a.example/login/finish", ""),
        ("s=1", "https://a.example/registered", ""),
        ("s=1; Path=relative", "https://a.example/register/x", "s=1"),
        ("s=1; path=/x; PATH=/", "https://a.example/y", "s=1"),
        ("s=1; Path=/", "https://b.a.example/", ""),
        ("s=1; Path=/; Domain=a.example", "https://b.a.example/", "s=1"),
        ("s=1; Path=/; Domain=.a.example", "https://b.a.example/", "s=1"),
        ("s=1; Path=/; Domain=b.example", "https://b.example/", ""),
        ("s=1; Path=/; Domain=b.example", "https://a.example/", ""),
        ("s=1; Path=/; Secure", "http://a.example/", ""),
        ("s=1; Path=/; Max-Age=0", "https://a.example/", ""),
        ("s=1; Path=/; Max-Age=-5", "https://a.example/", ""),
        ("s=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://a.example/", "s=1"),
        ("s=1; Path=/; Max-Age=--1", "https://a.example/", "s=1"),
        ("s=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://a.example/", ""),
        ("s=1; Path=/; Expires=soon", "https://a.example/", "s=1"),
        ("s=a=b==; Path=/", "https://a.example/", "s=a=b=="),
        ("=1; Path=/", "https://a.example/", ""),
        ("nothing", "https://a.example/", ""),
        ("s=\u00e9; Path=/", "https://a.example/", ""),
        ("s=a\x01b; Path=/", "https://a.example/", ""),
    ],
)
def test_a_cookie_goes_where_it_belongs(line: str, url: str, expected: str) -> None:
    assert sent(line, url) == expected


def test_a_secure_cookie_goes_to_this_machine_without_tls() -> None:
    assert sent("s=1; Secure; Path=/", "http://localhost:3000/x", set_at="http://localhost:3000/") == "s=1"


def test_the_longest_path_comes_first_and_a_later_value_replaces_an_earlier_one() -> None:
    jar = CookieJar()
    jar.keep("https://a.example/", setting("a=1; Path=/", "b=2; Path=/x/y", "a=3; Path=/"))
    assert jar.header("https://a.example/x/y/z") == "b=2; a=3"
    jar.keep("https://a.example/", setting("a=; Path=/; Max-Age=0"))
    assert jar.header("https://a.example/x/y/z") == "b=2"


def test_a_copy_goes_its_own_way() -> None:
    jar = CookieJar()
    jar.keep("https://a.example/", setting("a=1"))
    other = jar.copy()
    other.keep("https://a.example/", setting("a=2"))
    assert (jar.header("https://a.example/"), other.header("https://a.example/")) == ("a=1", "a=2")


def test_attributes_are_read_whatever_their_case() -> None:
    [cookie] = set_cookies(setting("s=1; HTTPONLY; SameSite = Lax"))
    assert cookie.attributes == {"httponly": "", "samesite": "Lax"}
