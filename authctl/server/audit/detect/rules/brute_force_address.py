"""Many failed logins from one address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Bursts
from authctl.server.audit.detect.candidates import busy_origins, events_of_origins
from authctl.server.audit.detect.entries import aftermath_of_origins, forgiven_pairs
from authctl.server.audit.detect.floods import counted_ceremonies
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.reasons import OWN_FAULT
from authctl.server.audit.detect.sentences import between, counted, tallied
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.bursts import Tally
    from authctl.server.audit.detect.candidates import Names
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Addresses with `address_failures` failed logins within `minutes`; refusals that were only counted count."""
    wanted = EventFilter(
        event_types=(EventType.LOGIN_COMPLETE, EventType.RATE_LIMITED),
        excluded_reasons=OWN_FAULT,
        since=window.reaching_back(thresholds.span),
        until=window.until,
        success=False,
    )
    origins = _suspects(source, wanted, thresholds)
    if origins is not None and not origins:
        return
    forgiven = forgiven_pairs(source, wanted, origins)
    bursts = Bursts(thresholds.address_failures, thresholds.span)
    for origin, event in events_of_origins(source, wanted, origins):
        is_login = event.event_type == EventType.LOGIN_COMPLETE
        weight = 1 if is_login else counted_ceremonies(event, EventType.LOGIN_COMPLETE)
        if weight and (origin, event.user_email or "") not in forgiven:
            bursts.see(event, origin, event.id, weight=weight)
    tallies = bursts.found()
    aftermath = aftermath_of_origins(source, window, tallies, RULE.severity)
    for tally in tallies:
        came = aftermath[tally.subject]
        yield tally.finding(
            RULE, Kind.ADDRESS, f"{_seen(tally)} {came.sentence}", severity=came.severity, also=came.events
        )


RULE: Final = Rule(
    name="brute-force-address",
    title="Brute force from one address",
    severity=Severity.MEDIUM,
    description=(
        "Many failed logins from one IPv4 address or IPv6 /64 within minutes. The few failures of an account that also "
        "logs in from there are left out, so that an office behind one address is not reported for its clumsiest."
    ),
    advice=(
        "Block the address in front of the service. If somebody got in, end that account's sessions (authctl users "
        "logout EMAIL), talk to its owner, and look at what was seen: authctl audit user EMAIL."
    ),
    thresholds=("address_failures", "minutes"),
    find=find,
)


def _suspects(source: EventSource, wanted: EventFilter, thresholds: Thresholds) -> Names:
    """Who has enough failures, or some that stand for more than themselves."""
    failures = replace(wanted, event_types=(EventType.LOGIN_COMPLETE,))
    floods = replace(wanted, event_types=(EventType.RATE_LIMITED,))
    failing = busy_origins(source, failures, thresholds.address_failures, thresholds.span)
    limited = busy_origins(source, floods, 1, thresholds.span)
    return None if failing is None or limited is None else failing | limited


def _seen(tally: Tally) -> str:
    against = f" against {counted(len(tally.emails), 'account')}" if len(tally.emails) else ""
    failures = counted(tally.count, "failed login")
    more = "more than " if tally.emails.is_full else ""
    against = against.replace(" against ", f" against {more}")
    return f"{failures} from {tally.subject}{against} {between(tally.first, tally.last)} ({tallied(tally.reasons)})."
