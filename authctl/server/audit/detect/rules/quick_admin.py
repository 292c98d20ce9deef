"""Somebody is made an admin and at once looks at other people's records."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Tally
from authctl.server.audit.detect.interface import MOST_FINDINGS, Kind, Rule, Severity
from authctl.server.audit.detect.sentences import at, counted
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventRecord, EventSource

_TAKEN_AWAY: Final = "changed from admin to user"


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Users who see others' records within `admin_minutes` of becoming an admin."""
    span = timedelta(minutes=thresholds.admin_minutes)
    changes = EventFilter(
        event_types=(EventType.ROLE_CHANGE,),
        since=window.reaching_back(span),
        until=window.until,
        success=True,
        newest_first=False,
        limit=MOST_FINDINGS,
    )
    for change in [*source.events(changes)]:
        # An erased event does not say which way it went; but nobody except an admin sees others' records.
        if change.user_id is None or _TAKEN_AWAY in (change.details or ""):
            continue
        tally = _uses(source, change, min(change.created_at + span, window.until))
        if tally.total:
            yield _finding(source, change, tally, span)


RULE: Final = Rule(
    name="quick-admin",
    title="Admin rights given and used at once",
    severity=Severity.HIGH,
    description=(
        "An account became an admin and saw other people's records within minutes: what somebody does who gives "
        "themselves rights, but also the first day of a new admin."
    ),
    advice=(
        "Check with whoever ran authctl promote (the actor of the first event) that the rights were meant to be given; "
        "authctl demote EMAIL takes them away with the next request."
    ),
    thresholds=("admin_minutes",),
    find=find,
)


def _uses(source: EventSource, change: EventRecord, until: datetime) -> Tally:
    """The looks at others' records since the change."""
    subject = change.user_email or change.user_id or ""
    tally = Tally(subject, change.created_at, change.created_at)
    wanted = EventFilter(
        event_types=(EventType.USER_ACCESS,),
        user_id=change.user_id,
        since=change.created_at,
        until=until,
        success=True,
        only_others=True,
        newest_first=False,
    )
    for event in source.events(wanted):
        if event.user_id == change.user_id:
            tally.take(event, event.target_user_id or "", 1)
    return tally


def _finding(source: EventSource, change: EventRecord, tally: Tally, span: timedelta) -> Finding:
    records = f"{'more than ' if tally.values.is_full else ''}{counted(len(tally.values), 'record')}"
    said = (
        f"{tally.subject} was made an admin by {change.actor or 'somebody'} at {at(change.created_at)} and looked at "
        f"{records} of others, {counted(tally.count, 'time')} until {at(tally.last)}."
    )
    changes = EventFilter(
        event_types=(EventType.ROLE_CHANGE,),
        user_id=change.user_id,
        since=change.created_at,
        until=tally.last + span,
        success=True,
        newest_first=False,
    )
    back = [event for event in source.events(changes) if _TAKEN_AWAY in (event.details or "")][:1]
    said += "".join(f" The rights were taken away again at {at(event.created_at)}." for event in back)
    also = [change.id, *(event.id for event in back)]
    return tally.finding(RULE, Kind.USER, said, also=also)
