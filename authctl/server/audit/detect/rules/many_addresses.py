"""One user logs in from several addresses within a short time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Bursts
from authctl.server.audit.detect.candidates import MOST_GROUPS, busy_users, events_of_users
from authctl.server.audit.detect.entries import LOGINS
from authctl.server.audit.detect.interface import Kind, Rule, Severity
from authctl.server.audit.detect.origins import origin_of
from authctl.server.audit.detect.sentences import between, counted, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.candidates import Names
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource
    from authctl.server.storage.event_query import EventFilter


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Users who log in from `user_addresses` addresses within `user_addresses_minutes`."""
    span = timedelta(minutes=thresholds.user_addresses_minutes)
    wanted = replace(LOGINS, since=window.reaching_back(span), until=window.until)
    suspects = _suspects(source, wanted, thresholds.user_addresses, span)
    bursts = Bursts(thresholds.user_addresses, span)
    for email, event in events_of_users(source, wanted, suspects):
        if event.ip_address is not None:
            bursts.see(event, email, origin_of(event.ip_address))
    for tally in bursts.found():
        yield tally.finding(
            RULE,
            Kind.USER,
            f"{tally.subject} logged in {counted(tally.count, 'time')} from "
            f"{counted(len(tally.values), 'address', 'addresses')} {between(tally.first, tally.last)}: "
            f"{named(tally.values)}.",
        )


RULE: Final = Rule(
    name="many-addresses",
    title="One user from several addresses",
    severity=Severity.MEDIUM,
    description=(
        "Successful logins of one account from several addresses within a short time; an IPv6 /64 counts as one. A "
        "passkey that was stolen or is lent, or a person with phone, laptop and VPN."
    ),
    advice="Ask the owner which of the addresses are theirs; if one is not, disable the account and end its sessions.",
    thresholds=("user_addresses", "user_addresses_minutes"),
    find=find,
)


def _suspects(source: EventSource, wanted: EventFilter, least: int, span: timedelta) -> Names:
    """Who logged in often enough within the span, and at all from enough addresses."""
    busy = busy_users(source, wanted, least, span)
    if busy is not None and not busy:
        return busy
    groups = source.groups(wanted, ("user_email", "ip_address"), top=MOST_GROUPS)
    if len(groups) >= MOST_GROUPS:
        return busy
    origins: dict[str, set[str]] = {}
    for group in groups:
        email, address = group.values
        if isinstance(email, str) and isinstance(address, str):
            origins.setdefault(email, set()).add(origin_of(address))
    mobile = frozenset(email for email, places in origins.items() if len(places) >= least)
    return mobile if busy is None else mobile & busy
