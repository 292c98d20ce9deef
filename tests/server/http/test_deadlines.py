"""F-02, F-16, D-18: slow, idle and numerous clients, and what becomes of requests when the server stops."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from authctl.server.connection_limits import ConnectionLimits, Register, is_shared_address, most_connections
from authctl.settings import load_settings
from tests.server.http.raw import GET, HEAD, LARGE_PARTS, Client, Echo, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.settings import Settings
    from tests.server.http.raw import Running

LONG = ConnectionLimits(linger_seconds=0.2, drain_grace_seconds=0.2)
SHORT = 0.3
HALF_POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environ={}, cwd=tmp_path)


@pytest.fixture
def app() -> Echo:
    return Echo()


@contextmanager
def slow_request(server: Running, app: Echo) -> Iterator[Client]:
    """A request that the application holds until `app.release` is set."""
    with server.client() as client:
        client.send(GET.replace(b"/", b"/slow", 1))
        assert app.is_waiting.wait(5)
        yield client


def test_a_head_is_refused_when_it_comes_too_slowly(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, head_seconds=SHORT)) as server, server.client() as client:
        client.send(HEAD)
        time.sleep(SHORT / 2)
        client.send(b"X: 1\r\n")
        reply = client.reply()
        assert (reply.status, reply.problem["detail"]) == (408, "The request did not arrive in time")
        assert client.is_closed()


def test_a_body_is_refused_when_it_comes_too_slowly(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, body_seconds=SHORT)) as server, server.client() as client:
        client.send(HALF_POST)
        assert client.reply().status == 408
        assert client.is_closed()


def test_a_body_that_nobody_waits_for_ends_the_connection_when_it_does_not_come(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, body_seconds=SHORT)) as server, server.client() as client:
        client.send(HALF_POST.replace(b"/", b"/early", 1))
        assert client.reply().status == 200
        assert client.is_closed()


def test_a_silent_connection_is_closed_without_a_word(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, head_seconds=SHORT)) as server, server.client() as client:
        assert client.is_closed()


def test_an_idle_connection_is_closed_without_a_word(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, idle_seconds=SHORT)) as server, server.client() as client:
        client.send(GET)
        assert client.reply().status == 200
        assert client.is_closed()


def test_a_request_is_answered_with_503_when_the_application_takes_too_long(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, request_seconds=SHORT)) as server, slow_request(server, app) as client:
        reply = client.reply()
        assert (reply.status, reply.fields["retry-after"]) == (503, "2")
        assert client.is_closed()
        app.release.set()


def test_a_client_that_does_not_read_is_cut_off(settings: Settings, app: Echo) -> None:
    limits = replace(LONG, stalled_seconds=SHORT)
    with running(app, settings, limits) as server, server.client(receive_buffer=4096) as client:
        client.send(GET.replace(b"/", b"/large", 1))
        assert client.file.readline() == b"HTTP/1.1 200 OK\r\n"
        server.wait_until_connections(0)


def test_a_client_that_reads_slowly_is_served_to_the_end(settings: Settings, app: Echo) -> None:
    limits = replace(LONG, stalled_seconds=20, idle_seconds=SHORT)
    with running(app, settings, limits) as server, server.client(receive_buffer=65536) as client:
        client.send(GET.replace(b"/", b"/large", 1))
        time.sleep(SHORT)
        assert len(client.rest()) > LARGE_PARTS * 65536


def test_a_refused_client_that_goes_on_sending_is_cut_off(settings: Settings, app: Echo) -> None:
    limits = replace(LONG, linger_bytes=100_000, linger_seconds=30)
    with running(app, settings, limits) as server, server.client() as client:
        client.send(b"\x00")
        assert client.reply().status == 400
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            client.send(b"x" * 50_000_000)
        server.wait_until_connections(0)


def test_honest_clients_are_served_beside_slow_ones_when_there_is_no_room(settings: Settings, app: Echo) -> None:
    """The oldest connections that only wait go; nobody is answered with 503."""
    with running(app, settings, replace(LONG, total=20)) as server:
        slow = [Client(server.port) for _ in range(60)]
        for number, client in enumerate(slow[40:]):
            client.send((b"", HEAD, HALF_POST)[number % 3])
        assert [server.ask(GET).status for _ in range(5)] == [200] * 5
        assert len(server.server.server_state.register) <= 20
        for client in slow:
            client.close()


def test_requests_in_progress_are_kept_when_others_have_to_make_room(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, total=3)) as server, slow_request(server, app) as client:
        idle = [Client(server.port) for _ in range(6)]
        server.wait_until_connections(3)
        app.release.set()
        assert client.reply().status == 200
        for other in idle:
            other.close()


def test_a_drain_answers_whole_requests_and_cuts_half_sent_ones(settings: Settings, app: Echo) -> None:
    """F-02."""
    with running(app, settings, LONG) as server, server.client() as idle, server.client() as half:
        idle.send(GET)
        assert idle.reply().status == 200
        half.send(HALF_POST)
        with slow_request(server, app) as client, server.client() as silent:
            server.wait_until_connections(4)
            server.server.stop()
            assert idle.is_closed()
            assert silent.is_closed()
            assert half.is_closed()
            with pytest.raises(ConnectionRefusedError):
                Client(server.port)
            app.release.set()
            reply = client.reply()
            assert (reply.status, reply.fields["connection"]) == (200, "close")
        server.thread.join(5)
        assert not server.thread.is_alive()


def test_a_drain_lets_a_request_arrive_that_is_on_its_way(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, drain_grace_seconds=5)) as server, server.client() as client:
        client.send(HALF_POST)
        server.wait_until_connections(1)
        server.server.stop()
        time.sleep(0.1)
        client.send(b"defghij")
        assert client.reply().body == b"POST / abcdefghij"
        assert client.is_closed()


def test_a_drain_waits_for_a_body_that_nobody_reads(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, drain_grace_seconds=5)) as server, server.client() as client:
        client.send(HALF_POST.replace(b"/", b"/early", 1))
        assert client.reply().status == 200
        server.server.stop()
        time.sleep(0.2)
        client.send(b"defghij")
        assert client.is_closed()


def connect_for(seconds: float, port: int) -> None:
    """One connection after the other; raises what the first one meets that is not taken."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        Client(port).close()


def test_a_drain_refuses_new_connections_while_a_request_is_in_progress(settings: Settings, app: Echo) -> None:
    limits = replace(LONG, drain_seconds=60)
    with running(app, settings, limits) as server, slow_request(server, app) as client:
        server.server.stop()
        with pytest.raises(ConnectionError):
            connect_for(20, server.port)
        app.release.set()
        assert client.reply().status == 200


def test_a_drain_comes_to_its_end_when_an_application_does_not(settings: Settings, app: Echo) -> None:
    with running(app, settings, replace(LONG, drain_seconds=SHORT)) as server, slow_request(server, app) as client:
        server.server.stop()
        assert client.is_closed()
        server.thread.join(20)
        assert not server.thread.is_alive()
        app.release.set()


# The register by itself.


class Place:
    """A connection that only counts."""

    def __init__(self, peer: str | None) -> None:
        self.peer = peer
        self.due = float("inf")
        self.events: list[str] = []

    def expire(self, now: float) -> None:
        self.events.append(f"expired at {now}")

    def drop(self) -> None:
        self.events.append("dropped")


def entered(register: Register, *peers: str) -> list[Place]:
    places = [Place(peer) for peer in peers]
    for place in places:
        register.enter(place)
    return places


@pytest.fixture
def limits() -> ConnectionLimits:
    return replace(LONG, total=4, per_source=2)


def never_shared(peer: str) -> bool:
    return peer == "proxy"


def test_a_source_gets_only_its_share(limits: ConnectionLimits) -> None:
    register = Register(limits, never_shared)
    oldest, older, newest, other = entered(register, "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2")
    assert [place.events for place in (oldest, older, newest, other)] == [["dropped"], [], [], []]
    assert len(register) == 3


def test_a_network_of_ipv6_is_one_source(limits: ConnectionLimits) -> None:
    register = Register(limits, never_shared)
    places = entered(register, "2001:db8::1", "2001:db8::2", "2001:db8::3")
    assert places[0].events == ["dropped"]


def test_the_newest_goes_when_all_others_of_its_source_are_being_served(limits: ConnectionLimits) -> None:
    register = Register(limits, never_shared)
    busy = entered(register, "192.0.2.1", "192.0.2.1")
    for place in busy:
        register.serve(place)
    (newest,) = entered(register, "192.0.2.1")
    assert newest.events == ["dropped"]
    assert [place.events for place in busy] == [[], []]


def test_a_connection_that_was_answered_waits_behind_the_others(limits: ConnectionLimits) -> None:
    register = Register(limits, never_shared)
    first, second, *_ = entered(register, "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
    register.serve(first)
    register.wait(first)
    entered(register, "192.0.2.5")
    assert (first.events, second.events) == ([], ["dropped"])


def test_addresses_that_many_share_have_no_share_of_their_own(limits: ConnectionLimits) -> None:
    shared = is_shared_address(lambda address: str(address) == "10.0.0.1")
    assert [shared(peer) for peer in ("10.0.0.1", "127.0.0.1", "::1", "", "192.0.2.1")] == [True] * 4 + [False]
    places = entered(Register(limits, shared), "127.0.0.1", "127.0.0.1", "127.0.0.1")
    assert [place.events for place in places] == [[], [], []]


def test_a_connection_that_has_left_is_forgotten(limits: ConnectionLimits) -> None:
    register = Register(limits, never_shared)
    (place,) = entered(register, "192.0.2.1")
    register.leave(place)
    register.leave(place)
    register.wait(place)
    assert len(register) == 0
    assert register._waiting == {}
    assert not register._of_source


def test_a_deadline_is_told_when_it_has_passed(limits: ConnectionLimits) -> None:
    register = Register(limits, never_shared)
    early, late = entered(register, "192.0.2.1", "192.0.2.2")
    early.due, late.due = 5.0, 9.0
    register.enforce(5.0)
    assert (early.events, late.events) == (["expired at 5.0"], [])


@pytest.mark.parametrize(("soft", "most"), [(128, 64), (20, 16), (1024, 960), (1_000_000, 4096), (-1, 4096)])
def test_files_are_kept_for_other_needs_than_connections(monkeypatch: pytest.MonkeyPatch, soft: int, most: int) -> None:
    """F-21."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, soft))
    assert most_connections() == most
