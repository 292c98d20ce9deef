"""One address tries many accounts: spraying, or finding out which exist."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Bursts
from authctl.server.audit.detect.candidates import busy_origins, events_of_origins
from authctl.server.audit.detect.entries import aftermath_of_origins, pairs_of
from authctl.server.audit.detect.floods import floods_of
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.sentences import between, counted
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.bursts import Tally
    from authctl.server.audit.detect.candidates import Names
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventRecord, EventSource

UNKNOWN: Final = "unknown_user"


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Addresses that within `minutes` try `swept_accounts` accounts which do not log in there.

    Where more accounts do than do not, only those that do not exist count.
    """
    wanted = EventFilter(since=window.reaching_back(thresholds.span), until=window.until)
    tries = replace(wanted, event_types=(EventType.LOGIN_BEGIN,))
    failures = replace(wanted, event_types=(EventType.LOGIN_COMPLETE, EventType.REGISTRATION_COMPLETE), success=False)
    origins = _suspects(source, (tries, failures), thresholds)
    if origins is not None and not origins:
        return
    welcome = _welcome(source, wanted, origins)
    unresolved = Bursts(thresholds.swept_accounts, thresholds.span)
    unknown = Bursts(thresholds.swept_accounts, thresholds.span)
    everything = replace(wanted, event_types=(*tries.event_types, *failures.event_types))
    for origin, event in events_of_origins(source, everything, origins):
        if event.user_email is None or (origin, event.user_email) in welcome or not _is_try(event):
            continue
        unresolved.see(event, origin, event.user_email)
        if event.reason == UNKNOWN:
            unknown.see(event, origin, event.user_email)
    guests = Counter(origin for origin, _ in welcome)
    strange = {tally.subject: tally for tally in unknown.found()}
    tallies = [
        tally for tally in unresolved.found() if tally.subject in strange or len(tally.values) > guests[tally.subject]
    ]
    yield from _findings(source, window, wanted, tallies, strange)


RULE: Final = Rule(
    name="account-sweep",
    title="One address tries many accounts",
    severity=Severity.MEDIUM,
    description=(
        "Logins begun or failed, or registrations refused, for many different e-mails from one address, none of which "
        "logs in there: passkeys of many accounts tried in turn, or a list of e-mails checked for which have an "
        "account. Where more accounts log in than are tried in vain, as in an office, only e-mails without an account "
        "count."
    ),
    advice=(
        "Block the address. The service answers alike for e-mails with and without an account, so that a list cannot "
        "be checked by the answers; a successful login from there is what to look at first."
    ),
    thresholds=("swept_accounts", "minutes"),
    find=find,
)


def _suspects(source: EventSource, filters: tuple[EventFilter, ...], thresholds: Thresholds) -> Names:
    """Who has enough events of either kind taken together, for which half of one kind has to be there."""
    found: set[str] = set()
    for wanted in filters:
        origins = busy_origins(source, wanted, (thresholds.swept_accounts + 1) // 2, thresholds.span)
        if origins is None:
            return None
        found |= origins
    return frozenset(found)


def _welcome(source: EventSource, wanted: EventFilter, origins: Names) -> set[tuple[str, str]]:
    """Pairs of place and e-mail that logged in or registered."""
    wanted = replace(wanted, event_types=(EventType.LOGIN_COMPLETE, EventType.REGISTRATION_COMPLETE), success=True)
    return {pair for pair, _ in pairs_of(source, wanted, origins)}


def _is_try(event: EventRecord) -> bool:
    return not event.success or event.event_type == EventType.LOGIN_BEGIN


def _findings(
    source: EventSource, window: Window, wanted: EventFilter, tallies: list[Tally], strange: dict[str, Tally]
) -> Iterator[Finding]:
    since = wanted.since or window.since
    floods = floods_of(source, [tally.subject for tally in tallies], since, window.until, EventType.LOGIN_BEGIN)
    aftermath = aftermath_of_origins(source, window, tallies, RULE.severity)
    for tally in tallies:
        came = aftermath[tally.subject]
        tally.count += floods[tally.subject]
        more = "more than " if tally.values.is_full else ""
        unknown = strange.get(tally.subject)
        nobody = f", {len(unknown.values):,} of them without an account" if unknown else ""
        seen = (
            f"{counted(tally.count, 'request')} for {more}{counted(len(tally.values), 'account')} "
            f"from {tally.subject} {between(tally.first, tally.last)}{nobody}."
        )
        yield tally.finding(RULE, Kind.ADDRESS, f"{seen} {came.sentence}", severity=came.severity, also=came.events)
