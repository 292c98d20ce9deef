from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from authctl.server.audit.detect import bursts
from authctl.server.audit.detect.bursts import Bursts, Distinct
from authctl.server.audit.detect.interface import MOST_EVENTS
from tests.server.audit.detect.lists import Story

if TYPE_CHECKING:
    import pytest

SPAN = timedelta(seconds=60)


def seconds_in_bursts(times: list[int], threshold: int) -> set[int]:
    """The definition: positions of events that lie in any span with enough of them."""
    inside: set[int] = set()
    for end, last in enumerate(times):
        within = [place for place in range(end + 1) if last - times[place] <= SPAN.seconds]
        if len(within) >= threshold:
            inside.update(within)
    return inside


@given(st.lists(st.integers(0, 600), max_size=60).map(sorted), st.integers(1, 6))
def test_exactly_the_events_of_spans_with_enough_of_them_are_counted(times: list[int], threshold: int) -> None:
    story, seen = Story(), Bursts(threshold, SPAN)
    for second in times:
        event = story.fail(second)
        seen.see(event, "a", event.id)
    expected = seconds_in_bursts(times, threshold)
    found = [(tally.total, tally.first, tally.last) for tally in seen.found()]
    first, last = (story.events[ends(expected)].created_at for ends in (min, max)) if expected else (None, None)
    assert found == ([(len(expected), first, last)] if expected else [])


@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from("abcde")), max_size=60).map(sorted), st.integers(1, 4))
def test_different_values_reach_the_threshold_exactly_when_a_span_has_enough_of_them(
    sightings: list[tuple[int, str]], threshold: int
) -> None:
    story, seen = Story(), Bursts(threshold, SPAN)
    for second, value in sightings:
        seen.see(story.fail(second), "s", value)
    is_reached = any(
        len({value for second, value in sightings if 0 <= last - second <= SPAN.seconds}) >= threshold
        for last, _ in sightings
    )
    assert bool(seen.found()) == is_reached


def test_an_event_that_stands_for_many_is_not_enough_by_itself() -> None:
    story, seen = Story(), Bursts(10, SPAN)
    seen.see(story.fail(0), "a", "e0", weight=500)
    seen.see(story.fail(1), "a", "e1")
    assert seen.found() == []
    seen.see(story.fail(2), "a", "e2")
    assert [tally.count for tally in seen.found()] == [502]


def test_subjects_are_told_apart() -> None:
    story, seen = Story(), Bursts(2, SPAN)
    for number in range(4):
        seen.see(story.fail(number), "ab"[number % 2], f"e{number}")
    assert [(tally.subject, tally.total) for tally in seen.found()] == [("a", 2), ("b", 2)]


def test_events_of_one_value_beyond_those_that_are_kept_still_weigh() -> None:
    story, seen = Story(), Bursts(2, SPAN)
    for _ in range(MOST_EVENTS + 30):
        seen.see(story.fail(0), "a", "x")
    seen.see(story.fail(1), "a", "y")
    [tally] = seen.found()
    assert tally.count == MOST_EVENTS + 31


def test_whoever_has_been_quiet_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "_TIDY_EVERY", 10)
    story, seen = Story(), Bursts(2, SPAN)
    for number in range(1000):
        seen.see(story.fail(number * 100), f"s{number}", "x")
    assert len(seen._recent) <= 11


def test_tallies_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "MOST_FINDINGS", 3)
    story, seen = Story(), Bursts(1, SPAN)
    for number in range(10):
        seen.see(story.fail(number), f"s{number}", "x")
    assert [tally.subject for tally in seen.found()] == ["s0", "s1", "s2"]


def test_a_set_stops_growing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "MOST_DISTINCT", 2)
    distinct = Distinct()
    for value in ("b", None, "a", "b"):
        distinct.add(value)
    assert (list(distinct), len(distinct), distinct.is_full) == (["a", "b"], 2, False)
    distinct.add("c")
    assert (len(distinct), distinct.is_full, "c" in distinct) == (2, True, False)
