"""Which origins may use which RP ids (R-CL-06)."""

from __future__ import annotations

import pytest

from authctl.virtual_authenticator.client.rp_id import Origin, is_domain, parse_origin, require_rp_id_for
from authctl.virtual_authenticator.errors import OriginNotAllowed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", "https://example.com"),
        ("https://EXAMPLE.com:443/", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost:80", "http://localhost"),
        ("http://app.localhost:3000", "http://app.localhost:3000"),
    ],
)
def test_an_origin_is_written_as_a_browser_writes_it(text: str, expected: str) -> None:
    assert str(parse_origin(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "http://example.com",
        "http://localhost.example.com",
        "ftp://localhost",
        "https://example.com/path",
        "https://example.com?query",
        "https://user@example.com",
        "https://example.com:99999",
        "https://[::1",
        "https://192.0.2.1",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://exämple.com",
        "https://-example.com",
        "https://example..com",
        "https://",
        "null",
    ],
)
def test_an_origin_is_refused_when_passkeys_do_not_work_there(text: str) -> None:
    """R-CL-06: http only for localhost."""
    with pytest.raises(OriginNotAllowed):
        parse_origin(text)


def test_the_error_names_localhost_when_the_origin_is_a_loopback_address() -> None:
    with pytest.raises(OriginNotAllowed) as caught:
        parse_origin("http://127.0.0.1:8000")
    assert caught.value.hint == "Use http://localhost with the port"


@pytest.mark.parametrize(
    ("rp_id", "origin"),
    [
        ("example.com", "https://example.com"),
        ("example.com", "https://login.example.com:8443"),
        ("login.example.com", "https://login.example.com"),
        ("localhost", "http://localhost:8000"),
        ("localhost", "http://app.localhost:8000"),
    ],
)
def test_an_rp_id_is_allowed_when_it_is_the_host_or_a_domain_above(rp_id: str, origin: str) -> None:
    require_rp_id_for(rp_id, parse_origin(origin))
    assert parse_origin(origin).host.endswith(rp_id)


@pytest.mark.parametrize(
    ("rp_id", "origin"),
    [
        ("com", "https://example.com"),
        ("login.example.com", "https://example.com"),
        ("example.org", "https://example.com"),
        ("ample.com", "https://example.com"),
        ("example.com.", "https://example.com"),
        ("EXAMPLE.com", "https://example.com"),
        ("", "https://example.com"),
        ("https://example.com", "https://example.com"),
        ("localhost", "https://example.com"),
        ("x" * 64 + ".com", "https://" + "x" * 63 + ".com"),
    ],
)
def test_an_rp_id_is_refused_when_the_origin_does_not_own_it(rp_id: str, origin: str) -> None:
    """R-CL-06: only for a registrable suffix of the origin."""
    with pytest.raises(OriginNotAllowed) as caught:
        require_rp_id_for(rp_id, parse_origin(origin))
    assert "RP_ID" in str(caught.value.hint)


def test_a_name_is_no_domain_when_it_is_too_long_or_an_address() -> None:
    assert is_domain("a.b")
    assert not is_domain(".".join(["abcdefgh"] * 40))
    assert not is_domain("10.0.0.1")
    assert Origin("https", "a.b", 1).port == 1
