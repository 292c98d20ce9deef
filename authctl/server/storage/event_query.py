"""Questions to the trail as SQL text: one filter, one grouping, for each database that can hold events.

Written out by hand, because whoever asks from a terminal should not wait for the SQL toolkit to be imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from ipaddress import IPv4Network, IPv6Network

GROUP_COLUMNS: tuple[str, ...] = (
    "event_type", "success", "reason", "user_email", "user_id", "actor", "target_user_id", "ip_address",
    "peer_address", "user_agent", "request_id", "writer_id", "minute", "hour", "day", "month",
)  # fmt: skip
"""What events can be counted by; the last four are spans of UTC time, named by their beginning in ISO 8601."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of time: events of one moment are ordered by their ids."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; a field that is None or empty asks for nothing. Members hold together with AND.

    ids              any of them
    event_types, excluded_types, reasons, excluded_reasons
                     any of, none of; an event without a reason is not excluded by one
    user_email       exactly, as normalised
    user_id          as the one who acts, the one concerned or the one looked at
    networks         the address lies in any of them; single addresses are networks of one
    agent            stands somewhere in the user agent, in any case of letters
    contains         stands somewhere in e-mail, details, reason, user agent, address, actor, request id or a user id
    since, until     `until` is exclusive
    only_others      somebody looked at another person's record: target and user differ
    after            behind this place, in the order asked for
    """

    ids: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    excluded_types: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    excluded_reasons: tuple[str, ...] = ()
    user_email: str | None = None
    user_id: str | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    agent: str | None = None
    contains: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    success: bool | None = None
    only_others: bool = False
    newest_first: bool = True
    limit: int | None = None
    after: Position | None = None
