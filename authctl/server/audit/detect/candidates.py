"""Asks the trail, before any event is read, who did enough to be looked at; and then for the events of those.

Questions are answered by groups, the largest first and only so many of them, so that memory stays flat. An answer that
had to leave out groups which might matter means that everybody is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import IPv6Network
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.origins import network_of, origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from authctl.server.audit.detect.origins import Network
    from authctl.server.audit.records import EventRecord, EventSource, Group
    from authctl.server.storage.event_query import EventFilter

MOST_GROUPS: Final = 20_000
"""Groups that one question may answer with."""
_ANY_IPV6: Final = IPv6Network("::/0")
_NETWORKS_AT_ONCE: Final = 100
_MOST_PORTIONS: Final = 5
_MOST_USERS: Final = 100
_BUCKETS: Final = (("hour", timedelta(hours=1)), ("day", timedelta(days=1)))

Names = frozenset[str] | None
"""Places or users; None are all of them."""


def busy_origins(source: EventSource, wanted: EventFilter, least: int, span: timedelta) -> Names:
    """The places that may have so many events within the span, and perhaps a few that have not."""
    busy = _Busy(least, span)
    groups = busy.ask(source, wanted, "ip_address")
    if busy.leaves_out(groups):
        return None
    if busy.is_cut:
        # Of what was left out, only addresses of IPv6 can come to something, together with their neighbours.
        others = busy.ask(source, replace(wanted, networks=(_ANY_IPV6,)), "ip_address")
        if len(others) >= MOST_GROUPS:
            return None
        groups = [*(group for group in groups if ":" not in str(group.values[0])), *others]
    return busy.names(groups, origin_of)


def busy_users(source: EventSource, wanted: EventFilter, least: int, span: timedelta) -> Names:
    """The e-mails that may have so many events within the span, and perhaps a few that have not."""
    busy = _Busy(least, span)
    groups = busy.ask(source, wanted, "user_email")
    return None if busy.leaves_out(groups) else busy.names(groups, str)


def first_of(source: EventSource, wanted: EventFilter) -> EventRecord | None:
    """The first event that fits, in the order asked for."""
    found = [*source.events(replace(wanted, limit=1))]
    return found[0] if found else None


def in_portions(wanted: EventFilter, origins: Collection[str] | None) -> list[EventFilter]:
    """The filter for some of these places at a time; for very many, or all, one that lets everybody pass."""
    if origins is None:
        return [wanted]
    networks = [network_of(origin) for origin in sorted(origins)]
    known = [network for network in networks if network is not None]
    if len(known) < len(networks) or len(known) > _MOST_PORTIONS * _NETWORKS_AT_ONCE:
        return [wanted]
    return [replace(wanted, networks=portion) for portion in _portions(known)]


def events_of_origins(source: EventSource, wanted: EventFilter, origins: Names) -> Iterator[tuple[str, EventRecord]]:
    """The events of these places, each with its place; those of one place are in order of time."""
    for portion in in_portions(replace(wanted, newest_first=False), origins):
        for event in source.events(portion):
            if event.ip_address is not None:
                origin = origin_of(event.ip_address)
                if origins is None or origin in origins:
                    yield origin, event


def events_of_users(source: EventSource, wanted: EventFilter, emails: Names) -> Iterator[tuple[str, EventRecord]]:
    """The events of these e-mails, each with its e-mail; those of one e-mail are in order of time."""
    wanted = replace(wanted, newest_first=False)
    if emails is not None and len(emails) <= _MOST_USERS:
        for email in sorted(emails):
            for event in source.events(replace(wanted, user_email=email)):
                yield email, event
        return
    for event in source.events(wanted):
        if event.user_email is not None and (emails is None or event.user_email in emails):
            yield event.user_email, event


class _Busy:
    """Looks for so many events within a span: they lie in at most two hours, or days, that follow each other."""

    def __init__(self, least: int, span: timedelta) -> None:
        self._bucket, self._length = next((one for one in _BUCKETS if span <= one[1]), ("", timedelta()))
        self._least = least
        self._in_one = (least + 1) // 2 if self._bucket else least
        self.is_cut = False

    def ask(self, source: EventSource, wanted: EventFilter, column: str) -> list[Group]:
        """How many there are per name and stretch of time."""
        by = (column, self._bucket) if self._bucket else (column,)
        return source.groups(wanted, by, top=MOST_GROUPS)

    def leaves_out(self, groups: Sequence[Group]) -> bool:
        """Whether a group was left out that would have been enough by itself; none is larger than the last."""
        self.is_cut = len(groups) >= MOST_GROUPS
        return self.is_cut and groups[-1].total >= self._in_one

    def names(self, groups: Iterable[Group], name_of: Callable[[str], str]) -> frozenset[str]:
        """Those with enough events."""
        totals: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for group in groups:
            if isinstance(group.values[0], str):
                totals[name_of(group.values[0])][str(group.values[-1]) if self._bucket else ""] += group.total
        return frozenset(name for name, stretches in totals.items() if self._is_enough(stretches))

    def _is_enough(self, stretches: dict[str, int]) -> bool:
        largest = max(stretches.values())
        if largest >= self._least or largest < self._in_one or self.is_cut:
            return largest >= self._in_one
        starts = sorted((datetime.fromisoformat(start), total) for start, total in stretches.items())
        return any(
            next_start - start <= self._length and total + next_total >= self._least
            for (start, total), (next_start, next_total) in pairwise(starts)
        )


def _portions(networks: Sequence[Network]) -> Iterator[tuple[Network, ...]]:
    for place in range(0, len(networks), _NETWORKS_AT_ONCE):
        yield tuple(networks[place : place + _NETWORKS_AT_ONCE])
