"""A trail in a list: events that a test makes up, asked as any other source is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import Thresholds, Window
from authctl.server.audit.records import EventRecord, Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authctl.server.audit.detect.interface import Finding
    from authctl.server.storage.event_query import EventFilter

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY: Final = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


class ListSource:
    """Events out of a list; it counts those it gives away."""

    def __init__(self, events: Iterable[EventRecord]) -> None:
        self._events = sorted(events, key=lambda event: (event.created_at, event.id))
        self.given = 0

    def events(self, wanted: EventFilter) -> Iterator[EventRecord]:
        """The events that fit."""
        found = [event for event in self._events if fits(event, wanted)]
        for event in (found[::-1] if wanted.newest_first else found)[: wanted.limit]:
            self.given += 1
            yield event

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many fit, by columns."""
        together: dict[tuple[Any, ...], list[EventRecord]] = {}
        for event in self._events:
            if fits(event, wanted):
                together.setdefault(tuple(_value(event, name) for name in by), []).append(event)
        groups = [
            Group(values, len(own), sum(not e.success for e in own), own[0].created_at, own[-1].created_at)
            for values, own in together.items()
        ]
        return sorted(groups, key=lambda group: (-group.total, tuple(map(str, group.values))))[:top]

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """Nothing: no language is spoken here."""
        del wanted, by
        return ""

    def close(self) -> None:
        """Nothing is open."""


def _value(event: EventRecord, name: str) -> object:
    spans = {"hour": f"{event.created_at:%Y-%m-%dT%H:00Z}", "day": f"{event.created_at:%Y-%m-%d}"}
    return spans[name] if name in spans else getattr(event, name)


def fits(event: EventRecord, wanted: EventFilter) -> bool:
    """Whether an event is wanted, as far as rules ask."""
    return all(
        (
            not wanted.event_types or event.event_type in wanted.event_types,
            not wanted.reasons or event.reason in wanted.reasons,
            event.reason not in wanted.excluded_reasons,
            wanted.user_email in {None, event.user_email},
            wanted.user_id in {None, event.user_id, event.target_user_id, event.actor},
            wanted.success in {None, event.success},
            wanted.since is None or event.created_at >= wanted.since,
            wanted.until is None or event.created_at < wanted.until,
            not wanted.networks or _lies_in(event.ip_address, wanted),
            not wanted.only_others or event.target_user_id not in {None, event.user_id},
        )
    )


def _lies_in(address: str | None, wanted: EventFilter) -> bool:
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in wanted.networks)


class Story:
    """Makes up events, one after the other."""

    def __init__(self) -> None:
        self.events: list[EventRecord] = []

    def add(self, seconds: float, event_type: str, *, success: bool = False, **members: Any) -> EventRecord:
        """An event so many seconds after noon."""
        number = len(self.events)
        given = {"ip_address": "203.0.113.66", "user_email": "ada@example.com", "details": "", **members}
        plain = dict.fromkeys(EventRecord._fields)
        own = {"id": f"e{number:05}", "created_at": NOON + timedelta(seconds=seconds), "writer_id": "w", "seq": number}
        event = EventRecord(**{**plain, **own, "event_type": event_type, "success": success, **given})
        self.events.append(event)
        return event

    def fail(self, seconds: float, **members: Any) -> EventRecord:
        """A failed login."""
        return self.add(seconds, "login_complete", **{"reason": "signature_invalid", **members})

    def log_in(self, seconds: float, **members: Any) -> EventRecord:
        """A login."""
        return self.add(seconds, "login_complete", success=True, **members)

    def source(self) -> ListSource:
        """The trail so far."""
        return ListSource(self.events)

    def found(self, rule: str, window: Window = DAY, **thresholds: Any) -> list[Finding]:
        """What one rule finds."""
        report = detect(self.source(), window, Thresholds(**thresholds))
        return [finding for finding in report.findings if finding.rule == rule]
