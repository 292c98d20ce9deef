"""Which rows a file holds: per writer a few ranges of sequences, so that millions of lines take no memory."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from authctl.server.audit.lines import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE = 1 << 20


class Ranges:
    """A set of positive integers that mostly come in order."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    @property
    def first(self) -> int:
        """The smallest member, or 0 when there is none."""
        return self._starts[0] if self._starts else 0

    @property
    def last(self) -> int:
        """The largest member, or 0 when there is none."""
        return self._ends[-1] if self._ends else 0

    def add(self, number: int) -> bool:
        """Puts a number in; False when it was there."""
        if self._ends and number == self._ends[-1] + 1:  # nearly always
            self._ends[-1] = number
            return True
        place = bisect_right(self._starts, number)
        if place and number <= self._ends[place - 1]:
            return False
        joins_left = place > 0 and self._ends[place - 1] == number - 1
        joins_right = place < len(self._starts) and self._starts[place] == number + 1
        if joins_left and joins_right:
            self._ends[place - 1] = self._ends.pop(place)
            self._starts.pop(place)
        elif joins_left:
            self._ends[place - 1] = number
        elif joins_right:
            self._starts[place] = number
        else:
            self._starts.insert(place, number)
            self._ends.insert(place, number)
        return True

    def next_absent(self, number: int) -> int:
        """The first number from this one on that is no member."""
        place = bisect_right(self._starts, number)
        return self._ends[place - 1] + 1 if place and number <= self._ends[place - 1] else number

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number)
        return place > 0 and number <= self._ends[place - 1]


class Coverage:
    """What was seen of a growing file so far."""

    __slots__ = ("_by_writer", "_offset", "_rest")

    def __init__(self) -> None:
        self._by_writer: dict[str, Ranges] = {}
        self._offset = 0
        self._rest = b""

    def of(self, writer_id: str) -> Ranges:
        """The rows of one writer."""
        return self._by_writer.setdefault(writer_id, Ranges())

    def catch_up(self, read: Callable[[int, int], bytes]) -> None:
        """Reads on to the end; `read(offset, size)` gives bytes of the file."""
        for line in self._new_lines(read):
            place = place_of(line)
            if place is not None:
                self.of(place[0]).add(place[1])

    def _new_lines(self, read: Callable[[int, int], bytes]) -> Iterator[bytes]:
        while piece := read(self._offset, _PIECE):
            self._offset += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            yield from lines
