"""Whoever has to be looked at is looked at, and of the others as few as groups can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authctl.server.audit.detect import candidates
from authctl.server.audit.detect.candidates import busy_origins, busy_users, events_of_origins, in_portions
from authctl.server.audit.detect.entries import LOGINS
from authctl.server.audit.detect.origins import network_of, origin_of
from authctl.server.storage.event_query import EventFilter
from tests.server.audit.detect.lists import NOON, Story

if TYPE_CHECKING:
    from collections.abc import Callable

EVERYTHING = EventFilter(since=NOON, until=NOON + timedelta(days=9))
ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")


def reaching(story: Story, name_of: Callable[[int], str], least: int, span: timedelta) -> set[str]:
    """The definition: who has so many events in some span."""
    names = [name_of(place) for place in range(len(story.events))]
    return {
        names[end]
        for end, last in enumerate(story.events)
        if sum(
            names[place] == names[end] and timedelta() <= last.created_at - event.created_at <= span
            for place, event in enumerate(story.events)
        )
        >= least
    }


@given(
    st.lists(st.tuples(st.integers(0, 400_000), st.sampled_from(ADDRESSES)), max_size=40).map(sorted),
    st.integers(1, 5),
    st.sampled_from([600, 3600, 30_000, 86_400, 200_000]),
    st.sampled_from([2, 4, 20_000]),
)
def test_nobody_who_reaches_the_threshold_is_passed_over(
    sightings: list[tuple[int, str]], least: int, seconds: int, most_groups: int
) -> None:
    story, span = Story(), timedelta(seconds=seconds)
    for second, address in sightings:
        story.fail(second, ip_address=address, user_email=address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "MOST_GROUPS", most_groups)
        origins = busy_origins(story.source(), EVERYTHING, least, span)
        users = busy_users(story.source(), EVERYTHING, least, span)
    addresses = [event.ip_address or "" for event in story.events]
    assert origins is None or reaching(story, lambda place: origin_of(addresses[place]), least, span) <= origins
    assert users is None or reaching(story, lambda place: addresses[place], least, span) <= users


def test_events_spread_over_hours_make_nobody_busy() -> None:
    story = Story()
    for hour in range(100):
        story.fail(hour * 3600)
        story.fail(hour * 3600 + 60)
    assert busy_origins(story.source(), EVERYTHING, 5, timedelta(minutes=10)) == frozenset()
    assert busy_origins(story.source(), EVERYTHING, 4, timedelta(minutes=10)) == frozenset({"203.0.113.66"})


def test_small_groups_that_are_left_out_do_not_make_everybody_suspect(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    for number in range(9):
        story.fail(number, user_email="busy@example.com", ip_address="192.0.2.1")
        story.fail(number, user_email=f"p{number}@example.com", ip_address=f"198.51.100.{number}")
    monkeypatch.setattr(candidates, "MOST_GROUPS", 4)
    assert busy_users(story.source(), EVERYTHING, 5, timedelta(minutes=10)) == frozenset({"busy@example.com"})
    assert busy_origins(story.source(), EVERYTHING, 5, timedelta(minutes=10)) == frozenset({"192.0.2.1"})


def test_an_ipv6_network_full_of_addresses_makes_everybody_suspect(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    for number in range(9):
        story.fail(number, ip_address=f"2001:db8::{number:x}")
    monkeypatch.setattr(candidates, "MOST_GROUPS", 4)
    assert busy_origins(story.source(), EVERYTHING, 5, timedelta(minutes=10)) is None


def test_many_places_are_asked_for_in_portions_and_very_many_at_once() -> None:
    places = [f"198.51.{number // 250}.{number % 250}" for number in range(501)]
    assert [len(one.networks) for one in in_portions(LOGINS, places[:250])] == [100, 100, 50]
    assert in_portions(LOGINS, places) == [LOGINS]
    assert in_portions(LOGINS, ["local", "192.0.2.1"]) == [LOGINS]
    assert in_portions(LOGINS, None) == [LOGINS]
    assert in_portions(LOGINS, []) == []


def test_only_events_of_the_places_asked_for_are_given() -> None:
    story = Story()
    for address in ("192.0.2.1", "local", None, "2001:db8::1"):
        story.fail(0, ip_address=address)
    wanted = replace(EVERYTHING, newest_first=True)
    found = events_of_origins(story.source(), wanted, frozenset({"local", "2001:db8::/64"}))
    assert [origin for origin, _ in found] == ["local", "2001:db8::/64"]
    assert network_of("local") is None
