"""What the trail answers with: an event as it reads, a group of events, and the sources that can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from authctl.server.storage.event_query import EventFilter

Value = str | int | None


class EventRecord(NamedTuple):
    """One event without the bytes of its chain; the members are columns of `audit_logs`, the time is aware UTC."""

    id: str
    created_at: datetime
    event_type: str
    success: bool
    reason: str | None
    user_email: str | None
    user_id: str | None
    actor: str | None
    target_user_id: str | None
    ip_address: str | None
    peer_address: str | None
    user_agent: str | None
    request_id: str | None
    details: str | None
    writer_id: str
    seq: int


class Group(NamedTuple):
    """Events that agree in the columns they were grouped by.

    values    of those columns, in the order in which they were asked for
    failures  how many of `total` had no success
    """

    values: tuple[Value, ...]
    total: int
    failures: int
    first: datetime
    last: datetime


class EventSource(Protocol):
    """Something that holds events: a database, an archive, a service far away, or several of these together."""

    def events(self, wanted: EventFilter) -> Iterator[EventRecord]:
        """The events that fit, in the order asked for, in flat memory."""
        ...

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many events fit for each combination of `by`, names out of `GROUP_COLUMNS`.

        The largest groups first, equal ones in the order of their values; `top` keeps that many. The limit, order and
        position of `wanted` mean nothing here.
        """
        ...

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """The SQL that `events`, or with `by` `groups`, would run, with its values written in."""
        ...

    def close(self) -> None:
        """Lets go of whatever is open."""
        ...
