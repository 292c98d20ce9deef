"""Both ceremonies over a real database, with a journal that remembers and passkeys made by hand."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import LoginFailed
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.ceremonies.challenges import ChallengeBook
from authctl.server.ceremonies.decoys import Decoys
from authctl.server.ceremonies.login import Login, LoginResult
from authctl.server.ceremonies.policy import Policy
from authctl.server.ceremonies.registration import Profile, Registration
from authctl.server.storage.journal import NoJournal
from tests.server.ceremonies.messages import ES256, ORIGIN, RP_ID, UP, UV, Passkey

if TYPE_CHECKING:
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import LoginSession, User
    from authctl.server.storage.transaction import Transaction

CALLER = Caller("192.0.2.1", "192.0.2.1", "tests", "request-1", network="192.0.2.1")
JANE = Profile("Jane", "Doe", "jane@example.com", datetime(1990, 5, 17, tzinfo=UTC), "Engineer")
JOHN = replace(JANE, first_name="John", email="john@example.com")

POLICY = Policy(
    rp_id=RP_ID,
    rp_name="Auth Example",
    origins=(ORIGIN,),
    top_origins=(),
    user_verification="required",
    attachment="platform",
    formats=frozenset({"none", "packed-self"}),
    challenge_seconds=300,
    outstanding_per_source=50,
    outstanding_total=100_000,
    fingerprint="as the tests have it",
)


class RecordingJournal(NoJournal):
    """Keeps what was recorded, and forgets what its savepoint did not survive."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def mark(self) -> object:
        return len(self.events)

    def restore(self, mark: object) -> None:
        assert isinstance(mark, int)
        del self.events[mark:]

    def append(self, tx: Transaction, event: Any) -> None:
        self.events.append(event)


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    expires_in: int


@dataclass(slots=True)
class Issuer:
    """Signs nothing and remembers what it was asked for."""

    calls: list[tuple[User, LoginSession, datetime, bool]] = field(default_factory=list)

    def issue(self, user: User, session: LoginSession, *, now: datetime, user_verified: bool) -> Token:
        self.calls.append((user, session, now, user_verified))
        return Token(f"token for {session.id}", 3600)


class Ceremonies:
    """What the two HTTP edges would call, in blocking form."""

    def __init__(self, database: Database, journal: RecordingJournal, policy: Policy = POLICY) -> None:
        self.database = database
        self.journal = journal
        self.issuer = Issuer()
        self.use(policy)

    def use(self, policy: Policy) -> None:
        """Starts the features anew with another policy, over the same database."""
        self.policy = policy
        self.book = ChallengeBook(policy)
        decoys = Decoys(b"d" * 32, policy.rp_id)
        self.registration = Registration(self.database, policy, self.book)
        self.login = Login(self.database, policy, self.book, decoys, self.issuer, timedelta(hours=1))

    def begin_registration(self, profile: Profile = JANE, caller: Caller = CALLER) -> dict[str, Any]:
        options: dict[str, Any] = asyncio.run(self.registration.begin(profile, caller))["publicKey"]
        return options

    def complete_registration(self, credential: object, email: str = JANE.email, caller: Caller = CALLER) -> User:
        return asyncio.run(self.registration.complete(email, credential, caller))

    def begin_login(self, email: str | None = JANE.email, caller: Caller = CALLER) -> dict[str, Any]:
        options: dict[str, Any] = asyncio.run(self.login.begin(email, caller))["publicKey"]
        return options

    def complete_login(self, assertion: object, email: str | None = JANE.email, caller: Caller = CALLER) -> LoginResult:
        return asyncio.run(self.login.complete(email, assertion, caller))

    def register(
        self, profile: Profile = JANE, *, algorithm: int = ES256, flags: int = UP | UV, sign_count: int = 0
    ) -> Passkey:
        """A whole registration; the passkey that came of it."""
        options = self.begin_registration(profile)
        passkey = Passkey(algorithm, user_handle=octets(options["user"]["id"]), flags=flags)
        passkey.sign_count = sign_count
        self.complete_registration(passkey.create(octets(options["challenge"])), profile.email)
        return passkey

    def challenge(self, email: str | None = JANE.email) -> bytes:
        """The challenge of a login that was just begun."""
        return octets(self.begin_login(email)["challenge"])

    def user(self, email: str = JANE.email) -> User | None:
        return self.database.write_now(lambda tx: tx.users.by_email(email))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return self.database.write_now(
            lambda tx: int(tx._connection.raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        )

    def last(self, event_type: EventType) -> Event:
        """The newest event of a type."""
        return next(event for event in reversed(self.journal.events) if event.type is event_type)


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def refused_login(ceremonies: Ceremonies, assertion: object, email: str | None = JANE.email) -> str:
    """The reason of a login that must be refused; nothing is granted with it."""
    sessions = ceremonies.count("login_sessions")
    with pytest.raises(LoginFailed) as failure:
        ceremonies.complete_login(assertion, email)
    event = ceremonies.journal.events[-1]
    assert (event.type, event.success, event.reason) == (EventType.LOGIN_COMPLETE, False, failure.value.reason)
    assert failure.value.detail == "Invalid credentials"
    assert ceremonies.count("login_sessions") == sessions
    return failure.value.reason
