"""Events in memory that can be asked as every source of events can."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from authctl.server.audit.records import EventRecord, Group
from authctl.server.audit.sources import merge_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authctl.server.storage.event_query import EventFilter

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def an_event(number: int, **members: Any) -> EventRecord:
    """Event `number`, with what a test wants to be different."""
    usual: dict[str, Any] = {
        **dict.fromkeys(EventRecord._fields),
        "id": f"{number:08x}-0000-7000-8000-000000000000",
        "created_at": START,
        "event_type": "login_complete",
        "success": True,
        "writer_id": "w",
        "seq": number,
    }
    return EventRecord(**{**usual, **members})


@dataclass
class Memory:
    """Knows times, types, limit and order; each question is kept, and `before` runs ahead of it."""

    held: list[EventRecord] = field(default_factory=list)
    asked: list[EventFilter] = field(default_factory=list)
    opened: int = 0
    failure: Exception | None = None

    @contextmanager
    def open(self) -> Iterator[Memory]:
        """Opens it, unless it is away."""
        self.opened += 1
        if self.failure is not None:
            raise self.failure
        yield self

    def events(self, wanted: EventFilter) -> Iterator[EventRecord]:
        """The events that fit."""
        self.asked.append(wanted)
        if self.failure is not None:
            raise self.failure
        fitting = [event for event in self.held if _fits(event, wanted)]
        fitting.sort(key=lambda event: (event.created_at, event.id), reverse=wanted.newest_first)
        yield from fitting[: wanted.limit]

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many of them there are of each kind."""
        fitting = [event for event in self.held if _fits(event, wanted)]
        return merge_groups(
            Group(
                tuple(getattr(event, name) for name in by),
                1,
                int(not event.success),
                event.created_at,
                event.created_at,
            )
            for event in fitting
        )[:top]

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """What was asked."""
        return f"{wanted} by {by}"

    def close(self) -> None:
        """Lets go of nothing."""


def _fits(event: EventRecord, wanted: EventFilter) -> bool:
    return (
        (not wanted.event_types or event.event_type in wanted.event_types)
        and event.event_type not in wanted.excluded_types
        and (wanted.since is None or event.created_at >= wanted.since)
        and (wanted.until is None or event.created_at < wanted.until)
        and (wanted.success is None or event.success is wanted.success)
    )
