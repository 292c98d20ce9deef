"""Questions to the trail as a person puts them, checked and turned into the filter that the storage understands."""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from authctl.errors import UsageError
from authctl.server.audit.events import EventType
from authctl.server.audit.neutralising import neutralise
from authctl.server.storage.event_query import GROUP_COLUMNS, EventFilter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from authctl.server.storage.event_query import Position

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_VALUES = 1000
"""Values of one kind in a question; a database takes some thousands in all."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ID = re.compile(r"[0-9a-f-]{1,36}")
_NOT = "!"


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are wanted; a field left alone asks for nothing.

    ids       of events, any of them; the beginning of one is enough
    events    names of event types, any of them; `!` before a name excludes it
    user      an e-mail, as normalised; or the id of a user, who acts, is concerned or looked at
    ips       addresses or networks in any spelling, any of them
    agent     text in the user agent, in any case of letters
    reasons   any of them; `!` before one excludes it
    contains  text anywhere in the event
    until     exclusive
    after     behind this place, in the order asked for
    """

    ids: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    user: str | None = None
    ips: tuple[str, ...] = ()
    agent: str | None = None
    reasons: tuple[str, ...] = ()
    contains: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    success: bool | None = None
    only_others: bool = False
    limit: int | None = None
    order: Literal["newest", "oldest"] = "newest"
    after: Position | None = None


def to_filter(query: EventQuery, known_reasons: Collection[str] = ()) -> EventFilter:
    """The filter that a question means. Raises UsageError, with the nearest word, for a value that no event can have.

    known_reasons  what an unknown reason is held against: one that is nearly known is a slip, others may be anything
    """
    if query.limit is not None and query.limit < 1:
        raise UsageError("The limit has to be at least 1")
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise UsageError("The time range is empty", hint="--since has to be before --until")
    _require_few("ids", query.ids)
    types, excluded_types = _split("events", query.events)
    reasons, excluded_reasons = _split("reasons", query.reasons)
    user_email, user_id = _person(query.user)
    return EventFilter(
        ids=tuple(map(_identifier, query.ids)),
        event_types=tuple(map(_known_type, types)),
        excluded_types=tuple(map(_known_type, excluded_types)),
        reasons=tuple(_likely_reason(reason, known_reasons) for reason in reasons),
        excluded_reasons=tuple(_likely_reason(reason, known_reasons) for reason in excluded_reasons),
        user_email=user_email,
        user_id=user_id,
        networks=_networks(query.ips),
        agent=_text("agent", query.agent),
        contains=_text("contains", query.contains),
        since=query.since,
        until=query.until,
        success=query.success,
        only_others=query.only_others,
        newest_first=query.order == "newest",
        limit=query.limit,
        after=query.after,
    )


def to_columns(names: Iterable[str]) -> tuple[str, ...]:
    """What events are to be counted by. Raises UsageError, with the nearest name, for anything else."""
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in GROUP_COLUMNS:
            raise UsageError(f"Events cannot be counted by {name}", hint=_nearest(name, GROUP_COLUMNS))
    return chosen


def to_network(text: str) -> Network:
    """The network or the single address that `text` names; an IPv4 one also when it is written as IPv6.

    Raises UsageError. Bits behind the prefix have to be zero: 192.0.2.1/24 is a slip for one of two things.
    """
    words = text.strip()
    try:
        network = ipaddress.ip_network(words.partition("%")[0] if "/" not in words else words)
    except ValueError:
        raise UsageError(f"{text} is no IP address or network", hint=_hint_for(words)) from None
    if network.version == 6 and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def _networks(texts: Sequence[str]) -> tuple[Network, ...]:
    _require_few("ips", texts)
    return tuple(dict.fromkeys(map(to_network, texts)))


def _hint_for(words: str) -> str:
    try:
        return f"did you mean {ipaddress.ip_network(words, strict=False)} or {ipaddress.ip_interface(words).ip}?"
    except ValueError:
        return "such as 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32"


def _split(what: str, words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is asked for, and what is to be left out."""
    _require_few(what, words)
    wanted = tuple(dict.fromkeys(word for word in words if not word.startswith(_NOT)))
    excluded = tuple(dict.fromkeys(word.removeprefix(_NOT) for word in words if word.startswith(_NOT)))
    if both := [word for word in wanted if word in excluded]:
        raise UsageError(f"{both[0]} is both asked for and left out")
    return wanted, excluded


def _require_few(what: str, words: Sequence[str]) -> None:
    if len(words) > MOST_VALUES:
        raise UsageError(f"At most {MOST_VALUES} {what} can be asked for at once")


def _known_type(name: str) -> str:
    known = [event_type.value for event_type in EventType]
    if name not in known:
        raise UsageError(f"There is no event type {name}", hint=_nearest(name, known))
    return name


def _likely_reason(reason: str, known: Collection[str]) -> str:
    if not reason:
        raise UsageError("A reason has to be named")
    if reason not in known and (near := difflib.get_close_matches(reason.lower(), known, n=1, cutoff=0.75)):
        raise UsageError(f"There is no reason {reason}", hint=f"did you mean {near[0]}?")
    return _as_stored(reason)


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"


def _identifier(text: str) -> str:
    word = text.strip().lower()
    if not _ID.fullmatch(word):
        raise UsageError(f"{text} is no id of an event", hint="such as 019a1b2c-7d4e-7a10-9c3f-5b6d7e8f9a0b")
    return word


def _person(user: str | None) -> tuple[str | None, str | None]:
    if user is None:
        return None, None
    if _UUID.fullmatch(user):
        return None, user.lower()
    return _text("user", user), None


def _text(what: str, text: str | None) -> str | None:
    if text is None:
        return None
    if not text:
        raise UsageError(f"The text for {what} is empty")
    return _as_stored(text)


def _as_stored(text: str) -> str:
    """Invisible characters as the trail keeps them; visible escapes stay, since they are what a listing shows."""
    return text if text.isprintable() else neutralise(text)
