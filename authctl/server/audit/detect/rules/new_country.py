"""A user logs in from a country that they have not logged in from before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Tally
from authctl.server.audit.detect.candidates import MOST_GROUPS, events_of_users, first_of
from authctl.server.audit.detect.countries import open_countries
from authctl.server.audit.detect.entries import LOGINS
from authctl.server.audit.detect.interface import MOST_FINDINGS, Kind, Rule, Severity
from authctl.server.audit.detect.sentences import between, counted, named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authctl.server.audit.detect.candidates import Names
    from authctl.server.audit.detect.countries import Countries
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource
    from authctl.server.storage.event_query import EventFilter


def find(source: EventSource, window: Window, thresholds: Thresholds) -> Iterator[Finding]:
    """Users with a login from a country which none of the earlier ones within `country_history_days` was from."""
    countries = open_countries(thresholds.country_database)
    days = timedelta(days=thresholds.country_history_days)
    for (email, country), (tally, known) in _new(source, window, days, countries).items():
        yield tally.finding(
            RULE,
            Kind.USER,
            f"{email} logged in from {country} for the first time: {counted(tally.count, 'login')} "
            f"{between(tally.first, tally.last)} from {named(tally.origins)}; before, from {named(known)}.",
        )


RULE: Final = Rule(
    name="new-country",
    title="Login from a new country",
    severity=Severity.LOW,
    description=(
        "A successful login from a country from which the account has not logged in before, as far back as the history "
        "reaches. The first login of an account is no news, and private addresses are in no country. Needs the extra "
        "authctl[geo], or an MMDB file beside it."
    ),
    advice="Ask the owner whether they travel or use a VPN; if not, end the account's sessions and disable it.",
    thresholds=("country_history_days", "country_database"),
    find=find,
)

_Found = dict[tuple[str, str], tuple[Tally, frozenset[str]]]


def _new(source: EventSource, window: Window, days: timedelta, countries: Countries) -> _Found:
    """By user and country, the logins from there, and the countries that were known before."""
    known: dict[str, frozenset[str]] = {}
    found: _Found = {}
    if first_of(source, replace(LOGINS, since=window.since, until=window.until)) is None:
        return found
    wanted = replace(LOGINS, since=window.reaching_back(days), until=window.until)
    for email, event in events_of_users(source, wanted, _suspects(source, wanted, window, countries)):
        country = countries(event.ip_address) if event.ip_address is not None else None
        if country is None:
            continue
        before = known.get(email, frozenset())
        if country not in before:
            known[email] = before | {country}
            if before and event.created_at >= window.since and len(found) < MOST_FINDINGS:
                found[email, country] = Tally(email, event.created_at, event.created_at), before
        if (email, country) in found:
            found[email, country][0].take(event, country, 1)
    return found


def _suspects(source: EventSource, wanted: EventFilter, window: Window, countries: Countries) -> Names:
    """Who first logged in from some country within the window, after another one."""
    groups = source.groups(wanted, ("user_email", "ip_address"), top=MOST_GROUPS)
    if len(groups) >= MOST_GROUPS:
        return None
    firsts: dict[str, dict[str, datetime]] = {}
    for group in groups:
        email, address = group.values
        country = countries(address) if isinstance(address, str) else None
        if country is not None and isinstance(email, str):
            of_user = firsts.setdefault(email, {})
            of_user[country] = min(group.first, of_user.get(country, group.first))
    return frozenset(
        email for email, of_user in firsts.items() if len(of_user) > 1 and max(of_user.values()) >= window.since
    )
