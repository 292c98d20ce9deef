"""One user or address is refused on many records: somebody looks for what they may not see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Bursts
from authctl.server.audit.detect.candidates import (
    busy_origins,
    busy_users,
    events_of_origins,
    events_of_users,
    first_of,
)
from authctl.server.audit.detect.floods import floods_of
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.sentences import at, between, counted, named, tallied
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.bursts import Tally
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource

DENIED: Final = "access_denied"
MISSING: Final = "unknown_user"
_REACHING: Final = (EventType.USER_ACCESS, EventType.CREDENTIAL_RENAMED, EventType.CREDENTIAL_REMOVED)
"""What reaches for a person: their record, or their passkeys."""


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Users and addresses that are refused on `denied_records` different records within `minutes`."""
    wanted = EventFilter(
        event_types=(*_REACHING, EventType.TOKEN_REJECTED),
        excluded_reasons=(MISSING,),
        since=window.reaching_back(thresholds.span),
        until=window.until,
        success=False,
    )
    users = _users(source, wanted, thresholds)
    for tally in users:
        yield _of_user(source, window, tally)
    reported = {tally.subject for tally in users}
    addresses = Bursts(thresholds.denied_records, thresholds.span)
    origins = busy_origins(source, wanted, thresholds.denied_records, thresholds.span)
    for origin, event in events_of_origins(source, wanted, origins):
        if event.target_user_id is not None and event.user_email not in reported:
            addresses.see(event, origin, event.target_user_id)
    yield from _of_addresses(source, window, wanted, addresses.found())


RULE: Final = Rule(
    name="denied-sweep",
    title="Refused on many records",
    severity=Severity.HIGH,
    description=(
        "A signed-in user asks for many records of others and is refused, or one address does so without a usable "
        "token or under changing names. More severe when the same user later saw others' records after all."
    ),
    advice=(
        "Nothing was shown by the refused requests. Talk to the user or disable the account (authctl users disable "
        "EMAIL); block an address that has no token."
    ),
    thresholds=("denied_records", "minutes"),
    find=find,
)


def _users(source: EventSource, wanted: EventFilter, thresholds: Thresholds) -> list[Tally]:
    wanted = replace(wanted, event_types=_REACHING, reasons=(DENIED,))
    bursts = Bursts(thresholds.denied_records, thresholds.span)
    suspects = busy_users(source, wanted, thresholds.denied_records, thresholds.span)
    for email, event in events_of_users(source, wanted, suspects):
        if event.target_user_id is not None:
            bursts.see(event, email, event.target_user_id)
    return bursts.found()


def _of_user(source: EventSource, window: Window, tally: Tally) -> Finding:
    seen = (
        f"{tally.subject} was refused {counted(tally.count, 'time')} on {_records(tally)} "
        f"{between(tally.first, tally.last)}, from {named(tally.origins)}."
    )
    wanted = EventFilter(
        event_types=(EventType.USER_ACCESS,),
        user_email=tally.subject,
        since=tally.first,
        until=window.until,
        success=True,
        only_others=True,
        newest_first=False,
    )
    shown = first_of(source, wanted)
    if shown is None:
        return tally.finding(RULE, Kind.USER, f"{seen} No record of others was shown to them since.")
    sentence = f"{seen} At {at(shown.created_at)} they did see another user's record."
    return tally.finding(RULE, Kind.USER, sentence, severity=Severity.CRITICAL, also=(shown.id,))


def _of_addresses(source: EventSource, window: Window, wanted: EventFilter, tallies: list[Tally]) -> Iterator[Finding]:
    since = wanted.since or window.since
    floods = floods_of(source, [tally.subject for tally in tallies], since, window.until, None)
    for tally in tallies:
        only_counted = floods[tally.subject]
        tally.count += only_counted
        more = f", {only_counted:,} of which were only counted" if only_counted else ""
        yield tally.finding(
            RULE,
            Kind.ADDRESS,
            f"{counted(tally.count, 'refused request')} for {_records(tally)} from {tally.subject} "
            f"{between(tally.first, tally.last)} ({tallied(tally.reasons)}){more}.",
            severity=Severity.MEDIUM,
        )


def _records(tally: Tally) -> str:
    return f"{'more than ' if tally.values.is_full else ''}{counted(len(tally.values), 'record')}"
