"""Questions to the trail: what an edge asks for, checked, and answered from the table."""

from __future__ import annotations

import difflib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.errors import UsageError
from authctl.server.audit.events import EventType
from authctl.server.storage.events import EventFilter

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.storage.tables import AuditLog
    from authctl.server.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are wanted; a field left alone asks for nothing.

    events  names of event types, any of them
    user    an e-mail, as normalised
    ip      an address in any spelling
    until   exclusive
    """

    events: tuple[str, ...] = ()
    user: str | None = None
    ip: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    success: bool | None = None
    limit: int | None = None


def list_events(tx: Transaction, query: EventQuery) -> list[AuditLog]:
    """The events that fit, newest first. Raises UsageError for a value that no event can have."""
    if query.limit is not None and query.limit < 1:
        raise UsageError("The limit has to be at least 1")
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise UsageError("The time range is empty", hint="--since has to be before --until")
    wanted = EventFilter(
        event_types=tuple(_known_type(name) for name in query.events),
        user_email=query.user,
        ip_address=None if query.ip is None else _plain_address(query.ip),
        since=query.since,
        until=query.until,
        success=query.success,
    )
    return tx.events.newest(wanted, query.limit)


def _known_type(name: str) -> str:
    known = [event_type.value for event_type in EventType]
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
    raise UsageError(f"There is no event type {name}", hint=hint)


def _plain_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise UsageError(f"{text} is no IP address", hint="such as 192.0.2.1 or 2001:db8::1") from None
