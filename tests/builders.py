"""Small builders that several parts of the tests share: people, their passkeys, and instances of the whole service."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter
from authctl.settings import load_settings
from authctl.virtual_authenticator import Client, VirtualAuthenticator

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from pathlib import Path

    from starlette.types import ASGIApp

    from authctl.clock import Clock
    from authctl.server.audit.records import EventRecord
    from authctl.server.service import Service
    from authctl.settings import Settings

ORIGIN: Final = "http://localhost:8000"
PEER: Final = "192.0.2.1"
JANE: Final = "jane@example.com"
JOHN: Final = "john@example.com"


def person(email: str = JANE, **changes: str) -> dict[str, str]:
    """A body for /register/begin."""
    usual = {"first_name": "Jane", "last_name": "Doe", "date_of_birth": "1990-12-31", "job_title": "Engineer"}
    return {**usual, "email": email, **changes}


@cache
def shared_keys() -> dict[str, str]:
    """Every key of the service as a setting, the way instances of one service share them."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    names = ("jwt_secret", "audit_key", "decoy_key")
    return {"checkpoint_key": pem, **{name: f"{name} of the tests, q7Xw9Zr2Lk5Tn8Vb4Gh" for name in names}}


class AnyService(Protocol):
    """A service that answers requests, wherever it runs."""

    origin: str

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer; the arguments are those of httpx2."""
        ...


@dataclass
class Visitor:
    """Somebody with a browser and a passkey, who talks to a service. `token` is that of their last login."""

    service: AnyService
    email: str = JANE
    authenticator: VirtualAuthenticator = field(default_factory=VirtualAuthenticator)
    token: str = ""
    id: str = ""

    @property
    def browser(self) -> Client:
        """The client between page and authenticator."""
        return Client(self.authenticator, self.service.origin)

    def post(self, path: str, document: object, **arguments: Any) -> httpx2.Response:
        """A POST of a JSON document."""
        return self.service.call("POST", path, json=document, **arguments)

    def begin_registration(self, **changes: str) -> dict[str, Any]:
        """Creation options."""
        return options_in(self.post("/register/begin", person(self.email, **changes)))

    def complete_registration(self, credential: object) -> httpx2.Response:
        """The answer to a new credential."""
        return self.post("/register/complete", {"email": self.email, "credential": credential})

    def register(self, **changes: str) -> dict[str, Any]:
        """A whole registration; the new user."""
        answer = self.complete_registration(self.browser.create(self.begin_registration(**changes)))
        assert answer.status_code == 201, answer.text
        user: dict[str, Any] = answer.json()
        self.id = user["id"]
        return user

    def begin_login(self, *, is_named: bool = True) -> dict[str, Any]:
        """Request options, for the e-mail or for whoever comes."""
        return options_in(self.post("/login/begin", self._named(is_named)))

    def complete_login(self, assertion: object, *, is_named: bool = True) -> httpx2.Response:
        """The answer to an assertion."""
        return self.post("/login/complete", {**self._named(is_named), "assertion": assertion})

    def sign(self, *, is_named: bool = True) -> dict[str, Any]:
        """A login that lacks nothing but being sent: its assertion."""
        return self.browser.get(self.begin_login(is_named=is_named))

    def log_in(self, *, is_named: bool = True) -> str:
        """A whole login; its token."""
        answer = self.complete_login(self.sign(is_named=is_named), is_named=is_named)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self.token

    def see(self, user_id: str = "me", token: str | None = None) -> httpx2.Response:
        """The answer to a look at a user, by default at oneself."""
        bearer = self.token if token is None else token
        return self.service.call("GET", f"/users/{user_id}", headers={"authorization": f"Bearer {bearer}"})

    def _named(self, is_named: bool) -> dict[str, str]:
        return {"email": self.email} if is_named else {}


def options_in(answer: httpx2.Response) -> dict[str, Any]:
    """The options that a begin answered."""
    assert answer.status_code == 200, answer.text
    options: dict[str, Any] = answer.json()["publicKey"]
    return options


class Instance:
    """One instance of the whole service, called in this process; it can be closed and opened again."""

    origin = ORIGIN

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self._seen: set[str] = set()
        self.open()

    def open(self) -> None:
        """Starts it, on whatever it left behind."""
        self.service: Service = open_service(self.settings, clock=self.clock)
        self.app: ASGIApp = create_app(self.service)

    def close(self) -> None:
        """Stops it in order."""
        self.service.close()

    def restart(self) -> None:
        """Stops it and starts it again."""
        self.close()
        self.open()

    async def request(self, method: str, path: str, *, peer: str = PEER, **arguments: Any) -> httpx2.Response:
        """One request among others of the same event loop."""
        transport = httpx2.ASGITransport(self.app, client=(peer, 40000))
        async with httpx2.AsyncClient(transport=transport, base_url=self.origin, trust_env=False) as client:
            return await client.request(method, path, **arguments)

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer."""
        return asyncio.run(self.request(method, path, **arguments))

    def rows(self) -> list[EventRecord]:
        """Every event."""
        return self.service.database.read_now(lambda tx: list(DatabaseSource(tx.events).events(EventFilter())))

    def new_events(self) -> list[EventRecord]:
        """The events since the last time this was asked for, without those that the trail makes for itself."""
        rows = [row for row in self.rows() if row.id not in self._seen]
        self._seen.update(row.id for row in rows)
        return [row for row in rows if row.event_type != "checkpoint"]

    def is_intact(self) -> bool:
        """Whether the trail verifies."""
        return asyncio.run(self.service.audit.verify()).is_intact


def settings_in(directory: Path, url: str | None = None, **overrides: Any) -> Settings:
    """Settings for a service that keeps its files in `directory`; without limits, with the shared keys."""
    directory.mkdir(exist_ok=True)
    given = {"rate_limits": False, **shared_keys(), **overrides}
    return load_settings(environ={}, cwd=directory, database_url=url, **given)


async def together(calls: Iterable[Coroutine[Any, Any, httpx2.Response]]) -> list[httpx2.Response]:
    """The answers to requests that are under way at the same time."""
    return list(await asyncio.gather(*calls))


def statuses(answers: Iterable[httpx2.Response]) -> dict[int, int]:
    """How many answers there are of each status."""
    found: dict[int, int] = {}
    for answer in answers:
        found[answer.status_code] = found.get(answer.status_code, 0) + 1
    return found
