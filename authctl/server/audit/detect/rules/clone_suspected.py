"""A passkey whose signature count went backwards: somebody may have a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Tally
from authctl.server.audit.detect.entries import LOGINS
from authctl.server.audit.detect.interface import MOST_FINDINGS, Kind, Rule, Severity
from authctl.server.audit.detect.origins import origin_of
from authctl.server.audit.detect.sentences import at, between, counted, named
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventRecord, EventSource

_NOBODY: Final = "an erased user"


def find(source: EventSource, window: Window, _: Thresholds) -> Iterator[Finding]:
    """Users with a `credential_clone_suspected` event, each."""
    wanted = EventFilter(
        event_types=(EventType.CREDENTIAL_CLONE_SUSPECTED,),
        since=window.since,
        until=window.until,
        newest_first=False,
    )
    tallies: dict[str, Tally] = {}
    for event in source.events(wanted):
        subject = event.user_email or event.user_id or _NOBODY
        if subject in tallies or len(tallies) < MOST_FINDINGS:
            tally = tallies.setdefault(subject, Tally(subject, event.created_at, event.created_at))
            tally.take(event, event.id, 1)
    for tally in tallies.values():
        yield _finding(source, window, tally)


RULE: Final = Rule(
    name="clone-suspected",
    title="Cloned passkey suspected",
    severity=Severity.HIGH,
    description=(
        "A signature that holds came with a signature count that had not grown: two authenticators use one key, or one "
        "was set back. Passkeys that are synced between devices count 0 always and never do this. More severe when the "
        "good logins around it came from another address."
    ),
    advice=(
        "Treat the passkey as stolen until its owner explains it: disable the account (authctl users disable EMAIL), "
        "look at its latest logins (authctl audit user EMAIL), and have a new passkey registered."
    ),
    thresholds=(),
    find=find,
)


def _finding(source: EventSource, window: Window, tally: Tally) -> Finding:
    logins = [] if len(tally.emails) == 0 else _around(source, window, tally)
    elsewhere = [login for login in logins if login.ip_address and origin_of(login.ip_address) not in tally.origins]
    logins_of = f"{counted(tally.count, 'login')} of {tally.subject}"
    place = named(tally.origins) or "an unknown address"
    when = between(tally.first, tally.last)
    said = [f"{logins_of} with a signature count that had not grown, from {place} {when}."]
    for login in logins:
        order = "before" if login.created_at <= tally.first else "after"
        said.append(f"The good login {order} it was at {at(login.created_at)} from {login.ip_address}.")
    severity = Severity.CRITICAL if elsewhere and len(tally.origins) else RULE.severity
    return tally.finding(RULE, Kind.USER, " ".join(said), severity=severity, also=[login.id for login in logins])


def _around(source: EventSource, window: Window, tally: Tally) -> list[EventRecord]:
    """The last good login before the alarm, and the first after it."""
    wanted = replace(LOGINS, user_email=tally.subject, limit=1)
    before = replace(wanted, until=tally.first)
    after = replace(wanted, since=tally.last, until=window.until, newest_first=False)
    return [login for one in (before, after) for login in source.events(one)]
