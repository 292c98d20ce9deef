"""Small servers for recipes: one that answers whatever it is told, and raw ones that do not even speak HTTP well."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.harness.recipe.check import recipe_of
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.virtual_authenticator.harness.lifespan import Message

ORIGIN = "http://localhost:8000"
CHALLENGE = "Y2hhbGxlbmdlLWNoYWxsZW5nZS1jaGFsbGVuZ2UtISE"
RECIPE = """
version = 1
base_url = "http://localhost:8000"
[register]
begin = { url = "/register/begin", json = { name = "{user}" } }
finish = { url = "/register/finish", json = "{credential}" }
accept = { status = [200], json = { "$.ok" = true } }
[login]
begin = { url = "/login/begin", json = { name = "{user}" } }
finish = { url = "/login/finish", json = "{credential}" }
accept = { status = [200], json = { "$.ok" = true } }
"""


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scripted:
    """An ASGI application that answers as the script says: a list of (status, headers, body), the last for ever."""

    script: dict[str, list[tuple[int, list[tuple[str, str]], bytes]]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def on(
        self, path: str, body: object = None, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> Scripted:
        """Adds an answer; what is no bytes goes out as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"content-type": "application/json"}
        self.script.setdefault(path, []).append((status, [*kind.items(), *(headers or {}).items()], content))
        return self

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        body = b""
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan")
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append(Seen(scope["method"], scope["path"], scope["query_string"].decode(), headers, body))
        answers = self.script.get(scope["path"], [(404, [], b"Not Found")])
        status, out, content = answers.pop(0) if len(answers) > 1 else answers[0]
        pairs = [(name.encode(), value.encode()) for name, value in out]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})


def scripted(text: str = RECIPE, app: Scripted | None = None, **options: Any) -> tuple[Scripted, DescribedServer]:
    """A scripted application, with options for both ceremonies, and a recipe's server around it."""
    app = Scripted() if app is None else app
    for path in ("/register/begin", "/login/begin"):
        if path not in app.script:
            app.on(path, {"challenge": CHALLENGE})
    return app, DescribedServer(recipe_of(text.encode(), "test"), app=app, **options)


@contextmanager
def raw_server(answer: bytes | None) -> Iterator[str]:
    """A socket that answers every connection with these bytes and closes; None never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stopped = threading.Event()

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    if answer is None:
                        stopped.wait(10)
                        continue
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://localhost:{listening.getsockname()[1]}"
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
