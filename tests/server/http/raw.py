"""A server in a thread and a client that sends bytes as it pleases; for what no HTTP client would do."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.running import Server, bind, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from authctl.server.connection_limits import ConnectionLimits
    from authctl.settings import Settings

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
GET = HEAD + b"\r\n"
LARGE_PARTS = 200
"""Parts of 64 KB that make the answer of /large."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response, read from a socket."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body as a problem document."""
        assert self.fields["content-type"] == "application/problem+json; charset=utf-8"
        document: dict[str, Any] = orjson.loads(self.body)
        assert document["status"] == self.status
        return document


class Client:
    """A TCP connection to the server."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(5)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def reply(self, *, to: str = "GET") -> Reply:
        """Reads one response."""
        status = int(self.file.readline().split()[1])
        fields: dict[str, str] = {}
        while (line := self.file.readline().rstrip(b"\r\n")) != b"":
            name, _, value = line.decode("latin-1").partition(": ")
            fields[name] = value
        return Reply(status, fields, b"" if to == "HEAD" else self._body(fields))

    def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return self.file.read(int(fields.get("content-length", "0")))
        body = b""
        while size := int(self.file.readline(), 16):
            body += self.file.read(size)
            self.file.readline()
        self.file.readline()
        return body

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        parts = []
        try:
            while part := self.file.read1(65536):
                parts.append(part)
        except ConnectionResetError:
            parts.append(b"(reset)")
        return b"".join(parts)

    def is_closed(self) -> bool:
        """Waits for the server to close; False when it sends something instead."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        """Closes the connection."""
        self.file.close()
        self.socket.close()


@dataclass
class Running:
    """A server that runs in a thread."""

    server: Server
    port: int
    thread: threading.Thread

    @contextmanager
    def client(self, receive_buffer: int | None = None) -> Iterator[Client]:
        """A connection, closed at the end."""
        client = Client(self.port, receive_buffer)
        try:
            yield client
        finally:
            client.close()

    def ask(self, data: bytes) -> Reply:
        """The response to some bytes on a connection of their own."""
        with self.client() as client:
            client.send(data)
            return client.reply()

    def wait_until_connections(self, count: int) -> None:
        """Until the server knows of so many connections."""
        ends = time.monotonic() + 5
        while len(self.server.server_state.register) != count:
            assert time.monotonic() < ends, f"{len(self.server.server_state.register)} connections"
            time.sleep(0.01)


@contextmanager
def running(app: ASGIApp, settings: Settings, limits: ConnectionLimits | None = None) -> Iterator[Running]:
    """A server for `app`."""
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    started = threading.Event()
    server = Server(app, settings, limits, started.set)
    thread = threading.Thread(target=run, args=(server, listener), daemon=True)
    thread.start()
    assert started.wait(5)
    try:
        yield Running(server, port, thread)
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()


class Echo:
    """An application that answers with what it was sent; its path says how.

    /slow waits for `release` first, /early answers before reading, /stream sends without a length, /large sends more
    than any buffer takes, /raise fails, /half fails after the head, /nothing returns without an answer, /talk begins
    its answer before it has the question, /head answers with the names of the header fields.
    """

    def __init__(self) -> None:
        self.release = threading.Event()
        self.is_waiting = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        kind = scope["path"]
        body = b""
        if kind == "/talk":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"so far", "more_body": True})
        if kind != "/early":
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body += message["body"]
                if not message["more_body"]:
                    break
        if kind == "/slow":
            self.is_waiting.set()
            while not self.release.is_set():  # noqa: ASYNC110  set from another thread
                await asyncio.sleep(0.01)
        if kind == "/raise":
            raise ValueError("a fault")
        if kind == "/nothing":
            return
        text = b"%s %s %s" % (scope["method"].encode(), scope["raw_path"], body)
        if kind == "/head":
            text = b" ".join(name for name, _ in scope["headers"])
        await self._answer(kind, text, send)

    async def _answer(self, kind: str, text: bytes, send: Send) -> None:
        if kind == "/talk":
            await send({"type": "http.response.body", "body": text})
            return
        fields = [] if kind == "/stream" else [(b"content-length", b"%d" % len(text))]
        if kind == "/large":
            fields = []
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        if kind == "/half":
            await send({"type": "http.response.body", "body": text[:1], "more_body": True})
            raise ValueError("a fault after the head")
        if kind == "/large":
            for _ in range(LARGE_PARTS):
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        if kind == "/stream":
            await send({"type": "http.response.body", "body": text, "more_body": True})
            await send({"type": "http.response.body"})
        else:
            await send({"type": "http.response.body", "body": text})
