"""Builders for account tests: a real database whose journal keeps events in a list, and people with sessions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.errors import AuditUnavailable
from authctl.server.accounts.administration import as_changed
from authctl.server.accounts.personal_data import PersonalData
from authctl.server.accounts.roles import Roles
from authctl.server.accounts.users import Users
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.journal import Recording
from authctl.server.audit.keys import TrailKeys
from authctl.server.storage.engine import open_database
from authctl.server.storage.journal import NoJournal
from authctl.server.storage.tables import LoginSession, User, WebauthnCredential
from authctl.server.tokens.codec import Codec
from authctl.server.tokens.issuing import Issuer
from authctl.server.tokens.signing_keys import JwtKey
from authctl.server.tokens.verifying import Verifier

if TYPE_CHECKING:
    from authctl.clock import FixedClock
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

LIFETIME = 3600
BROWSER = Caller("192.0.2.1", "192.0.2.1", "pytest/9", "req-1", network="192.0.2.1")
OPERATOR = Caller(None, None, None, None, actor="os:root(0)")


class ListJournal(NoJournal):
    """Keeps the events of units that were not rolled back; refuses them when it is told to."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_broken = False

    def mark(self) -> object:
        """How many there are."""
        return len(self.events)

    def restore(self, mark: object) -> None:
        """Forgets what came after."""
        assert isinstance(mark, int)
        del self.events[mark:]

    def append(self, tx: Transaction, event: Any) -> None:
        """Keeps the event."""
        if self.is_broken:
            raise AuditUnavailable
        self.events.append(event)


@dataclass
class Office:
    """The use cases of accounts over one database."""

    database: Database
    clock: FixedClock
    journal: ListJournal
    users: Users
    personal_data: PersonalData
    roles: Roles
    issuer: Issuer
    tokens: dict[str, str] = field(default_factory=dict)

    def register(self, first_name: str, role: str = "user") -> User:
        """A person with one credential."""
        now = self.clock.now()
        user = User(
            first_name=first_name,
            last_name="Doe",
            email=f"{first_name.lower()}@example.com",
            date_of_birth=now,
            job_title="Tester",
            role=role,
            created_at=now,
            user_handle=secrets.token_bytes(64),
        )
        credential = WebauthnCredential(
            user_id=user.id,
            credential_id=secrets.token_bytes(16),
            public_key=b"key of " + first_name.encode(),
            created_at=now,
            algorithm=-7,
            aaguid="00000000-0000-0000-0000-000000000000",
            transports='["internal"]',
        )
        self.database.write_now(partial(_add, user=user, credential=credential))
        return user

    def log_in(self, user: User, role: str | None = None) -> str:
        """A token of a new session, with the role that the user has now, or another one."""
        now = self.clock.now()
        session = LoginSession(
            user_id=user.id, credential_id="c", created_at=now, expires_at=now + timedelta(seconds=LIFETIME)
        )
        self.database.write_now(lambda tx: tx.sessions.add(session))
        stored = self.stored(user)
        assert stored is not None
        return self.issuer.issue(as_changed(stored, role=role or stored.role), session, now, True).text

    def stored(self, user: User) -> User | None:
        """The user's row as it is now."""
        return self.database.read_now(lambda tx: tx.users.by_id(user.id))

    def sessions(self, user: User) -> list[LoginSession]:
        """The user's sessions as they are now."""
        return self.database.read_now(lambda tx: tx.sessions.of_user(user.id))

    def credentials(self, user: User) -> list[WebauthnCredential]:
        """The user's credentials as they are now."""
        return self.database.read_now(lambda tx: tx.credentials.of_user(user.id))

    def event(self) -> Event:
        """The only event since the last look."""
        (event,) = self.journal.events
        self.journal.events.clear()
        return event

    def event_types(self) -> list[EventType]:
        """The types of the events since the last look."""
        found = [event.type for event in self.journal.events]
        self.journal.events.clear()
        return found


def _add(tx: Transaction, *, user: User, credential: WebauthnCredential) -> None:
    tx.users.add(user)
    tx.credentials.add(credential)


def office_on(url: str, clock: FixedClock) -> Office:
    """An office on a new database."""
    journal = ListJournal()
    database = open_database(url, clock, lambda: journal, create=True)
    codec = Codec(JwtKey.from_secret(secrets.token_urlsafe(32).encode()))
    names = {"issuer": "http://localhost:8000", "audience": "localhost"}
    verifier = Verifier(codec, clock, **names, lifetime_seconds=LIFETIME)
    issuer = Issuer(codec, **names, lifetime_seconds=LIFETIME)
    recording = Recording(TrailKeys(bytes(32), Ed25519PrivateKey.generate()), "office", "cli")
    rights = PersonalData(database, recording, bytes(32))
    return Office(database, clock, journal, Users(database, verifier), rights, Roles(database), issuer)
