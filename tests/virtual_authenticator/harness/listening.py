"""Puts the fake server behind a real socket."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.virtual_authenticator.harness.fake_server import FakeServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def listening_server(**options: Any) -> Iterator[tuple[FakeServer, str]]:
    """The server and its address; its origin is that address unless `origin` is given."""
    fake = FakeServer(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send(json.loads(body))

        def do_GET(self) -> None:
            self._send(None)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name in the base class
            """Says nothing."""

        def _send(self, body: Any) -> None:
            status, headers, content = fake.answer(self.path, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        address = f"http://localhost:{server.server_port}"
        fake.origin = options.get("origin", address)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake, address
        server.shutdown()
        thread.join()
