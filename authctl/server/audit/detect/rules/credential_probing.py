"""Refusals that no browser with a passkey earns: answers, credentials and tokens that somebody tries out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Bursts
from authctl.server.audit.detect.candidates import busy_origins, events_of_origins
from authctl.server.audit.detect.entries import aftermath_of_origins, forgiven_pairs
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.reasons import PROBING
from authctl.server.audit.detect.sentences import between, counted, tallied
from authctl.server.audit.events import EventType
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.bursts import Tally
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Addresses with `probing_refusals` such refusals, or `probing_reasons` kinds of them, within `minutes`."""
    wanted = EventFilter(
        event_types=(
            EventType.LOGIN_BEGIN,
            EventType.LOGIN_COMPLETE,
            EventType.REGISTRATION_BEGIN,
            EventType.REGISTRATION_COMPLETE,
            EventType.CREDENTIAL_ADDED,
            EventType.TOKEN_REJECTED,
        ),
        reasons=PROBING,
        since=window.reaching_back(thresholds.span),
        until=window.until,
        success=False,
    )
    least = min(thresholds.probing_refusals, thresholds.probing_reasons)
    origins = busy_origins(source, wanted, least, thresholds.span)
    if origins is not None and not origins:
        return
    forgiven = forgiven_pairs(source, wanted, origins)
    refusals = Bursts(thresholds.probing_refusals, thresholds.span)
    kinds = Bursts(thresholds.probing_reasons, thresholds.span)
    for origin, event in events_of_origins(source, wanted, origins):
        if (origin, event.user_email or "") not in forgiven:
            refusals.see(event, origin, event.id)
            kinds.see(event, origin, event.reason or "")
    found = {tally.subject: tally for tally in (*kinds.found(), *refusals.found())}
    aftermath = aftermath_of_origins(source, window, list(found.values()), RULE.severity)
    for tally in found.values():
        came = aftermath[tally.subject]
        yield tally.finding(
            RULE, Kind.ADDRESS, f"{_seen(tally)} {came.sentence}", severity=came.severity, also=came.events
        )


RULE: Final = Rule(
    name="credential-probing",
    title="Credential probing",
    severity=Severity.MEDIUM,
    description=(
        "Refusals that a browser with a passkey does not earn: unknown or used challenges, unknown credentials, "
        "credentials of others, signatures that do not hold, malformed answers, forged tokens. A series of them from "
        "one address, or several kinds of them, is somebody testing the service."
    ),
    advice=(
        "Look at the events. One kind of refusal for many people points at your own page or at ORIGIN and RP_ID; "
        "otherwise block the address, and check that it got nowhere."
    ),
    thresholds=("probing_refusals", "probing_reasons", "minutes"),
    find=find,
)


def _seen(tally: Tally) -> str:
    kinds = counted(len(tally.reasons), "kind")
    return (
        f"{counted(tally.count, 'refusal')} of {kinds} for {tally.subject} "
        f"{between(tally.first, tally.last)} ({tallied(tally.reasons)})."
    )
