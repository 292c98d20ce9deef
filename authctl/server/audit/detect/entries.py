"""Answers what matters most about an attack: whether they got in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.candidates import MOST_GROUPS, first_of, in_portions
from authctl.server.audit.detect.interface import Severity
from authctl.server.audit.detect.origins import network_of, origin_of
from authctl.server.audit.detect.sentences import at, counted, named
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from authctl.server.audit.detect.bursts import Tally
    from authctl.server.audit.detect.interface import Window
    from authctl.server.audit.records import EventRecord, EventSource, Group

LOGINS: Final = EventFilter(event_types=(EventType.LOGIN_COMPLETE,), success=True)
_MOST_FOLLOWED: Final = 5
_FORGIVEN: Final = 3
"""Failures of somebody who then got in: a wrong finger, an old passkey offered first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody logged in from a place that an attack came from, after it had begun.

    is_familiar  the same account had logged in from there before: then it is rather its owner
    """

    email: str
    origin: str
    event: EventRecord
    is_attacked: bool
    is_familiar: bool


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What came of an attack: how it changes the finding, what there is to say, and the events that show it."""

    severity: Severity
    sentence: str = ""
    events: tuple[str, ...] = ()


def forgiven_pairs(source: EventSource, wanted: EventFilter, origins: frozenset[str] | None) -> set[tuple[str, str]]:
    """Pairs of place and e-mail whose few failures are those of an owner: they got in there too."""
    wanted = replace(wanted, event_types=(EventType.LOGIN_COMPLETE,), success=None, reasons=())
    totals: dict[tuple[str, str], tuple[int, int]] = {}
    for pair, group in pairs_of(source, wanted, origins):
        failures, successes = totals.get(pair, (0, 0))
        totals[pair] = failures + group.failures, successes + group.total - group.failures
    return {
        pair
        for pair, (failures, successes) in totals.items()
        if failures and successes and failures <= max(_FORGIVEN, successes)
    }


def pairs_of(
    source: EventSource, wanted: EventFilter, origins: Collection[str] | None
) -> Iterator[tuple[tuple[str, str], Group]]:
    """Pairs of place and e-mail; an address of IPv6 gives its place's pair again."""
    for portion in in_portions(wanted, origins):
        for group in source.groups(portion, ("ip_address", "user_email"), top=MOST_GROUPS):
            address, email = group.values
            if isinstance(address, str) and isinstance(email, str):
                yield (origin_of(address), email), group


def aftermath_of_origins(
    source: EventSource, window: Window, tallies: Sequence[Tally], base: Severity
) -> dict[str, Aftermath]:
    """For each place, what came of its attack."""
    if not tallies:
        return {}
    since = min(tally.first for tally in tallies)
    wanted = replace(LOGINS, since=since, until=window.until)
    later: dict[str, set[str]] = {}
    first = {tally.subject: tally.first for tally in tallies}
    for (origin, email), group in pairs_of(source, wanted, first):
        if origin in first and group.last >= first[origin]:
            later.setdefault(origin, set()).add(email)
    return {
        tally.subject: _of_origin(source, window, tally, later.get(tally.subject, set()), base) for tally in tallies
    }


def aftermath_of_user(source: EventSource, window: Window, tally: Tally, base: Severity) -> Aftermath:
    """What came of an attack on an account: logins from the places that it came from."""
    wanted = replace(LOGINS, user_email=tally.subject, since=tally.first, until=window.until)
    groups = source.groups(wanted, ("ip_address",), top=MOST_GROUPS)
    origins = {origin_of(group.values[0]) for group in groups if isinstance(group.values[0], str)}
    pairs = [(tally.subject, origin, True) for origin in sorted(origins) if origin in tally.origins]
    return _judged(_follow(source, window, pairs[:_MOST_FOLLOWED], tally.first), base)


def first_login(
    source: EventSource, email: str, origin: str, since: datetime | None, until: datetime
) -> EventRecord | None:
    """The first login of an account from a place in a span of time."""
    network = network_of(origin)
    wanted = replace(LOGINS, user_email=email, since=since, until=until, newest_first=False)
    if network is not None:
        return first_of(source, replace(wanted, networks=(network,)))
    return next((event for event in [*source.events(wanted)] if event.ip_address == origin), None)


def _of_origin(source: EventSource, window: Window, tally: Tally, emails: set[str], base: Severity) -> Aftermath:
    pairs = [(email, tally.subject, email in tally.emails) for email in emails]
    pairs.sort(key=lambda pair: (not pair[2], pair[0]))
    entries = _follow(source, window, pairs[:_MOST_FOLLOWED], tally.first)
    return _judged(entries, base, more=len(pairs) - len(entries))


def _follow(
    source: EventSource, window: Window, pairs: Iterable[tuple[str, str, bool]], since: datetime
) -> list[Entry]:
    found = []
    for email, origin, is_attacked in pairs:
        event = first_login(source, email, origin, since, window.until)
        if event is not None:
            is_familiar = first_login(source, email, origin, None, since) is not None
            found.append(Entry(email, origin, event, is_attacked, is_familiar))
    return found


def _judged(entries: Sequence[Entry], base: Severity, more: int = 0) -> Aftermath:
    """A stranger's login into what was attacked is the worst; logins that were usual there before may be innocent."""
    if not entries:
        return Aftermath(base, "Nobody has logged in from there since.")
    got_in = [entry for entry in entries if entry.is_attacked and not entry.is_familiar]
    owners = [entry for entry in entries if entry.is_attacked and entry.is_familiar]
    strangers = [entry for entry in entries if not entry.is_attacked and not entry.is_familiar]
    usual = [entry for entry in entries if not entry.is_attacked and entry.is_familiar]
    said = [_said(entry, "They got in:", "for the first time from there") for entry in got_in]
    said += [_said(entry, "Afterwards", "from there, as before: rather its owner") for entry in owners]
    said += [_said(entry, "Afterwards", "for the first time from there") for entry in strangers]
    if usual:
        said.append(f"Also logged in from there, as before: {named([entry.email for entry in usual])}.")
    if more:
        said.append(f"{counted(more, 'more account')} logged in from there.")
    severity = Severity.CRITICAL if got_in else Severity.HIGH if owners or strangers else base
    return Aftermath(max(severity, base, key=lambda one: one.rank), " ".join(said), tuple(e.event.id for e in entries))


def _said(entry: Entry, opening: str, closing: str) -> str:
    return f"{opening} {entry.email} logged in at {at(entry.event.created_at)} from {entry.origin}, {closing}."
