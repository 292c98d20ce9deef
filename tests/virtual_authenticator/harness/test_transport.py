"""Requests over real sockets, to servers that do not behave."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import ServerUnreachable, UsageError
from authctl.virtual_authenticator.errors import MessageCutOff
from authctl.virtual_authenticator.harness.recipe.rules import judge_failure
from authctl.virtual_authenticator.harness.relying_party import Verdict
from authctl.virtual_authenticator.harness.transport import Request, Transport, origin_of, require_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.virtual_authenticator.harness.lifespan import Message

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def serving(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes one connection and does with it what the test says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                behave(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://localhost:{listener.getsockname()[1]}"
        thread.join(10)


def send(url: str, timeout: float = 5.0) -> Any:
    with Transport(url, timeout=timeout) as transport:
        return transport.send(Request("POST", "/x", {"a": 1}))


def test_an_answer_comes_with_status_headers_body_and_time() -> None:
    with serving(lambda connection: connection.sendall(OK)) as url:
        answer = send(url)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"{}", "application/json")
    assert 0 < answer.seconds < 5


def test_a_very_large_message_is_cut_off_when_the_server_closes_the_connection_over_it() -> None:
    """RFC 9110 §15.5.14: a server may do so; over a small one it may not."""
    with (
        serving(lambda connection: connection.close()) as url,
        Transport(url) as transport,
        pytest.raises(MessageCutOff, match="over a message of 3000000 bytes") as caught,
    ):
        transport.send(Request("POST", "/x", content=b"x" * 3_000_000))
    reaction = judge_failure(caught.value, 0.1)
    assert (reaction.verdict, reaction.reason) == (Verdict.REFUSED, "the message is too large")


def test_the_server_is_unreachable_when_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerUnreachable, match=f"Nothing answers at http://localhost:{port}") as caught:
        send(f"http://localhost:{port}")
    assert "authctl serve" in str(caught.value.hint)


def test_the_server_is_unreachable_when_its_name_is_unknown() -> None:
    with pytest.raises(ServerUnreachable, match="Nothing answers"):
        send("http://nothing.invalid")


def test_the_server_is_unreachable_when_it_hangs() -> None:
    with serving(lambda _: time.sleep(0.4)) as url, pytest.raises(ServerUnreachable, match=r"within 0\.2 seconds"):
        send(url, timeout=0.2)


def test_the_time_out_holds_when_the_server_drips() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(20):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.05)

    started = time.monotonic()
    with serving(drip) as url, pytest.raises(ServerUnreachable, match="did not answer"):
        send(url, timeout=0.3)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("garbage", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"220 mail ready\r\n"])
def test_the_server_is_unreachable_when_it_closes_or_speaks_no_http(garbage: bytes) -> None:
    with (
        serving(lambda connection: connection.sendall(garbage)) as url,
        pytest.raises(ServerUnreachable, match="closed the connection"),
    ):
        send(url)


def test_the_reason_is_given_when_the_server_speaks_no_tls() -> None:
    with serving(lambda connection: connection.sendall(OK)) as url, pytest.raises(ServerUnreachable, match="SSL"):
        send(url.replace("http:", "https:"))


def test_an_address_is_kept_without_its_closing_slash() -> None:
    assert require_url("http://localhost:8000/") == "http://localhost:8000"
    assert require_url("https://example.com/auth/") == "https://example.com/auth"
    assert origin_of("https://example.com:8443/auth") == "https://example.com:8443"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:8000",
        "ftp://localhost",
        "http://",
        "http://user@localhost",
        "http://localhost:99999",
        "http://localhost:0",
        "http://[::1",
        "http://localhost/?q",
        "http://localhost/#f",
        "http://local host",
        "http://local\nhost",
    ],
)
def test_an_address_is_refused_when_it_is_not_one_of_a_server(text: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        Transport(text)


async def without_lifespan(scope: Message, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def failing(scope: Message, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is gone"})


async def crashing(scope: Message, receive: Any, send: Any) -> None:
    raise RuntimeError("bug")


def test_an_application_without_lifespan_is_taken_as_started() -> None:
    with Transport("http://localhost", app=without_lifespan) as transport:
        assert transport.send(Request("GET", "/")).body == b"{}"


def test_the_application_is_unreachable_when_it_does_not_start() -> None:
    with pytest.raises(ServerUnreachable, match="did not start"), Transport("http://localhost", app=failing):
        pass


def test_an_application_that_crashes_answers_500() -> None:
    with Transport("http://localhost", app=crashing) as transport:
        assert transport.send(Request("GET", "/")).status == 500


def test_a_hanging_application_is_cut_off() -> None:
    async def hanging(scope: Message, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    transport = Transport("http://localhost", app=hanging, timeout=0.1)
    with pytest.raises(ServerUnreachable, match="did not answer"):
        transport.send(Request("GET", "/"))
    transport.close()


def test_what_an_application_left_running_is_cancelled() -> None:
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def leaving(scope: Message, receive: Any, send: Any) -> None:
        tasks.append(asyncio.create_task(background()))
        await asyncio.sleep(0)
        await without_lifespan(scope, receive, send)

    tasks: list[asyncio.Task[None]] = []
    transport = Transport("http://localhost", app=leaving)
    transport.send(Request("GET", "/"))
    transport.close()
    assert ended == ["cancelled"]
