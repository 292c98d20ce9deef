"""Erases one person: account, passkeys, sessions, what is pending, and what the trail says of them (right to erasure).

Many short transactions beside a running service, each with its own event. The account goes with the first; an erasure
that was interrupted is finished by running it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from authctl.server.accounts import account_events
from authctl.server.accounts.account_events import counted
from authctl.server.accounts.administration import refuse_last_admin
from authctl.server.audit.erasure import MOST_AT_ONCE, blank_rows, find_rows, rows_in
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from authctl.errors import Refused
    from authctl.server.accounts.subjects import Person
    from authctl.server.audit.erasure import Subject
    from authctl.server.audit.events import Caller
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction

MOST_FOUND = 20_000
"""Events of which the ids are kept in memory; the next ones are looked for when these are done."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much is held about a person: rows of each kind, and whether there is an account."""

    account: bool
    credentials: int
    sessions: int
    challenges: int
    counters: int
    events: int

    def in_words(self) -> str:
        """As a sentence names it."""
        parts = [
            *(("the account",) if self.account else ()),
            counted(self.credentials, "credential"),
            counted(self.sessions, "session"),
            counted(self.challenges, "pending ceremony").replace("ceremonys", "ceremonies"),
            counted(self.events, "event"),
        ]
        return ", ".join(part for part in parts if not part.startswith("0 ")) or "nothing"


def take_stock(tx: Transaction, person: Person, bucket: str) -> Inventory:
    """What an erasure would remove."""
    subject, user = person.subject, person.user
    return Inventory(
        account=user is not None,
        credentials=0 if user is None else len(tx.credentials.of_user(user.id)),
        sessions=0 if user is None else len(tx.sessions.of_user(user.id)),
        challenges=len(tx.erasures.challenges(subject.email)) if subject.email else 0,
        counters=sum(len(tx.erasures.counters(key)) for key in _counter_keys(subject, bucket)),
        events=len(find_rows(tx, subject, most=1 << 31)),
    )


async def erase_rows(
    database: Database, subject: Subject, bucket: str, caller: Caller, *, allow_no_admin: bool
) -> Inventory | Refused:
    """Removes everything from the database; what that was. A refusal has left its event, and nothing else."""
    found = await database.read(partial(find_rows, subject=subject, most=MOST_FOUND))
    first = partial(_begin, subject=subject, bucket=bucket, caller=caller, allow_no_admin=allow_no_admin)
    done = await database.write(partial(first, event_ids=found[:MOST_AT_ONCE]))
    if not isinstance(done, Inventory):
        return done
    events, found = done.events, found[MOST_AT_ONCE:]
    while found or (found := await database.read(partial(find_rows, subject=subject, most=MOST_FOUND))):
        batch, found = found[:MOST_AT_ONCE], found[MOST_AT_ONCE:]
        events += await database.write(partial(_go_on, subject=subject, event_ids=batch, caller=caller))
    return replace(done, events=events)


def _begin(
    tx: Transaction, *, subject: Subject, bucket: str, caller: Caller, allow_no_admin: bool, event_ids: list[str]
) -> Inventory | Refused:
    """The account with all that hangs on it, and the first events."""
    user = _account_of(tx, subject)
    if user is not None and not allow_no_admin:
        refused = refuse_last_admin(tx, user, EventType.USER_ERASED, "erased", caller)
        if refused is not None:
            return refused
    sessions = credentials = 0
    if user is not None:
        sessions = len(tx.sessions.of_user(user.id))
        credentials = tx.credentials.delete_of_user(user.id)
        tx.users.delete(user.id)
    challenges = tx.erasures.delete_challenges(subject.email) if subject.email else 0
    counters = sum(tx.erasures.delete_counters(key) for key in _counter_keys(subject, bucket))
    ranges = blank_rows(tx, event_ids)
    done = Inventory(user is not None, credentials, sessions, challenges, counters, rows_in(ranges))
    record(tx, account_events.erased(subject.ids, done.in_words(), ranges, caller))
    return done


def _go_on(tx: Transaction, *, subject: Subject, event_ids: list[str], caller: Caller) -> int:
    ranges = blank_rows(tx, event_ids)
    count = rows_in(ranges)
    if count:
        record(tx, account_events.erased(subject.ids, counted(count, "further event"), ranges, caller))
    return count


def _account_of(tx: Transaction, subject: Subject) -> User | None:
    """Looked up once more: the account may have gone, or come, since the person was found."""
    user = tx.users.by_email(subject.email)
    return user or next((user for user_id in subject.ids if (user := tx.users.by_id(user_id)) is not None), None)


def _counter_keys(subject: Subject, bucket: str) -> tuple[str, ...]:
    return (*((bucket,) if subject.email else ()), *subject.ids)
