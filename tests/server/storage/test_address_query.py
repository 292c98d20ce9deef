"""A network means the same addresses in every database, and those that Python says lie in it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authctl.clock import FixedClock
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.address_query import IPV4_FORM, IPV6_FORM, in_network
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import Dialect, EventFilter, select_events
from authctl.server.storage.reader import open_reader
from tests.server.storage.trail_rows import Duck, a_row, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network, IPv6Network

    from authctl.server.storage.reader import Reader

    Network = IPv4Network | IPv6Network

NO_ADDRESSES = (
    "local",
    "",
    "10",
    "::x",
    "1.2.3.4 or so",
    "10.0.0.256",
    "1:2:3:4:5:6:7:8:9",
    "a:b@example.com",
    "::1::",
)
ADDRESSES = (
    "0.0.0.1", "9.255.255.255", "10.0.0.0", "10.127.255.255", "10.128.0.0", "100.1.2.3", "110.0.0.1", "127.0.0.1",
    "128.0.0.1", "192.0.2.0", "192.0.2.1", "192.0.2.9", "192.0.2.10", "192.0.2.127", "192.0.2.128", "192.0.20.1",
    "192.0.3.0", "255.255.255.255",
    "::", "::1", "1::", "::2:0:0:1", "1:0:0:2::", "2001:db8::", "2001:db8::1", "2001:db8:0:1::", "2001:db8:0:1:2:3:4:5",
    "2001:db8:1::", "2001:db8:1:0:5::", "2001:db8:1:0:5:6:7:8", "2001:db8:1:2::", "2001:db80::1", "2001:db7:ffff::",
    "2001:db9::1", "2001:db8::5:0:0:1", "2001:db8:0:0:5:6:7:8", "fe80::1", "fec0::1", "fe7f::", "febf:1::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)  # fmt: skip
NETWORKS = (
    "192.0.2.1/32", "192.0.2.0/24", "192.0.2.0/25", "192.0.2.8/31", "192.0.2.0/23", "192.0.0.0/16", "10.0.0.0/8",
    "10.0.0.0/9", "10.128.0.0/9", "0.0.0.0/0", "128.0.0.0/1", "8.0.0.0/6", "192.0.16.0/20", "255.255.255.254/31",
    "::/0", "::1/128", "::/127", "::/8", "2000::/3", "2001:db8::/32", "2001:db8::/31", "2001:db8::/33",
    "2001:db8::/48", "2001:db8::/64", "2001:db8::/80", "2001:db8::/96", "2001:db8:1::/48", "2001:db8:1::/64",
    "2001:db8:0:1::/64", "2001:db8:1:2::/64", "2001::/16", "1::/16", "1:0:0:2::/64", "fe80::/10", "ffff::/16",
    "::/16", "::2:0:0:0/80", "2001:db8:1:0:5::/80",
)  # fmt: skip
OTHER_TEXTS = ("local", "", "10", "::x", "::1::", "a:b@example.com")
ROWS = [a_row(number, ip_address=text) for number, text in enumerate([None, *ADDRESSES, *OTHER_TEXTS])]


@pytest.fixture(scope="module")
def sqlite_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    yield from _filled(f"sqlite:///{tmp_path_factory.mktemp('a') / 'app.db'}")


@pytest.fixture(scope="module")
def postgres_reader(postgres_server: Any) -> Iterator[Reader]:
    yield from _filled(postgres_server.create_database("address_query"))


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    engine = Duck(ROWS)
    yield engine
    engine.close()


def _filled(url: str) -> Iterator[Reader]:
    database = open_database(url, FixedClock(), create=True)
    fill(database, ROWS)
    database.close()
    reader = open_reader(url)
    yield reader
    reader.close()


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def asked(request: pytest.FixtureRequest) -> Any:
    """The same rows in each database."""
    names = {"sqlite": "sqlite_reader", "duckdb": "duck", "postgresql": "postgres_reader"}
    return request.getfixturevalue(names[request.param])


@pytest.mark.parametrize("text", NETWORKS)
def test_a_network_finds_the_addresses_that_lie_in_it(asked: Any, text: str) -> None:
    network = ip_network(text)
    found = {event.ip_address for event in DatabaseSource(asked).events(EventFilter(networks=(network,)))}
    assert found == {address for address in ADDRESSES if lies_in(address, network)}


def test_an_address_lies_in_any_of_several_networks(asked: Any) -> None:
    texts = ("192.0.2.1/32", "192.0.2.9/32", "::1/128", "10.0.0.0/9", "2001:db8::/33")
    wanted = EventFilter(networks=tuple(map(ip_network, texts)))
    found = {event.ip_address for event in DatabaseSource(asked).events(wanted)}
    assert found == {address for address in ADDRESSES if any(lies_in(address, ip_network(text)) for text in texts)}


def lies_in(address: str, network: Network) -> bool:
    parsed = ip_address(address)
    return parsed.version == network.version and parsed in network


def addresses_near(network: Network) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    """Addresses inside, at the edges, and anywhere."""
    kind = type(network.network_address)
    first, last = int(network.network_address), int(network.broadcast_address)
    limit = 2**network.max_prefixlen - 1
    edges = [max(first - 1, 0), first, last, min(last + 1, limit)]
    return st.one_of(st.integers(first, last), st.sampled_from(edges), st.integers(0, limit)).map(kind)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, str]:
    """A network of either family, often with runs of zeros, and the text of an address."""
    if draw(st.booleans()):
        packed = bytes(draw(st.lists(st.integers(0, 255), min_size=4, max_size=4)))
        length = draw(st.integers(0, 32))
    else:
        groups = draw(st.lists(st.sampled_from([0, 0, 0, 1, 0xDB8, 0xFFFF, 0x10]), min_size=8, max_size=8))
        packed = b"".join(group.to_bytes(2, "big") for group in groups)
        length = draw(st.one_of(st.integers(0, 128), st.sampled_from(range(0, 129, 16))))
    network = ip_network((packed, length), strict=False)
    return network, str(draw(addresses_near(network)))


class One:
    """A table with one address, in two databases."""

    def __init__(self) -> None:
        from authctl.server.storage.address_query import register_functions
        from authctl.server.storage.event_query import EVENT_COLUMNS
        from authctl.server.storage.sqlite import dbapi

        self.sqlite = dbapi.connect(":memory:", check_same_thread=False)
        register_functions(self.sqlite)
        self.sqlite.execute(f"CREATE TABLE audit_logs ({', '.join(EVENT_COLUMNS)})")
        self.duck = Duck().engine

    def is_found(self, network: Network, address: str) -> set[bool]:
        found = set()
        for engine, dialect in ((self.sqlite, "sqlite"), (self.duck, "duckdb")):
            known: Dialect = dialect  # type: ignore[assignment]
            engine.execute("DELETE FROM audit_logs")
            engine.execute("INSERT INTO audit_logs (id, ip_address) VALUES ('e', ?)", [address])
            sql = select_events(EventFilter(networks=(network,)), known)
            found.add(bool(engine.execute(sql.text, dict(sql.params)).fetchall()))
        return found


ONE = One()


@given(case=cases())
@example(case=(ip_network("2001:db8:0:0:0::/80"), "2001:db8::5:0:0:1"))
@example(case=(ip_network("2001:db8:1::/64"), "2001:db8:1:0:5:6:7:8"))
@example(case=(ip_network("::/0"), "::"))
@example(case=(ip_network("0.0.0.0/1"), "127.255.255.255"))
@settings(max_examples=400, deadline=None)
def test_membership_is_what_python_says(case: tuple[Network, str]) -> None:
    network, address = case
    assert ONE.is_found(network, address) == {lies_in(address, network)}


@given(number=st.integers(0, 2**128 - 1), zeros=st.sets(st.integers(0, 7)))
@settings(max_examples=200, deadline=None)
def test_every_spelling_of_python_is_known(number: int, zeros: set[int]) -> None:
    for group in zeros:
        number &= ~(0xFFFF << 16 * group)
    assert re.match(IPV6_FORM, str(IPv6Address(number)))
    assert re.match(IPV4_FORM, str(IPv4Address(number & 0xFFFFFFFF)))


@pytest.mark.parametrize("text", [*NO_ADDRESSES, "::1%eth0", "::ffff:192.0.2.1", "1::2\n", "2001:DB8::1"])
def test_what_is_no_address_of_ours_has_no_form(text: str) -> None:
    assert not re.fullmatch(IPV6_FORM.strip("^$"), text)
    assert not re.fullmatch(IPV4_FORM.strip("^$"), text)


@pytest.mark.parametrize("text", [*NO_ADDRESSES, "::ffff:192.0.2.1", "a\0b", "192.0.2.1"])
def test_the_function_finds_no_text_that_is_no_address(text: str) -> None:
    assert in_network(text, "::/0") is False


def test_the_function_leaves_null_what_it_is() -> None:
    assert in_network(None, "::/0") is None
    assert in_network("::1", "::/0") is True
