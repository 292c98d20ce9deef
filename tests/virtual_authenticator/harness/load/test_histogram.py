"""Percentiles in fixed memory are those of all times, to one percent."""

from __future__ import annotations

import math
from random import Random

import pytest

from authctl.virtual_authenticator.harness.load.histogram import Histogram

PERCENTS = (0.0, 1.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0)


def filled(times: list[float]) -> Histogram:
    histogram = Histogram()
    for seconds in times:
        histogram.record(seconds)
    return histogram


def exact(times: list[float], percent: float) -> float:
    """The definition: the least time within which so many percent lie."""
    ordered = sorted(times)
    return ordered[max(1, math.ceil(percent * len(times) / 100 - 1e-9)) - 1]


@pytest.mark.parametrize("seed", range(20))
def test_every_percentile_is_right_to_one_percent(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # no secret
    times = [random.lognormvariate(random.choice((-9, -5, -1)), 1.5) for _ in range(random.choice((1, 7, 1000, 4000)))]
    histogram = filled(times)
    assert (histogram.count, histogram.lowest, histogram.highest) == (len(times), min(times), max(times))
    assert histogram.mean == pytest.approx(sum(times) / len(times))
    for percent in PERCENTS:
        wanted = exact(times, percent)
        assert wanted - 1e-6 <= histogram.percentile(percent) <= wanted * 1.008 + 2e-6


def test_every_time_has_a_place_when_it_is_beyond_reason() -> None:
    histogram = filled([0.0, -1.0, 1e-9, 2.0**40])
    assert (histogram.lowest, histogram.highest) == (0.0, 2.0**40)
    assert histogram.percentile(50) < 1e-5
    assert histogram.percentile(100) > 60_000


def test_what_is_added_is_what_was_measured_together() -> None:
    random = Random(1)  # noqa: S311  # no secret
    first, second = ([random.expovariate(100) for _ in range(500)] for _ in range(2))
    one, other, both = filled(first), filled(second), filled(first + second)
    kept = one.copy()
    one.add(other)
    one.add(Histogram())
    assert [one.percentile(percent) for percent in PERCENTS] == [both.percentile(percent) for percent in PERCENTS]
    assert (one.count, one.lowest, one.highest) == (both.count, both.lowest, both.highest)
    assert kept.count == 500
    empty = Histogram()
    empty.add(other)
    assert (empty.lowest, empty.highest, empty.count) == (other.lowest, other.highest, 500)


def test_an_empty_one_tells_nothing() -> None:
    empty = Histogram()
    assert (empty.percentile(99), empty.mean, empty.bars(10)) == (0.0, 0.0, [])


@pytest.mark.parametrize("most", [1, 10, 60, 300])
def test_bars_hold_every_time_and_touch(most: int) -> None:
    random = Random(2)  # noqa: S311  # no secret
    times = [random.expovariate(50) for _ in range(1000)]
    bars = filled(times).bars(most)
    assert 1 <= len(bars) <= most
    assert sum(number for _, _, number in bars) == 1000
    assert [high for _, high, _ in bars[:-1]] == [low for low, _, _ in bars[1:]]
    for low, high, number in bars:
        assert number == sum(low <= int(seconds * 1e6) / 1e6 < high for seconds in times)
