"""Times in fixed memory: a histogram whose columns grow with the value, so that each is right to one percent."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate
from typing import Final

_BITS: Final = 8
"""Values below 2 ** 8 microseconds have a column each; above, the first eight binary digits tell the column."""
_HALF: Final = 1 << (_BITS - 1)
_LARGEST: Final = (1 << 36) - 1  # nineteen hours
_COLUMNS: Final = (36 - _BITS) * _HALF + (1 << _BITS)


class Histogram:
    """How often which time was measured; 33 KB, however many there are."""

    __slots__ = ("_counts", "count", "highest", "lowest", "total")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * _COLUMNS))
        self.count = 0
        self.total = 0.0
        self.lowest = 0.0
        self.highest = 0.0

    def record(self, seconds: float) -> None:
        """Counts one time; what is below zero is a clock's fault and counts as zero."""
        seconds = max(0.0, seconds)
        self._counts[_column(min(_LARGEST, int(seconds * 1e6)))] += 1
        self.lowest = min(seconds, self.lowest) if self.count else seconds
        self.highest = max(seconds, self.highest)
        self.count += 1
        self.total += seconds

    def add(self, other: Histogram) -> None:
        """Counts everything that another one has."""
        if not other.count:
            return
        self._counts = array("Q", map(int.__add__, self._counts, other._counts))
        self.lowest = min(self.lowest, other.lowest) if self.count else other.lowest
        self.highest = max(self.highest, other.highest)
        self.count += other.count
        self.total += other.total

    def copy(self) -> Histogram:
        """One with the same times, which stays as it is."""
        other = Histogram()
        other._counts = array("Q", self._counts)
        other.count, other.total, other.lowest, other.highest = self.count, self.total, self.lowest, self.highest
        return other

    @property
    def mean(self) -> float:
        """The mean, in seconds; 0 when there is nothing."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """The seconds within which so many percent of the times lie, at most 0.8 % too high; 0 when there is none."""
        if not self.count:
            return 0.0
        # Half a thousandth is not one more: 99.9 % of 1000 are 999.
        wanted = max(1, -int(-(percent * self.count / 100 - 1e-9) // 1))
        column = bisect_left(list(accumulate(self._counts)), wanted)
        return max(self.lowest, min(self.highest, (_first(column + 1) - 1) / 1e6))

    def bars(self, most: int) -> list[tuple[float, float, int]]:
        """From, to and how many, for at most so many columns of equal proportion between the lowest and the highest."""
        used = [column for column, number in enumerate(self._counts) if number]
        if not used:
            return []
        first, last = used[0], used[-1]
        # Columns of this histogram are of nearly equal proportion, but for those below 2 ** 8 microseconds.
        width = -(-(last - first + 1) // most)
        return [
            (_first(begin) / 1e6, _first(begin + width) / 1e6, sum(self._counts[begin : begin + width]))
            for begin in range(first, last + 1, width)
        ]


def _column(microseconds: int) -> int:
    shift = max(0, microseconds.bit_length() - _BITS)
    return shift * _HALF + (microseconds >> shift)


def _first(column: int) -> int:
    """The least value of a column."""
    shift = max(0, column // _HALF - 1)
    return (column - shift * _HALF) << shift
