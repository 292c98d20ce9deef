"""Where attacks are tried: the real service behind its application, called in this process, and people to be attacked.

One service per set of settings serves all cases; each case has e-mails of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx2

from authctl.clock import FixedClock
from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.rows import make
from authctl.server.storage.tables import WebauthnCredential
from authctl.settings import load_settings
from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.keys import algorithm_named
from authctl.virtual_authenticator.authenticator.presets import preset
from authctl.virtual_authenticator.base64url import decode
from tests.attacks.drafts import AssertionDraft, RegistrationDraft
from tests.builders import options_in, person

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from typing import TypeVar

    from authctl.server.audit.records import EventRecord
    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.authenticator.keys import CredentialKey
    from tests.attacks.cases import Needs

    T = TypeVar("T")

RP_ID: Final = "example.org"
ORIGIN: Final = "https://example.org"
ENVIRONMENT: Final = {
    "RP_ID": RP_ID,
    "ORIGIN": ORIGIN,
    "AUTHENTICATOR_ATTACHMENT": "any",
    "RATE_LIMITS": "off",
}


class Laboratory:
    """One service. Every request comes a millisecond after the one before, so that events have an order."""

    def __init__(self, directory: Path, settings: dict[str, str], runner: asyncio.Runner) -> None:
        directory.mkdir()
        self.clock = FixedClock()
        self.service = open_service(load_settings(environ=ENVIRONMENT | settings, cwd=directory), clock=self.clock)
        app = create_app(self.service)
        self.clients = [httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN) for _ in range(2)]
        self._runner = runner

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result."""
        return self._runner.run(coroutine)

    async def post(self, path: str, document: object) -> httpx2.Response:
        """A POST of a JSON document."""
        self.clock.advance(0.001)
        return await self.clients[0].post(path, json=document)

    async def post_at_once(self, path: str, document: object) -> list[httpx2.Response]:
        """The answers to one document that two clients post at the same moment."""
        self.clock.advance(0.001)
        barrier = asyncio.Barrier(len(self.clients))

        async def post(client: httpx2.AsyncClient) -> httpx2.Response:
            await barrier.wait()
            return await client.post(path, json=document)

        return list(await asyncio.gather(*map(post, self.clients)))

    async def last_events(self, event_type: str, number: int = 1) -> list[EventRecord]:
        """The newest events of a type."""
        wanted = EventFilter(event_types=(event_type,), limit=number)
        return await self.service.database.read(lambda tx: list(DatabaseSource(tx.events).events(wanted)))

    def close(self) -> None:
        """Stops the service."""
        for client in self.clients:
            self.run(client.aclose())
        self.service.close()


_numbers = count(1)


@dataclass
class Subject:
    """Somebody with an e-mail that nobody had before, a passkey and a browser."""

    lab: Laboratory
    needs: Needs
    email: str = field(default_factory=lambda: f"subject-{next(_numbers)}@example.org")
    user: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        profile = replace(preset(self.needs.preset), algorithms=(algorithm_named(self.needs.algorithm).identifier,))
        self.authenticator = VirtualAuthenticator(profile)
        self.client = Client(self.authenticator, ORIGIN, top_origin=self.needs.top_origin)

    def other(self) -> Subject:
        """Somebody else with the same means."""
        return Subject(self.lab, self.needs)

    async def begin_registration(self) -> dict[str, Any]:
        """Creation options."""
        return options_in(await self.lab.post("/register/begin", person(self.email)))

    async def complete_registration(self, credential: object) -> httpx2.Response:
        """The answer to a credential."""
        return await self.lab.post("/register/complete", {"email": self.email, "credential": credential})

    def make(self, options: dict[str, Any]) -> RegistrationDraft:
        """A valid registration, to be altered."""
        valid = self.client.create(options, attestation=self.needs.attestation)
        return RegistrationDraft.of(valid, self.key_of(valid))

    async def register(self) -> dict[str, Any]:
        """A registration that is accepted; what was sent."""
        credential = self.make(await self.begin_registration()).document()
        answer = await self.complete_registration(credential)
        assert answer.status_code == 201, answer.text
        self.user = answer.json()
        return credential

    async def plant(self, draft: RegistrationDraft) -> None:
        """Puts a credential into the store as a registration would, whatever its key is like."""
        row = make(
            WebauthnCredential,
            user_id=self.user["id"],
            credential_id=draft.credential_id,
            public_key=draft.public_key(),
            created_at=self.lab.clock.now(),
            algorithm=draft.private.algorithm.identifier,
            aaguid=str(UUID(bytes=draft.aaguid)),
            attestation_format="none",
        )
        await self.lab.service.database.write(lambda tx: tx.credentials.add(row))

    def named(self) -> dict[str, str]:
        """The e-mail as a member, in a ceremony that names one."""
        return {"email": self.email} if self.needs.is_named else {}

    async def begin_login(self) -> dict[str, Any]:
        """Request options."""
        return options_in(await self.lab.post("/login/begin", self.named()))

    async def complete_login(self, assertion: object) -> httpx2.Response:
        """The answer to an assertion."""
        return await self.lab.post("/login/complete", {**self.named(), "assertion": assertion})

    def sign(self, options: dict[str, Any], gesture: Gesture | None = None) -> AssertionDraft:
        """A valid assertion, to be altered."""
        valid = self.client.get(options, gesture=gesture)
        return AssertionDraft.of(valid, self.key_of(valid))

    async def log_in(self) -> dict[str, Any]:
        """A login that is accepted; what was sent."""
        assertion = self.sign(await self.begin_login()).document()
        answer = await self.complete_login(assertion)
        assert answer.status_code == 200, answer.text
        return assertion

    def key_of(self, credential: dict[str, Any]) -> CredentialKey:
        """The private key of a credential that the authenticator keeps."""
        return self.authenticator.store.candidates(RP_ID, [decode(credential["rawId"])])[0].key
