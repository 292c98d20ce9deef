"""R-CF-05, D-5: an address comes from the socket, or from proxies that the operator listed."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from authctl.server.http.client_address import ClientAddresses, Source, parse_address, source_of

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ff::/48"))


@pytest.fixture
def behind_proxies() -> ClientAddresses:
    return ClientAddresses(PROXIES)


def test_forwarded_headers_are_ignored_when_no_proxy_is_listed() -> None:
    assert ClientAddresses().resolve("192.0.2.9", [b"203.0.113.1"]).address == "192.0.2.9"


def test_forwarded_headers_are_ignored_when_the_peer_is_not_listed(behind_proxies: ClientAddresses) -> None:
    assert behind_proxies.resolve("192.0.2.9", [b"203.0.113.1"]).address == "192.0.2.9"


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([b"203.0.113.1"], "203.0.113.1"),
        ([b"198.51.100.7, 203.0.113.1"], "203.0.113.1"),
        ([b"203.0.113.1, 10.1.1.1"], "203.0.113.1"),
        ([b"203.0.113.1,\t10.1.1.1 , 10.9.9.9"], "203.0.113.1"),
        ([b"198.51.100.7", b"203.0.113.1"], "203.0.113.1"),
        ([b"203.0.113.1", b"10.1.1.1"], "203.0.113.1"),
        ([b"2001:db8::1"], "2001:db8::1"),
        ([b"2001:DB8:0:0::1, 2001:db8:ff::2"], "2001:db8::1"),
        ([b"::ffff:203.0.113.1"], "203.0.113.1"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_not_listed(
    behind_proxies: ClientAddresses, lines: list[bytes], address: str
) -> None:
    assert behind_proxies.resolve("10.0.0.1", lines).address == address


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"unknown",
        b"<script>",
        b"203.0.113.1:80",
        b"[2001:db8::1]",
        b"203.0.113.256",
        b"1.2.3",
        b"\xff",
        b"03.0.113.1",
    ],
)
def test_the_peer_stands_when_the_header_holds_no_address(behind_proxies: ClientAddresses, value: bytes) -> None:
    assert behind_proxies.resolve("10.0.0.1", [b"198.51.100.7, " + value]).address == "10.0.0.1"


def test_what_is_too_long_for_an_address_is_not_kept_in_memory(behind_proxies: ClientAddresses) -> None:
    """R-RL-07: thousands of results are remembered, and a header may have 16 KB."""
    parse_address.cache_clear()
    zone = b"fe80::1%" + b"z" * 10_000
    assert behind_proxies.resolve("10.0.0.1", [zone, zone + b" , 10.1.1.1"]).address == "10.0.0.1"
    assert parse_address.cache_info().currsize == 3  # the peer, the hop, and an empty text


def test_the_peer_stands_when_every_hop_is_listed(behind_proxies: ClientAddresses) -> None:
    assert behind_proxies.resolve("10.0.0.1", [b"10.1.1.1, 10.2.2.2"]).address == "10.0.0.1"


def test_a_peer_without_address_is_local(behind_proxies: ClientAddresses) -> None:
    assert behind_proxies.resolve(None, [b"203.0.113.1"]) == Source(None, "local")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("192.0.2.1", Source("192.0.2.1", "192.0.2.1")),
        ("2001:db8:1:2:3:4:5:6", Source("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")),
        ("::ffff:192.0.2.1", Source("192.0.2.1", "192.0.2.1")),
        ("fe80::1%eth0", Source("fe80::1", "fe80::/64")),
    ],
)
def test_limits_count_an_ipv4_address_by_itself_and_an_ipv6_address_by_its_network(text: str, source: Source) -> None:
    """R-RL-01."""
    assert source_of(text) == source


def test_text_that_is_no_address_is_none() -> None:
    assert parse_address("localhost") is None
