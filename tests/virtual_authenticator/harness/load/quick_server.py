"""A server that believes every credential, so that tests of loads cost little; it can be told to misbehave."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.virtual_authenticator.harness.lifespan import Message

    Answer = tuple[int, dict[str, str], bytes]

CHALLENGE = "Y2hhbGxlbmdlLWNoYWxsZW5nZS1jaGFsbGVuZ2UtISE"


@dataclass
class QuickServer:
    """An ASGI application with authctl's paths.

    asked     how often each path was
    instead   what to answer in the place of the ordinary answer to the Nth request of a path; None for the ordinary one
    """

    asked: dict[str, int] = field(default_factory=dict)
    instead: Callable[[str, int], Answer | None] | None = None
    passkeys: dict[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan")
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, content = self.answer(scope["path"], body)
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": content})

    def answer(self, path: str, body: bytes) -> Answer:
        """Status, headers and body."""
        with self.lock:
            number = self.asked[path] = self.asked.get(path, 0) + 1
            other = self.instead(path, number) if self.instead else None
            if other is not None:
                return other
            status, document = self._ordinary(path, json.loads(body) if body else {})
        return status, {"content-type": "application/json"}, json.dumps(document).encode()

    def _ordinary(self, path: str, body: Any) -> tuple[int, Any]:
        match path:
            case "/register/begin":
                user = {
                    "id": urlsafe_b64encode(body["email"].encode()).decode().rstrip("="),
                    "name": body["email"],
                    "displayName": body["email"],
                }
                options = {"rp": {"id": "localhost", "name": "Quick"}, "user": user, "challenge": CHALLENGE}
                return 200, {"publicKey": {**options, "pubKeyCredParams": [{"type": "public-key", "alg": -7}]}}
            case "/register/complete":
                self.passkeys[body["email"]] = body["credential"]["id"]
                return 201, {}
            case "/login/begin":
                allowed = [{"type": "public-key", "id": self.passkeys[body["email"]]}]
                return 200, {"publicKey": {"challenge": CHALLENGE, "rpId": "localhost", "allowCredentials": allowed}}
            case "/login/complete":
                return 200, {"access_token": "t.o.k", "token_type": "bearer"}
            case "/users/me":
                return 200, {"id": 1}
            case _:
                return 404, {}


@contextmanager
def listening(quick: QuickServer) -> Iterator[str]:
    """The address of the server on a socket."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._send(self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self) -> None:
            self._send(b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name in the base class
            """Says nothing."""

        def _send(self, body: bytes) -> None:
            status, headers, content = quick.answer(self.path, body)
            if status == 0:
                self.close_connection = True
                return
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.wfile.write(f"HTTP/1.1 {status} X\r\n{head}content-length: {len(content)}\r\n\r\n".encode() + content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
