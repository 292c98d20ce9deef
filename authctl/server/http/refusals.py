"""Events for requests that never reached a ceremony; floods are counted, not written down one by one (R-RL-08).

Limits have no feature behind them, so that this file records for them what features record for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.server.audit.events import Event, EventType, origin_of, wish
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller
    from authctl.server.audit.trail import AuditTrail
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

WINDOW_SECONDS: Final = 60
MOST_COUNTED: Final = 10_000
INVALID: Final = "invalid_request"
LIMITED: Final = "rate_limited"


@dataclass(slots=True)
class _Tally:
    """Refusals by one counter within a minute, after the first, which has events of its own."""

    caller: Caller
    ends_at: float
    more: int = 0


@dataclass(frozen=True, slots=True)
class _Whom:
    """Who was turned away, as far as it is known: an e-mail from a body, a user id from a token."""

    email: str | None
    user_id: str | None


class Refusals:
    """Writes the events of a refused request, or counts it when its counter has refused within the last minute."""

    def __init__(self, database: Database, audit: AuditTrail) -> None:
        self._database = database
        self._audit = audit
        self._tallies: dict[tuple[str, EventType], _Tally] = {}

    async def invalid(self, ceremony: EventType, caller: Caller, user_id: str | None = None) -> None:
        """A body that cannot be used; limits keep their number down."""
        await self._audit.record_refused(ceremony, INVALID, caller, user_id)

    async def limited(
        self, ceremony: EventType, caller: Caller, email: str | None, counter: str, user_id: str | None = None
    ) -> None:
        """A request over a limit: the first of a minute leaves its events at once, later ones are counted.

        They are kept apart by the counter that was full and by ceremony: a flood from many sources that meets the
        overall limit is one tally, not one per source.
        """
        tally = self._tallies.get((counter, ceremony))
        now = self._database.clock.monotonic()
        if tally is not None and tally.ends_at > now:
            tally.more += 1
            return
        if tally is None and len(self._tallies) >= MOST_COUNTED:
            await self.flush(everything=True)
        self._tallies[counter, ceremony] = _Tally(caller, now + WINDOW_SECONDS)
        more = 0 if tally is None else tally.more
        whom = _Whom(email, user_id)
        await self._database.write(lambda tx: _record_first(tx, ceremony, caller, whom, more))

    async def flush(self, *, everything: bool = False) -> None:
        """Writes the tallies whose minute is over, at a stop all of them."""
        now = self._database.clock.monotonic()
        for key, tally in list(self._tallies.items()):
            if everything or tally.ends_at <= now:
                del self._tallies[key]
                if tally.more:
                    await self._database.write(partial(record, event=_counted(key[1], tally.caller, tally.more)))


def _record_first(tx: Transaction, ceremony: EventType, caller: Caller, whom: _Whom, more: int) -> None:
    if more:
        record(tx, _counted(ceremony, caller, more))
    user = None if whom.user_id is None else tx.users.by_id(whom.user_id)
    email = whom.email if user is None else user.email
    for event_type, details in (
        (ceremony, f"{wish(ceremony).capitalize()} refused {origin_of(caller)}: rate limited"),
        (EventType.RATE_LIMITED, f"Too many requests {origin_of(caller)}: {wish(ceremony)} refused"),
    ):
        event = Event(event_type, False, caller, details, reason=LIMITED, user_email=email)
        record(tx, replace(event, user_id=whom.user_id, actor=whom.user_id))


def _counted(ceremony: EventType, caller: Caller, count: int) -> Event:
    details = f"Too many requests {origin_of(caller)}: {wish(ceremony)} refused {count} more times within a minute"
    return Event(EventType.RATE_LIMITED, False, caller, details, reason=LIMITED)
