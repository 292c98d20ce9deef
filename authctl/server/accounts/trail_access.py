"""The trail over HTTP: admins ask it, and each answer is an event before it leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from authctl.errors import AccessDenied, InvalidRequest, UsageError
from authctl.server.accounts import trail_events
from authctl.server.accounts.access import Rejected, identify, read_bearer
from authctl.server.accounts.account_events import Reason, counted
from authctl.server.audit.bounded_reading import TookTooLong
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authctl.server.accounts.access import Identity, Refusal
    from authctl.server.accounts.rejections import Rejections
    from authctl.server.audit.bounded_reading import BoundedReading
    from authctl.server.audit.events import Caller, Event
    from authctl.server.audit.records import EventRecord, EventSource, Group
    from authctl.server.storage.database import Database
    from authctl.server.storage.event_query import EventFilter
    from authctl.server.storage.transaction import Transaction
    from authctl.server.tokens.verifying import Claims, Verifier

    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asker:
    """An admin who was let in, for one request."""

    user_id: str
    email: str
    claims: Claims
    caller: Caller


@dataclass(frozen=True, slots=True)
class Question:
    """Which events are wanted, with a limit; `words` are the filter as it was asked for, as the trail will tell it."""

    wanted: EventFilter
    words: str


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the order asked for, and whether there are more behind the last one."""

    events: list[EventRecord]
    has_more: bool


class TrailAccess:
    """An admin's rights are looked at again when the answer is there: what was taken away meanwhile is not shown."""

    def __init__(self, database: Database, verifier: Verifier, rejections: Rejections, reading: BoundedReading) -> None:
        self._database = database
        self._verifier = verifier
        self._rejections = rejections
        self._reading = reading

    async def admit(self, bearer: str | None, caller: Caller) -> Asker:
        """Lets an admin ask. Raises NotAuthenticated, TokenRejected or AccessDenied after leaving the event."""
        claims = read_bearer(self._verifier, bearer)
        if isinstance(claims, Rejected):
            if self._rejections.is_to_be_written(caller):
                await self._database.write(partial(record, event=trail_events.rejected(claims, caller)))
            raise claims.error
        identity = _unless_refused(await self._database.write(partial(_admit, claims=claims, caller=caller)))
        return Asker(identity.user.id, identity.user.email, claims, caller)

    async def events(self, asker: Asker, question: Question) -> Page:
        """The events that fit, up to the limit. Raises InvalidRequest when that takes too long, and like `admit`."""
        limit = question.wanted.limit
        one_more = replace(question.wanted, limit=None if limit is None else limit + 1)
        found = await self._read(asker, lambda source: list(source.events(one_more)))
        shown = found[:limit]
        await self._tell(asker, question, len(shown), "event")
        return Page(shown, len(found) > len(shown))

    async def groups(self, asker: Asker, question: Question, by: Sequence[str], top: int) -> list[Group]:
        """How many events fit for each combination of `by`, the `top` largest first.

        Raises like `events`, and InvalidRequest when there are more combinations than can be counted.
        """
        found = await self._read(asker, lambda source: source.groups(question.wanted, by, top=top))
        await self._tell(asker, question, len(found), "group")
        return found

    async def tell_unusable(self, asker: Asker) -> None:
        """Leaves the event of a question that cannot be understood."""
        await self._fail(asker, trail_events.INVALID, "refused: invalid request")

    def close(self) -> None:
        """Stops what is being asked. Safe to call twice."""
        self._reading.close()

    async def _read(self, asker: Asker, reading: Callable[[EventSource], list[T]]) -> list[T]:
        try:
            return await self._reading.ask(reading)
        except TookTooLong:
            seconds = f"{self._reading.seconds:g} seconds"
            await self._fail(asker, Reason.TOOK_TOO_LONG, f"stopped after {seconds}")
            way_out = f"stopped after {seconds}: ask for a shorter time, or also for a user or an event type"
            raise InvalidRequest((("since", way_out),), "The question takes too long to answer") from None
        except UsageError as error:
            await self._fail(asker, trail_events.INVALID, "refused: too many groups")
            raise InvalidRequest((("count_by", f"{error.detail}: {error.hint}"),)) from error

    async def _tell(self, asker: Asker, question: Question, count: int, noun: str) -> None:
        def event(tx: Transaction, identity: Identity) -> Event:
            concerned = _person_in(tx, question.wanted)
            return trail_events.asked(identity, question.words, counted(count, noun), concerned, asker.caller)

        await self._record(asker, event)

    async def _fail(self, asker: Asker, reason: str, what: str) -> None:
        await self._record(asker, lambda _, identity: trail_events.failed(identity, reason, what, asker.caller))

    async def _record(self, asker: Asker, make: Callable[[Transaction, Identity], Event]) -> None:
        unit = partial(_tell_admin, claims=asker.claims, caller=asker.caller, make=make)
        _unless_refused(await self._database.write(unit))


def _admit(tx: Transaction, *, claims: Claims, caller: Caller) -> Identity | Refusal:
    identity = identify(tx, claims)
    if isinstance(identity, Rejected):
        record(tx, trail_events.rejected(identity, caller))
        return identity.error
    if not identity.is_admin:
        record(tx, trail_events.denied(identity, caller))
        return AccessDenied()
    return identity


def _tell_admin(
    tx: Transaction, *, claims: Claims, caller: Caller, make: Callable[[Transaction, Identity], Event]
) -> Identity | Refusal:
    identity = _admit(tx, claims=claims, caller=caller)
    if not isinstance(identity, Exception):
        record(tx, make(tx, identity))
    return identity


def _person_in(tx: Transaction, wanted: EventFilter) -> str | None:
    """Whom the question names: an erasure of that person then finds the row, whose sentence names them too."""
    if wanted.user_id is not None or wanted.user_email is None:
        return wanted.user_id
    user = tx.users.by_email(wanted.user_email)
    return None if user is None else user.id


def _unless_refused(outcome: Identity | Refusal) -> Identity:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
