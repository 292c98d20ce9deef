"""Asks the trail, before any event is read, who did enough to be looked at; and then for the events of those."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.origins import network_of, origin_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from authctl.server.audit.detect.origins import Network
    from authctl.server.audit.records import EventRecord, EventSource, Group
    from authctl.server.storage.event_query import EventFilter

MOST_GROUPS: Final = 20_000
"""Groups that one question may answer with: what bounds the memory. With more there, everybody is looked at."""
_MOST_NETWORKS: Final = 100
_MOST_USERS: Final = 20

Names = frozenset[str] | None
"""Places or users; None are all of them."""


def groups_of(source: EventSource, wanted: EventFilter, by: tuple[str, ...]) -> tuple[list[Group], bool]:
    """The groups, and whether they are all there are."""
    groups = source.groups(wanted, by, top=MOST_GROUPS)
    return groups, len(groups) < MOST_GROUPS


def busy_origins(source: EventSource, wanted: EventFilter, least: int) -> Names:
    """The places with at least so many events."""
    groups, are_all = groups_of(source, wanted, ("ip_address",))
    totals: Counter[str] = Counter()
    for group in groups:
        if isinstance(group.values[0], str):
            totals[origin_of(group.values[0])] += group.total
    return frozenset(name for name, total in totals.items() if total >= least) if are_all else None


def busy_users(source: EventSource, wanted: EventFilter, least: int) -> Names:
    """The e-mails with at least so many events."""
    groups, are_all = groups_of(source, wanted, ("user_email",))
    if not are_all:
        return None
    return frozenset(group.values[0] for group in groups if group.total >= least and isinstance(group.values[0], str))


def first_of(source: EventSource, wanted: EventFilter) -> EventRecord | None:
    """The first event that fits, in the order asked for."""
    found = [*source.events(replace(wanted, limit=1))]
    return found[0] if found else None


def of_origins(wanted: EventFilter, origins: Collection[str] | None) -> EventFilter:
    """The filter, narrowed to these places when they are few; what else fits is to be passed over."""
    networks = _networks(origins)
    return replace(wanted, networks=networks) if networks else wanted


def events_of_origins(source: EventSource, wanted: EventFilter, origins: Names) -> Iterator[tuple[str, EventRecord]]:
    """The events of these places, each with its place, in order of time."""
    if origins is not None and not origins:
        return
    for event in source.events(replace(of_origins(wanted, origins), newest_first=False)):
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


def _networks(origins: Collection[str] | None) -> tuple[Network, ...]:
    """None at all when they are too many, or one of them is no address."""
    if origins is None or len(origins) > _MOST_NETWORKS:
        return ()
    networks = [network_of(origin) for origin in sorted(origins)]
    known = tuple(network for network in networks if network is not None)
    return known if len(known) == len(networks) else ()
