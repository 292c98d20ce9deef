"""The application on a real service, called in the same process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import orjson
import pytest

from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter
from authctl.settings import load_settings
from authctl.virtual_authenticator import PLATFORM, Client, VirtualAuthenticator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from authctl.clock import FixedClock
    from authctl.server.audit.records import EventRecord
    from authctl.server.service import Service

ORIGIN = "http://localhost:8000"
PEER = "192.0.2.1"


def person(email: str = "jane@example.com") -> dict[str, str]:
    """A body for /register/begin."""
    return {
        "first_name": "Jane",
        "last_name": "Doe",
        "email": email,
        "date_of_birth": "1990-12-31",
        "job_title": "Engineer",
    }


@dataclass
class Api:
    """Calls the application as a client at `peer`, and knows how to go through whole ceremonies."""

    service: Service
    app: ASGIApp
    peer: str = PEER
    client: Client = field(default_factory=lambda: Client(VirtualAuthenticator(PLATFORM), ORIGIN))

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer."""

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, client=(self.peer, 40000))
            async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(send())

    def post(self, path: str, document: Any = None, **arguments: Any) -> httpx2.Response:
        """A POST of a JSON document."""
        return self.call("POST", path, json=document, **arguments)

    def post_bytes(self, path: str, body: bytes, content_type: str = "application/json") -> httpx2.Response:
        """A POST of bytes."""
        return self.call("POST", path, content=body, headers={"content-type": content_type})

    def get(self, path: str, token: str | None = None, **arguments: Any) -> httpx2.Response:
        """A GET, with a bearer token."""
        headers = {**arguments.pop("headers", {}), **({} if token is None else {"authorization": f"Bearer {token}"})}
        return self.call("GET", path, headers=headers, **arguments)

    def register(self, email: str = "jane@example.com") -> dict[str, Any]:
        """A new user with a passkey."""
        options = self.post("/register/begin", person(email)).json()
        answer = self.post("/register/complete", {"email": email, "credential": self.client.create(options)})
        assert answer.status_code == 201, answer.text
        user: dict[str, Any] = answer.json()
        return user

    def log_in(self, email: str | None = "jane@example.com") -> dict[str, Any]:
        """A token response."""
        named = {} if email is None else {"email": email}
        options = self.post("/login/begin", named).json()
        answer = self.post("/login/complete", {**named, "assertion": self.client.get(options)})
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def events(self) -> list[tuple[str, int, str | None]]:
        """Type, success and reason of every event, oldest first."""
        return [(row.event_type, row.success, row.reason) for row in self.rows()]

    def rows(self) -> list[EventRecord]:
        """Every event, oldest first, but those of the trail itself."""
        rows = self.service.database.read_now(lambda tx: list(DatabaseSource(tx.events).events(EventFilter())))
        return sorted((row for row in rows if row.event_type != "checkpoint"), key=lambda row: row.seq)


@pytest.fixture(scope="session")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for tests that look at answers alone and not at what is left behind."""
    settings = load_settings(
        environ={}, cwd=tmp_path_factory.mktemp("api"), authenticator_attachment="any", rate_limits=False
    )
    service = open_service(settings)
    yield Api(service, create_app(service))
    service.close()


@pytest.fixture
def make_api(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Api]]:
    """Makes an Api with other settings than the defaults; closes its service at the end."""
    opened: list[Service] = []

    def make(**settings: Any) -> Api:
        overrides = {"authenticator_attachment": "any", "rate_limits": False, **settings}
        service = open_service(load_settings(environ={}, cwd=tmp_path, **overrides), clock=clock)
        opened.append(service)
        return Api(service, create_app(service))

    yield make
    for service in opened:
        service.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """The application with default settings, without limits."""
    return make_api()


def problem_of(answer: httpx2.Response) -> dict[str, Any]:
    """The problem document that an answer is."""
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    document: dict[str, Any] = orjson.loads(answer.content)
    assert document["status"] == answer.status_code
    assert document["instance"] == answer.headers["x-request-id"]
    return document
