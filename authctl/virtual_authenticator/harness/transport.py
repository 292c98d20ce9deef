"""Sends requests to a server, over HTTP or to an application in the same process, and never waits too long."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final, Protocol, Self
from urllib.parse import urlsplit

import httpx2

from authctl.errors import UsageError
from authctl.virtual_authenticator.errors import (
    ConnectionDropped,
    MessageCutOff,
    NothingListens,
    TimedOut,
    UnexpectedAnswer,
)
from authctl.virtual_authenticator.harness.lifespan import Lifespan
from authctl.virtual_authenticator.harness.loop_thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from authctl.virtual_authenticator.harness.lifespan import AsgiApp

# Less than servers keep a connection that is idle, so that none is closed under a request.
_IDLE_SECONDS: Final = 2.0
_LARGEST_ANSWER: Final = 1024 * 1024
_LARGE_MESSAGE: Final = 1024 * 1024
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the path is relative to the server's address, or is a whole address.

    content  a body as it stands, whose type a header tells; otherwise `json` is the body, or there is none
    """

    method: str
    path: str
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with what it answers; header names are lower case.

    cookies  the lines of Set-Cookie, which cannot be one header
    """

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    cookies: tuple[str, ...] = ()


class Channel(Protocol):
    """A way to one server, used as a context manager."""

    def __enter__(self) -> Self:
        """Ready to send."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets go of everything."""
        ...

    def send(self, request: Request) -> Answer:
        """The server's answer, whatever its status; raises ServerUnreachable or UnexpectedAnswer."""
        ...

    def close(self) -> None:
        """Lets go of everything."""
        ...


class Transport:
    """A connection to one server, used as a context manager.

    base_url  where the server is, http or https, with or without a path
    timeout   seconds for one request with its whole answer
    app       an ASGI application to use instead of the network
    """

    def __init__(self, base_url: str, *, timeout: float = 10.0, app: AsgiApp | None = None) -> None:
        self.base_url = require_url(base_url)
        self._timeout = timeout
        self._loop = LoopThread()
        self._lifespan = None if app is None else Lifespan(app)
        self._client = self._loop.run(self._open(app))

    def __enter__(self) -> Self:
        try:
            if self._lifespan is not None:
                self._loop.run(self._lifespan.start())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._lifespan is not None:
                self._loop.run(self._lifespan.stop())
        finally:
            self.close()

    def close(self) -> None:
        """Lets go of connections and thread."""
        self._loop.run(self._client.aclose())
        self._loop.close()

    def send(self, request: Request) -> Answer:
        """The server's answer, whatever its status, redirects not followed.

        ServerUnreachable when there is none in time, UnexpectedAnswer when it is too large or garbled.
        """
        with _explained(self.base_url, self._timeout, len(request.content or b"")):
            return self._loop.run(self._send(request))

    async def _open(self, app: AsgiApp | None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=None if app is None else httpx2.ASGITransport(app, raise_app_exceptions=False),
            timeout=self._timeout,
            limits=httpx2.Limits(keepalive_expiry=_IDLE_SECONDS),
            # Cookies belong to visits, of which many share this client.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "authctl-simulate", "Accept": "application/json"},
            # A proxy from the environment has no business with this machine's own servers.
            trust_env=urlsplit(self.base_url).hostname not in _LOOPBACK,
        )

    async def _send(self, request: Request) -> Answer:
        started = time.perf_counter()
        url = request.path if "://" in request.path else self.base_url + request.path
        # The client's own time-outs are per read: a server that drips would pass them for ever.
        async with (
            asyncio.timeout(self._timeout),
            self._client.stream(
                request.method, url, headers=request.headers, json=request.json, content=request.content
            ) as response,
        ):
            body = await _read(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        cookies = tuple(response.headers.get_list("set-cookie"))
        return Answer(request, response.status_code, headers, body, time.perf_counter() - started, cookies)


def require_url(text: str) -> str:
    """The address without a closing slash; UsageError when it is not an http or https address of a server."""
    hint = "For example http://localhost:8000"
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise UsageError(f"{text!r} is not the address of a server", hint=hint) from error
    if not is_address or parts.query or parts.fragment or "@" in parts.netloc or not text.isprintable() or " " in text:
        raise UsageError(f"{text!r} is not the address of a server", hint=hint)
    return text.rstrip("/")


def origin_of(url: str) -> str:
    """The origin of a server's address, which is what its own page would have."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host of an address or origin."""
    return urlsplit(url).hostname or ""


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise UnexpectedAnswer("The server's answer is larger than 1 MB")
    return bytes(body)


@contextmanager
def _explained(base_url: str, timeout: float, size: int) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise TimedOut(
            f"{base_url} did not answer within {timeout:g} seconds", hint="--timeout SECONDS waits longer"
        ) from error
    except httpx2.ConnectError as error:
        reason = "" if str(error).startswith("All connection") else f" ({error})"
        raise NothingListens(
            f"Nothing answers at {base_url}{reason}",
            hint="Is the server running there? (authctl's own: `authctl serve`)",
        ) from error
    except httpx2.DecodingError as error:
        raise UnexpectedAnswer(f"The answer of {base_url} is garbled") from error
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        if size > _LARGE_MESSAGE and isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError):
            raise MessageCutOff(f"{base_url} closed the connection over a message of {size} bytes") from error
        raise ConnectionDropped(
            f"{base_url} closed the connection without a proper answer",
            hint="Is that an HTTP server, and http or https as it should be?",
            debug=str(error),
        ) from error
