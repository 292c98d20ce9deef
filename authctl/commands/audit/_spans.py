"""Divides a stretch of time into bars that a person can read: minutes, hours or days, as many as there is room for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.server.audit.records import Group

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS: Final = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 30, 90, 365)),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spans:
    """Equal spans of UTC time, one after the other.

    seconds  how long each is: whole minutes
    """

    start: datetime
    seconds: int
    number: int

    @property
    def unit(self) -> str:
        """The coarsest column that divides the spans."""
        return "minute" if self.seconds < _HOUR else "hour" if self.seconds < _DAY else "day"

    @property
    def words(self) -> str:
        """How long a span is, in words: "15 minutes", "hour", "2 days"."""
        units = ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"))
        length, name = next(unit for unit in units if self.seconds % unit[0] == 0)
        number = self.seconds // length
        return name if number == 1 else f"{number} {name}s"

    def sums(self, groups: Iterable[Group]) -> list[tuple[datetime, int, int]]:
        """The beginning, the events and the failures of each span, out of groups by `unit`."""
        totals, failures = [0] * self.number, [0] * self.number
        for group in groups:
            place = int((_beginning(str(group.values[0])) - self.start).total_seconds() // self.seconds)
            if 0 <= place < self.number:
                totals[place] += group.total
                failures[place] += group.failures
        beginnings = (self.start + timedelta(seconds=self.seconds * place) for place in range(self.number))
        return list(zip(beginnings, totals, failures, strict=True))


def spans_between(first: datetime, last: datetime, most: int) -> Spans:
    """The shortest spans of which at most `most` reach from the first to the last moment."""
    for step in (*_STEPS, *(years * 365 * _DAY for years in range(2, 10_000))):
        start = _floor(first, step)
        number = int((last - start).total_seconds() // step) + 1
        if number <= max(1, most):
            break
    return Spans(start, step, max(1, number))


def _floor(moment: datetime, step: int) -> datetime:
    seconds = (moment - _EPOCH).total_seconds()
    return _EPOCH + timedelta(seconds=seconds // step * step)


def _beginning(name: str) -> datetime:
    return datetime.fromisoformat(name).replace(tzinfo=UTC)
