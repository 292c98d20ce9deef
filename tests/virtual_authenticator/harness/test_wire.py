"""The lean connection reads what servers answer, and tells every way in which they do not (SPEC §11)."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from authctl.errors import AuthctlError
from authctl.virtual_authenticator.errors import ConnectionDropped, NothingListens, TimedOut, UnexpectedAnswer
from authctl.virtual_authenticator.harness import wire
from authctl.virtual_authenticator.harness.transport import Request
from authctl.virtual_authenticator.harness.wire import Wires

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass
class Raw:
    """A socket that answers each request with the next bytes; None closes instead, and nothing is left for ever."""

    port: int = 0
    answers: list[bytes | None] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)
    connections: int = 0
    hangs: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with connection:
            while (request := connection.recv(65536)) and self.answers:
                self.seen.append(request)
                answer = self.answers.pop(0)
                if answer is None:
                    return
                connection.sendall(answer)
                if b"\r\nclose" in answer or b"HTTP/1.0" in answer or b"-Length" not in answer:
                    return
            if request:
                self.hangs.wait(10)


@contextmanager
def raw(*answers: bytes | None) -> Iterator[Raw]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Raw(listening.getsockname()[1], list(answers))

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                server.connections += 1
                threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server
        server.hangs.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK, 200, b"hi"),
        (b"HTTP/1.1 201\r\nContent-Length: 0\r\n\r\n", 201, b""),
        (b"HTTP/1.1 204 No Content\r\nX-Length: -\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"hi"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 400 Bad\r\nContent-Length: 1\r\n\r\n!", 400, b"!"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\nT: 1\r\n\r\n",
            200,
            b"hi!",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", 200, b"old"),
        (b"HTTP/1.1 500 Oops\r\nConnection:\r\nContent-Length:   3  \r\n\r\nbad", 500, b"bad"),
    ],
)
def test_an_answer_is_read_however_it_ends(answer: bytes, status: int, body: bytes) -> None:
    with raw(answer) as server, Wires(server.url) as wires:
        found = wires.send(Request("GET", "/x"))
    assert (found.status, found.body) == (status, body)
    assert found.seconds > 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (None, ConnectionDropped),
        (b"", TimedOut),
        (b"HTTP/1.1 200", ConnectionDropped),
        (b"<html>no head</html>\r\n\r\n", ConnectionDropped),
        (b"HTTP/1.1 abc\r\n\r\n", ConnectionDropped),
        (b"SSH-2.0-OpenSSH\r\n", ConnectionDropped),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ConnectionDropped),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 80_000, ConnectionDropped),
        (b"HTTP/1.1 200 OK\r\nConnection:\r\nclose: x\r\nContent-Length: 9\r\n\r\nhi", ConnectionDropped),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", UnexpectedAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", UnexpectedAnswer),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_100_000, UnexpectedAnswer),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", ConnectionDropped),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", UnexpectedAnswer),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + 2 * (b"90000\r\n" + b"x" * 0x90000 + b"\r\n"),
            UnexpectedAnswer,
        ),
    ],
    ids=lambda value: "none" if value is None else repr(value[-12:]) if isinstance(value, bytes) else value.__name__,
)
def test_an_answer_that_is_none_is_told(answer: bytes | None, kind: type[AuthctlError]) -> None:
    if answer == b"":
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"
    with raw(answer, OK) as server, Wires(server.url, timeout=0.3 if kind is TimedOut else 5.0) as wires:
        with pytest.raises(kind):
            wires.send(Request("GET", "/x"))
        # The connection is not used again.
        assert wires.send(Request("GET", "/x")).body == b"hi"
        assert server.connections == 2


def test_nothing_that_listens_is_told_from_a_connection_that_closes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Wires(f"http://localhost:{port}") as wires, pytest.raises(NothingListens, match="Nothing answers at"):
        wires.send(Request("GET", "/"))


def test_a_server_that_drips_has_no_more_time_than_one_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 3))
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi") as server, Wires(server.url, timeout=5.0) as wires:
        monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
        with pytest.raises(TimedOut, match="within 5 seconds"):
            wires.send(Request("GET", "/"))


def test_a_server_that_cannot_be_connected_to_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", connect)
    with Wires("http://localhost:1") as wires, pytest.raises(TimedOut):
        wires.send(Request("GET", "/"))


def test_a_connection_is_used_again_until_it_was_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw(OK, OK, OK) as server, Wires(server.url) as wires:
        wires.send(Request("GET", "/a"))
        wires.send(Request("GET", "/b"))
        assert server.connections == 1
        monkeypatch.setattr(wire, "_IDLE_SECONDS", 0.0)
        wires.send(Request("GET", "/c"))
        assert server.connections == 2


def test_a_connection_is_opened_again_when_the_server_says_that_it_closes() -> None:
    with (
        raw(b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi", OK) as server,
        Wires(server.url) as wires,
    ):
        assert wires.send(Request("GET", "/a")).body == wires.send(Request("GET", "/b")).body == b"hi"
        assert server.connections == 2


def test_every_thread_and_every_host_has_a_connection_of_its_own() -> None:
    with raw(OK, OK) as server, raw(OK) as other, Wires(server.url) as wires:
        wires.send(Request("GET", "/a"))
        thread = threading.Thread(target=wires.send, args=(Request("GET", "/b"),))
        thread.start()
        thread.join()
        assert wires.send(Request("GET", f"{other.url}/c")).status == 200
        assert (server.connections, other.connections) == (2, 1)


def test_whoever_waits_learns_that_the_connections_are_closed() -> None:
    with raw(None) as server:
        server.answers.clear()
        wires = Wires(server.url)
        told: list[AuthctlError] = []

        def send() -> None:
            try:
                wires.send(Request("GET", "/"))
            except AuthctlError as error:
                told.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        while not server.connections:
            """Until somebody waits."""
        wires.close()
        thread.join(10)
        assert [type(error) for error in told] == [ConnectionDropped]


def test_a_request_says_what_it_has_to() -> None:
    with raw(OK, OK, OK, OK) as server, Wires(f"{server.url}/base") as wires:
        wires.send(Request("POST", "/a?b=c", {"é": 1}, headers={"X-Y": "z"}))
        wires.send(Request("POST", "/a", content=b"raw"))
        wires.send(Request("POST", "/a"))
        wires.send(Request("GET", f"{server.url}"))
    first, second, third, fourth = server.seen
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[:2] == [b"POST /base/a?b=c HTTP/1.1", f"host: localhost:{server.port}".encode()]
    assert {b"X-Y: z", b"content-type: application/json", b"accept: application/json"} <= set(head.split(b"\r\n"))
    assert json.loads(body) == {"é": 1}
    assert second.endswith(b"content-length: 3\r\n\r\nraw")
    assert third.endswith(b"content-length: 0\r\n\r\n")
    assert fourth.startswith(b"GET / HTTP/1.1\r\n")
    assert b"content-length" not in fourth


def test_headers_and_cookies_are_those_of_the_answer() -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Y: 1\r\nx-y: 2\r\nContent-Length: 0\r\n\r\n"
    with raw(answer) as server, Wires(server.url) as wires:
        found = wires.send(Request("GET", "/"))
    assert found.cookies == ("a=1", "b=2")
    assert found.headers["x-y"] == "1, 2"
