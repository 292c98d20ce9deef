"""The trail itself was damaged or started anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Tally
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.sentences import between, counted, tallied
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource

_SUBJECTS: Final = {EventType.AUDIT_GAP: "audit file", EventType.DATABASE_RESET: "database"}


def find(source: EventSource, window: Window, _: Thresholds) -> Iterator[Finding]:
    """Whether there is any `audit_gap` or `database_reset` event."""
    for event_type, subject in _SUBJECTS.items():
        wanted = EventFilter(event_types=(event_type,), since=window.since, until=window.until, newest_first=False)
        tally: Tally | None = None
        actors: set[str] = set()
        for event in source.events(wanted):
            tally = tally or Tally(subject, event.created_at, event.created_at)
            tally.take(event, event.id, 1)
            actors.add(event.actor or "somebody")
        if tally is not None:
            yield tally.finding(RULE, Kind.TRAIL, _sentence(event_type, tally, sorted(actors)))


RULE: Final = Rule(
    name="audit-gap",
    title="The audit trail was damaged or reset",
    severity=Severity.HIGH,
    description=(
        "The service found its audit file deleted, replaced or cut while it was running, or somebody reset the "
        "database, which removes every event before it."
    ),
    advice=(
        "Run authctl audit verify, which says what is missing and whether the table still has it, and find out who had "
        "access to the machine at that time."
    ),
    thresholds=(),
    find=find,
)


def _sentence(event_type: EventType, tally: Tally, actors: list[str]) -> str:
    when = between(tally.first, tally.last)
    if event_type is EventType.DATABASE_RESET:
        return f"The database was reset {counted(tally.count, 'time')} by {', '.join(actors[:5])} {when}."
    return f"The audit file was found damaged {counted(tally.count, 'time')} {when} ({tallied(tally.reasons)})."
