"""A user logs in from a country that they have not logged in from before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.bursts import Tally
from authctl.server.audit.detect.candidates import first_of
from authctl.server.audit.detect.countries import open_countries
from authctl.server.audit.detect.entries import LOGINS
from authctl.server.audit.detect.interface import MOST_FINDINGS, Kind, Rule, Severity
from authctl.server.audit.detect.sentences import between, counted, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.detect.countries import Countries
    from authctl.server.audit.detect.interface import Finding, Thresholds, Window
    from authctl.server.audit.records import EventSource


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
    wanted = replace(LOGINS, since=window.reaching_back(days), until=window.until, newest_first=False)
    for event in source.events(wanted):
        country = countries(event.ip_address) if event.ip_address is not None else None
        if country is None or event.user_email is None:
            continue
        pair = event.user_email, country
        before = known.get(event.user_email, frozenset())
        if country not in before:
            known[event.user_email] = before | {country}
            if before and event.created_at >= window.since and len(found) < MOST_FINDINGS:
                found[pair] = Tally(event.user_email, event.created_at, event.created_at), before
        if pair in found:
            found[pair][0].take(event, country, 1)
    return found
