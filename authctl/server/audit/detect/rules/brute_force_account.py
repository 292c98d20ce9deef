"""Many failed logins into one account, from wherever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Bursts
from authctl.server.audit.detect.candidates import busy_users, events_of_users
from authctl.server.audit.detect.entries import aftermath_of_user
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.reasons import OWN_FAULT
from authctl.server.audit.detect.sentences import between, counted, named, tallied
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.bursts import Tally
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource

_DISTRIBUTED: Final = 3
"""Addresses from which on an attack is not one person's clumsiness on phone and laptop."""


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Accounts with `account_failures` failed logins within `minutes`, from one address or many."""
    wanted = EventFilter(
        event_types=(EventType.LOGIN_COMPLETE,),
        excluded_reasons=OWN_FAULT,
        since=window.reaching_back(thresholds.span),
        until=window.until,
        success=False,
    )
    suspects = busy_users(source, wanted, thresholds.account_failures, thresholds.span)
    bursts = Bursts(thresholds.account_failures, thresholds.span)
    for email, event in events_of_users(source, wanted, suspects):
        bursts.see(event, email, event.id)
    for tally in bursts.found():
        base = Severity.HIGH if len(tally.origins) >= _DISTRIBUTED else RULE.severity
        came = aftermath_of_user(source, window, tally, base)
        yield tally.finding(
            RULE, Kind.USER, f"{_seen(tally)} {came.sentence}", severity=came.severity, also=came.events
        )


RULE: Final = Rule(
    name="brute-force-account",
    title="Brute force against one account",
    severity=Severity.MEDIUM,
    description=(
        "Many failed logins that name one account within minutes, counted over all addresses: what an attack from many "
        "addresses looks like. It is more severe from three addresses on, and when one of them then gets in."
    ),
    advice=(
        "Ask the owner whether it was them. If not, block the addresses; if somebody got in, disable the account "
        "(authctl users disable EMAIL) until the owner has a new passkey."
    ),
    thresholds=("account_failures", "minutes"),
    find=find,
)


def _seen(tally: Tally) -> str:
    origins = f"{'more than ' if tally.origins.is_full else ''}{counted(len(tally.origins), 'address', 'addresses')}"
    return (
        f"{counted(tally.count, 'failed login')} into {tally.subject} from {origins} "
        f"{between(tally.first, tally.last)} ({named(tally.origins)}; {tallied(tally.reasons)})."
    )
