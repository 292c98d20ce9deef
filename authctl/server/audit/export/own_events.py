"""What the trail is told of its own export (R-LG-10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.server.audit.events import Event, EventType, origin_of

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.audit.events import Caller
    from authctl.server.storage.event_query import EventFilter


@dataclass(frozen=True, slots=True)
class Described:
    """An export as the trail knows it.

    format       its name
    destination  where it goes; without secrets
    wanted       which events
    resumes      whether it goes on where another export ended
    """

    format: str
    destination: str
    wanted: EventFilter
    resumes: bool = False

    def event(self, caller: Caller, what: str, *, reason: str | None = None) -> Event:
        """`what` became of it: "exported 12 events"; a `reason` makes it a failure.

        Whose events were asked for stands in the columns for it, where an erasure of that person finds it.
        """
        since = " that were not exported before" if self.resumes else ""
        details = (
            f"Audit trail as {self.format} to {self.destination}, {in_words(self.wanted)}{since}: {what}, "
            f"by {caller.actor} {origin_of(caller)}"
        )
        return Event(
            EventType.AUDIT_EXPORT,
            reason is None,
            caller,
            details,
            reason=reason,
            user_email=self.wanted.user_email,
            target_user_id=self.wanted.user_id,
        )


def counted(number: int) -> str:
    """A number of events."""
    return "1 event" if number == 1 else f"{number} events"


def in_words(wanted: EventFilter) -> str:
    """A filter as one phrase: "events of type login_complete, without success"."""
    outcome = {True: "with success", False: "without success", None: ""}[wanted.success]
    parts = [
        _listed("with id", wanted.ids),
        _listed("of type", wanted.event_types),
        _listed("not of type", wanted.excluded_types),
        "of one user" if wanted.user_email is not None or wanted.user_id is not None else "",
        _listed("from", tuple(map(str, wanted.networks))),
        _listed("with reason", wanted.reasons),
        _listed("not with reason", wanted.excluded_reasons),
        outcome,
        f"with user agent {wanted.agent!r}" if wanted.agent else "",
        f"with text {wanted.contains!r}" if wanted.contains else "",
        _moment("since", wanted.since),
        _moment("until", wanted.until),
    ]
    words = ", ".join(part for part in parts if part)
    return f"events {words}" if words else "all events"


def _listed(what: str, values: tuple[str, ...]) -> str:
    return f"{what} {' or '.join(values)}" if values else ""


def _moment(what: str, moment: datetime | None) -> str:
    return "" if moment is None else f"{what} {moment.isoformat(timespec='seconds').replace('+00:00', 'Z')}"
