"""authctl's own service as a server under test, called in this process: its visits, and what a harness can do to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

import httpx2

from authctl.clock import FixedClock
from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.audit.events import Caller
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.rows import make
from authctl.server.storage.tables import WebauthnCredential
from authctl.settings import load_settings
from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.faults.needs import AUTHENTICATION, REGISTRATION
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict
from authctl.virtual_authenticator.json_text import write
from tests.builders import options_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from authctl.server.storage.transaction import Transaction
    from authctl.virtual_authenticator.harness.loop_thread import LoopThread

ORIGIN: Final = "https://example.org"
ENVIRONMENT: Final = {
    "RP_ID": "example.org",
    "ORIGIN": ORIGIN,
    "AUTHENTICATOR_ATTACHMENT": "any",
    "RATE_LIMITS": "off",
}
OPERATOR: Final = Caller(None, None, None, None, actor="os:tests(0)")
GENERIC: Final = {
    400: ("registration-failed", "Bad request", "Registration failed"),
    401: ("login-failed", "Unauthorized", "Invalid credentials"),
}
EVENT_TYPE: Final = {
    REGISTRATION: "registration_complete",
    AUTHENTICATION: "login_complete",
    "adding": "credential_added",
}
ACCEPTANCE: Final = {REGISTRATION: 201, AUTHENTICATION: 200}
FAILURE: Final = {REGISTRATION: 400, AUTHENTICATION: 401}
CAPABILITIES: Final = frozenset(
    {
        "usernameless",
        "named-login",
        "two-users",
        "accounts",
        "framing",
        "trusted-root",
        "no-anchors",
        "attestation-required",
    }
)
"""Of framing and attestation-required, the settings of a case see to it. Nothing trusts a root, and no setting can:
whatever comes with certificates is refused as a whole, which the cases show."""

_numbers = count(1)


class OwnService:
    """One service with its settings. Every request comes a millisecond after the one before, so that events have an
    order."""

    name = "authctl"
    origin = ORIGIN

    def __init__(self, directory: Path, settings: Mapping[str, str], loop: LoopThread) -> None:
        directory.mkdir()
        self.clock = FixedClock()
        self.service = open_service(
            load_settings(environ=ENVIRONMENT | dict(settings), cwd=directory), clock=self.clock
        )
        self.loop = loop
        app = create_app(self.service)
        self._client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN)

    def visit(self, account: Account | None = None) -> OwnVisit:
        """Somebody with an e-mail that nobody had before, or with that of an account."""
        return OwnVisit(self, account or Account(f"subject-{next(_numbers)}@example.org"))

    def lab(self) -> Lab:
        """The service with all that can be done to it from here."""
        return Lab(
            self,
            CAPABILITIES,
            {
                "expiry": self._let_expire,
                "second-passkey": self._plant,
                "delete-passkey": self._delete_passkeys,
                "disable-user": lambda visit, _: self.loop.run(self._disable(visit.account.email)),
                "delete-user": lambda visit, _: self.loop.run(self._delete(visit.account.email)),
            },
        )

    def post(self, path: str, document: object, token: str = "") -> httpx2.Response:
        """A POST of what JSON may hold and of what it may not."""
        self.clock.advance(0.001)
        content = write(document).encode()
        fields = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        return self.loop.run(self._client.post(path, content=content, headers=fields))

    def reason_of(self, answer: httpx2.Response, ceremony: str) -> str:
        """What the audit trail says of an answer."""
        wanted = EventFilter(event_types=(EVENT_TYPE[ceremony],), limit=4)
        read = self.service.database.read(lambda tx: list(DatabaseSource(tx.events).events(wanted)))
        request_id = answer.headers["x-request-id"]
        return next(event.reason or "" for event in self.loop.run(read) if event.request_id == request_id)

    def close(self) -> None:
        """Stops the service."""
        self.loop.run(self._client.aclose())
        self.service.close()

    def plant(self, user_id: str, credential_id: bytes, public_key: bytes, aaguid: bytes = bytes(16)) -> None:
        """Puts a credential into the store as a registration would, whatever its key is like."""
        row = make(
            WebauthnCredential,
            user_id=user_id,
            credential_id=credential_id,
            public_key=public_key,
            created_at=self.clock.now(),
            algorithm=-7,
            aaguid=str(UUID(bytes=aaguid)),
            attestation_format="none",
        )
        self.loop.run(self.service.database.write(lambda tx: tx.credentials.add(row)))

    def user_id(self, email: str) -> str:
        """The id of somebody with an account."""
        user = self.loop.run(self.service.database.read(lambda tx: tx.users.by_email(email)))
        assert user is not None
        return user.id

    def _let_expire(self, *_: object) -> None:
        self.clock.advance(self.service.settings.challenge_ttl_seconds)

    def _plant(self, visit: Any, document: Any) -> Reaction:
        data = AuthenticatorData(decode(document["response"]["authenticatorData"]))
        assert data.attested is not None
        self.plant(self.user_id(visit.account.email), data.attested.credential_id, data.attested.public_key)
        return Reaction(Verdict.ACCEPTED, 201, "", 0.0)

    def _delete_passkeys(self, visit: Any, _: object) -> None:
        user_id = self.user_id(visit.account.email)
        assert self.loop.run(self.service.database.write(lambda tx: remove_all(tx, user_id))) == [True]

    async def _disable(self, email: str) -> None:
        await self.service.users.disable(email, OPERATOR)

    async def _delete(self, email: str) -> None:
        await self.service.users.delete(email, OPERATOR)


@dataclass
class OwnVisit:
    """One person; the service has no browser sessions, so that a branch is the same thing again."""

    service: OwnService
    account: Account
    answers: list[httpx2.Response] = field(default_factory=list)

    def begin_registration(self) -> Mapping[str, Any]:
        """Creation options."""
        return options_in(self.service.post("/register/begin", self.account.profile()))

    def finish_registration(self, credential: object) -> Reaction:
        """The reaction to a credential."""
        body = {"email": self.account.email, "credential": credential}
        return self._judge(self.service.post("/register/complete", body), REGISTRATION)

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        """Request options."""
        self.is_named = named
        return options_in(self.service.post("/login/begin", self._named()))

    def finish_login(self, assertion: object) -> Reaction:
        """The reaction to an assertion."""
        body = {**self._named(), "assertion": assertion}
        return self._judge(self.service.post("/login/complete", body), AUTHENTICATION)

    is_named: bool = True

    def branch(self, account: Account | None = None) -> Self:
        """The same person, or another."""
        return self if account is None else replace(self, account=account)

    def close(self) -> None:
        """Nothing is kept."""

    def _named(self) -> dict[str, str]:
        return {"email": self.account.email} if self.is_named else {}

    def _judge(self, answer: httpx2.Response, ceremony: str) -> Reaction:
        self.answers.append(answer)
        verdict = verdict_on(answer, ceremony)
        reason = "" if verdict is Verdict.CRASHED else self.service.reason_of(answer, ceremony)
        return Reaction(verdict, answer.status_code, reason, 0.0, answer.text[:200])


def remove_all(tx: Transaction, user_id: str) -> list[bool]:
    """Ends all passkeys of a user, also the last one, which no feature does; for each whether it did."""
    return [tx.credentials.remove(one.id, tx.now) for one in tx.credentials.live_of_user(user_id)]


def verdict_on(answer: httpx2.Response, ceremony: str) -> Verdict:
    """Refused is the ceremony's generic failure to the letter, or a request that is none; all else is a crash."""
    if answer.status_code == ACCEPTANCE[ceremony]:
        return Verdict.ACCEPTED
    if answer.headers.get("content-type") != "application/problem+json; charset=utf-8":
        return Verdict.CRASHED
    problem = answer.json()
    is_generic = problem == generic_failure(ceremony, problem["instance"])
    return Verdict.REFUSED if is_generic or answer.status_code in (400, 413, 422) else Verdict.CRASHED


def generic_failure(ceremony: str, instance: str) -> dict[str, Any]:
    """The one body that every failure of a ceremony has."""
    status = FAILURE[ceremony]
    slug, title, detail = GENERIC[status]
    return {
        "type": f"urn:authctl:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
