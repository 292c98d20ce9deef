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
from authctl.server.audit.removals import MOST_RANGES

if TYPE_CHECKING:
    from authctl.errors import Refused
    from authctl.server.accounts.subjects import Person
    from authctl.server.audit.erasure import Subject
    from authctl.server.audit.events import Caller, ChainRange
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction

MOST_FOUND = 20_000
"""Events of which the ids are kept in memory; the next ones are looked for when these are done."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much is held about a person: rows of each kind, and whether there is an account.

    archived  events in an archive, which are in the table no more
    """

    account: bool
    credentials: int
    sessions: int
    challenges: int
    counters: int
    events: int
    archived: int = 0

    def in_words(self) -> str:
        """As a sentence names it."""
        parts = [
            *(("the account",) if self.account else ()),
            counted(self.credentials, "credential"),
            counted(self.sessions, "session"),
            counted(self.challenges, "pending ceremony").replace("ceremonys", "ceremonies"),
            counted(self.events, "event"),
            counted(self.archived, "archived event"),
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


async def refuse_if_last_admin(database: Database, subject: Subject, caller: Caller) -> None:
    """Raises Refused, and leaves its event, when nobody would be left as admin (R-CL-04)."""
    refused = await database.write(partial(_refused, subject=subject, caller=caller))
    if refused is not None:
        raise refused


async def name_archived(
    database: Database, subject: Subject, ranges: tuple[ChainRange, ...], caller: Caller
) -> tuple[ChainRange, ...]:
    """Leaves the events that name rows of an archive, which are about to be blanked there; gives the ranges back."""
    for begin in range(0, len(ranges), MOST_RANGES):
        part = ranges[begin : begin + MOST_RANGES]
        what = counted(rows_in(part), "archived event")
        event = account_events.erased(subject.ids, what, part, caller)
        await database.write(partial(record, event=event))
    return ranges


async def erase_rows(
    database: Database, subject: Subject, bucket: str, caller: Caller, *, allow_no_admin: bool
) -> Inventory:
    """Removes everything from the database; what that was. Raises Refused, having left the event of that."""
    found = await database.read(partial(find_rows, subject=subject, most=MOST_FOUND))
    first = partial(_begin, subject=subject, bucket=bucket, caller=caller, allow_no_admin=allow_no_admin)
    done = await database.write(partial(first, event_ids=found[:MOST_AT_ONCE]))
    if not isinstance(done, Inventory):
        raise done
    events, found = done.events, found[MOST_AT_ONCE:]
    while found or (found := await database.read(partial(find_rows, subject=subject, most=MOST_FOUND))):
        batch, found = found[:MOST_AT_ONCE], found[MOST_AT_ONCE:]
        events += await database.write(partial(_go_on, subject=subject, event_ids=batch, caller=caller))
    return replace(done, events=events)


def _begin(
    tx: Transaction, *, subject: Subject, bucket: str, caller: Caller, allow_no_admin: bool, event_ids: list[str]
) -> Inventory | Refused:
    """The account with all that hangs on it, and the first events."""
    refused = None if allow_no_admin else _refused(tx, subject=subject, caller=caller)
    if refused is not None:
        return refused
    user = _account_of(tx, subject)
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


def _refused(tx: Transaction, *, subject: Subject, caller: Caller) -> Refused | None:
    user = _account_of(tx, subject)
    return None if user is None else refuse_last_admin(tx, user, EventType.USER_ERASED, "erased", caller)


def _account_of(tx: Transaction, subject: Subject) -> User | None:
    """Looked up once more: the account may have gone, or come, since the person was found."""
    user = tx.users.by_email(subject.email)
    return user or next((user for user_id in subject.ids if (user := tx.users.by_id(user_id)) is not None), None)


def _counter_keys(subject: Subject, bucket: str) -> tuple[str, ...]:
    return (*((bucket,) if subject.email else ()), *subject.ids)
