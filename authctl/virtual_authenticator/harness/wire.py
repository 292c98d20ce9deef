"""HTTP/1.1 with as little work as possible: for loads, where the client must not be what limits the figures."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from authctl.virtual_authenticator.errors import ConnectionDropped, NothingListens, TimedOut, UnexpectedAnswer
from authctl.virtual_authenticator.harness.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from authctl.virtual_authenticator.harness.transport import Request

# Less than servers keep a connection that is idle, so that none is closed under a request.
_IDLE_SECONDS: Final = 2.0
_LARGEST_HEAD: Final = 64 * 1024
_LARGEST_ANSWER: Final = 1024 * 1024
_AT_ONCE: Final = 64 * 1024
_DEFAULTS: Final = "user-agent: authctl-simulate\r\naccept: application/json\r\n"


class Wires:
    """A Channel to a server that speaks plain HTTP: one connection for each thread that sends.

    timeout  seconds for one request with its whole answer
    """

    def __init__(self, base_url: str, *, timeout: float = 10.0) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._own = threading.local()
        self._all: list[_Wire] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; a thread that waits for an answer learns that there is none."""
        with self._lock:
            for wire in self._all:
                wire.cut()

    def send(self, request: Request) -> Answer:
        """The server's answer, whatever its status, redirects not followed.

        ServerUnreachable when there is none in time, UnexpectedAnswer when it is too large or garbled.
        """
        url = request.path if "://" in request.path else self._base_url + request.path
        parts = urlsplit(url)
        place = (parts.hostname or "", parts.port or 80)
        wire: _Wire | None = getattr(self._own, "wire", None)
        if wire is None or wire.place != place:
            wire = self._new(place)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return wire.send(request, parts.netloc, path)

    def _new(self, place: tuple[str, int]) -> _Wire:
        self._own.wire = wire = _Wire(place, f"http://{place[0]}:{place[1]}", self._timeout)
        with self._lock:
            self._all.append(wire)
        return wire


class _Wire:
    """One connection, which is opened again when the server has closed it."""

    def __init__(self, place: tuple[str, int], name: str, timeout: float) -> None:
        self.place = place
        self._name = name
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._used = 0.0

    def send(self, request: Request, host: str, path: str) -> Answer:
        """One request and its whole answer."""
        message = _written(request, host, path)
        started = time.perf_counter()
        with self._explained():
            reading = _Reading(self._connected(started), started + self._timeout)
            reading.socket.sendall(message)
            status, headers, cookies, body = reading.answer()
        if reading.is_last:
            self.cut()
        ended = self._used = time.perf_counter()
        return Answer(request, status, headers, body, ended - started, cookies)

    def cut(self) -> None:
        """Closes the connection, whoever waits at it."""
        found, self._socket = self._socket, None
        if found is not None:
            try:
                found.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._used = 0.0  # the other side was first
            found.close()

    def _connected(self, now: float) -> socket.socket:
        if self._socket is not None and now - self._used > _IDLE_SECONDS:
            self.cut()
        if self._socket is None:
            try:
                self._socket = socket.create_connection(self.place, self._timeout)
            except TimeoutError:
                raise
            except OSError as error:
                raise NothingListens(
                    f"Nothing answers at {self._name} ({error.strerror or error})",
                    hint="Is the server running there? (authctl's own: `authctl serve`)",
                ) from error
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(self._timeout)
        return self._socket

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            self.cut()
            raise TimedOut(
                f"{self._name} did not answer within {self._timeout:g} seconds", hint="--timeout SECONDS waits longer"
            ) from error
        except (OSError, _Garbled) as error:
            self.cut()
            if isinstance(error, _TooLarge):
                raise UnexpectedAnswer("The server's answer is larger than 1 MB") from error
            raise ConnectionDropped(
                f"{self._name} closed the connection without a proper answer",
                hint="Is that an HTTP server, and http or https as it should be?",
                debug=str(error),
            ) from error


class _Garbled(Exception):
    """What came is no HTTP answer, or not all of one."""


class _TooLarge(_Garbled):
    """What came is more than is read."""


class _Reading:
    """Reads one answer from a socket.

    is_last  whether nothing can follow on this connection
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.socket = connection
        self.is_last = False
        self._deadline = deadline
        self._held = bytearray()

    def answer(self) -> tuple[int, dict[str, str], tuple[str, ...], bytes]:
        """Status, headers, lines of Set-Cookie and body."""
        status = 100
        while 100 <= status < 200:
            status, headers, cookies = self._head()
        self.is_last |= headers.get("connection", "").lower() == "close"
        return status, headers, cookies, self._body(status, headers)

    def _head(self) -> tuple[int, dict[str, str], tuple[str, ...]]:
        first, *lines = self._until(b"\r\n\r\n", _LARGEST_HEAD).decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise _Garbled(f"the answer begins with {first[:80]!r}")
        self.is_last = version == "HTTP/1.0"
        headers: dict[str, str] = {}
        cookies = []
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            if name == "set-cookie":
                cookies.append(value)
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return int(rest[:3]), headers, tuple(cookies)

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status in (204, 304):
            return b""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        length = headers.get("content-length")
        if length is None:
            return self._rest()
        if not length.isdecimal():
            raise _Garbled(f"a content length of {length[:80]!r}")
        return self._exactly(int(length[:12]))

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self._until(b"\r\n", _LARGEST_HEAD).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError as error:
                raise _Garbled("a chunk without its size") from error
            if length <= 0:
                break
            body += self._exactly(length)
            self._exactly(2)
            if len(body) > _LARGEST_ANSWER:
                raise _TooLarge
        while self._until(b"\r\n", _LARGEST_HEAD):
            """Fields after the last chunk say nothing that is needed."""
        return bytes(body)

    def _rest(self) -> bytes:
        self.is_last = True
        while (more := self._receive()) and len(self._held) <= _LARGEST_ANSWER:
            self._held += more
        return self._taken(len(self._held))

    def _until(self, end: bytes, most: int) -> bytes:
        while (place := self._held.find(end)) < 0:
            if len(self._held) > most:
                raise _Garbled("the head of the answer has no end")
            self._held += self._required()
        found = self._taken(place)
        del self._held[: len(end)]
        return found

    def _exactly(self, length: int) -> bytes:
        if length > _LARGEST_ANSWER:
            raise _TooLarge
        while len(self._held) < length:
            self._held += self._required()
        return self._taken(length)

    def _taken(self, length: int) -> bytes:
        if length > _LARGEST_ANSWER:
            raise _TooLarge
        found = bytes(self._held[:length])
        del self._held[:length]
        return found

    def _required(self) -> bytes:
        more = self._receive()
        if not more:
            raise _Garbled("the answer ends too early")
        return more

    def _receive(self) -> bytes:
        # The time is for the whole answer: a server that drips has no more of it than one that is silent.
        left = self._deadline - time.perf_counter()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        return self.socket.recv(_AT_ONCE)


def _written(request: Request, host: str, path: str) -> bytes:
    content = request.content
    fields = [f"{name}: {value}\r\n" for name, value in request.headers.items()]
    if content is None and request.json is not None:
        content = json.dumps(request.json, separators=(",", ":")).encode()
        fields.append("content-type: application/json\r\n")
    if content is not None or request.method != "GET":
        fields.append(f"content-length: {len(content or b'')}\r\n")
    head = f"{request.method} {path} HTTP/1.1\r\nhost: {host}\r\n{_DEFAULTS}{''.join(fields)}\r\n"
    return head.encode() + (content or b"")
