"""Reads how many requests an event stands for: of a flood, the service writes the first down and counts the others."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.candidates import events_of_origins
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from authctl.server.audit.records import EventRecord, EventSource

COUNTED: Final = "counted"
_MORE: Final = {
    EventType.RATE_LIMITED: re.compile(r": ([a-z ]+) refused ([0-9]{1,12}) more times within a minute\Z"),
    EventType.TOKEN_REJECTED: re.compile(r"\A([0-9]{1,12}) more requests without a usable token "),
}


def counted_ceremonies(event: EventRecord, ceremony: EventType) -> int:
    """How many refusals of a ceremony a `rate_limited` event stands for; the first of a minute has its own event."""
    found = _MORE[EventType.RATE_LIMITED].search(event.details or "")
    return int(found[2]) if found and found[1] == ceremony.replace("_", " ") else 0


def counted_tokens(event: EventRecord) -> int:
    """How many requests without a usable token a `token_rejected` event stands for."""
    found = _MORE[EventType.TOKEN_REJECTED].search(event.details or "") if event.reason == COUNTED else None
    return int(found[1]) if found else 0


def floods_of(
    source: EventSource, origins: Iterable[str], since: datetime, until: datetime, ceremony: EventType | None
) -> Counter[str]:
    """Per place, how many refusals of a ceremony, or with None of tokens, were only counted."""
    event_type = EventType.TOKEN_REJECTED if ceremony is None else EventType.RATE_LIMITED
    reasons = (COUNTED,) if ceremony is None else ()
    wanted = EventFilter(event_types=(event_type,), reasons=reasons, success=False, since=since, until=until)
    totals: Counter[str] = Counter()
    for origin, event in events_of_origins(source, wanted, frozenset(origins)):
        totals[origin] += counted_tokens(event) if ceremony is None else counted_ceremonies(event, ceremony)
    return totals
