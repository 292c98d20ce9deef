"""A WSGI application (PEP 3333) as an ASGI one, each request in a thread of its own, as threaded servers do it."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from authctl.virtual_authenticator.harness.lifespan import Message

logger = logging.getLogger(__name__)

_FAILED: Final = (500, [(b"content-type", b"text/plain")], b"Internal Server Error")
# PEP 3333 leaves these two without the prefix.
_BARE: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class WsgiAsAsgi:
    """The application for servers and clients that speak ASGI."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answers one request; ValueError for anything that is none, which WSGI does not know."""
        if scope["type"] != "http":
            raise ValueError(f"WSGI has no {scope['type']}")
        environ = environ_of(scope, await _body(receive))
        status, headers, content = await asyncio.to_thread(self._answer, environ)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        started = _Started()
        try:
            chunks = self._app(environ, started)
            try:
                content = started.written + b"".join(chunks)
            finally:
                getattr(chunks, "close", lambda: None)()
            status = int(started.status.split(" ", 1)[0])
        except Exception:
            # A server would say no more to its clients, and write the rest down.
            logger.exception("The application failed")
            return _FAILED
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in started.headers]
        return status, headers, content


class _Started:
    """What `start_response` is told."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.written = b""

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.status, self.headers = status, headers
        return self._write

    def _write(self, content: bytes) -> None:
        self.written += content


def environ_of(scope: Message, body: bytes) -> dict[str, Any]:
    """The environment of a request, as PEP 3333 wants it: text is bytes read as Latin-1."""
    host, port = scope.get("server") or ("localhost", None)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _latin(scope.get("root_path", "")),
        "PATH_INFO": _latin(scope["path"]),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or (443 if scope.get("scheme") == "https" else 80)),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": (scope.get("client") or ("127.0.0.1", 0))[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        key = _BARE.get(name, "HTTP_" + name.upper().replace("-", "_"))
        environ[key] = f"{environ[key]},{value}" if key in environ and name not in _BARE else value
    return environ


def _latin(text: str) -> str:
    return text.encode().decode("latin-1")


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body
