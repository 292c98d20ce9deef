"""Finds, in a stream of events in order of time, who did too much within too short a time; memory stays flat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authctl.server.audit.detect.interface import MOST_EVENTS, MOST_FINDINGS, Finding
from authctl.server.audit.detect.origins import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from authctl.server.audit.detect.interface import Kind, Rule, Severity
    from authctl.server.audit.records import EventRecord

MOST_DISTINCT: Final = 1000
"""Different values that a tally tells apart; of more it says only that they are more."""
FEWEST_SEEN: Final = 3
"""Events that a burst consists of at least, however much they weigh."""
_TIDY_EVERY: Final = 10_000


class Distinct:
    """A set that stops growing."""

    __slots__ = ("_values", "is_full")

    def __init__(self) -> None:
        self._values: set[str] = set()
        self.is_full = False

    def add(self, value: str | None) -> None:
        """Takes a value; None is none."""
        if value is None or value in self._values:
            return
        if len(self._values) < MOST_DISTINCT:
            self._values.add(value)
        else:
            self.is_full = True

    def __contains__(self, value: object) -> bool:
        return value in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))


@dataclass(slots=True)
class Tally:
    """What one subject did in all of its bursts.

    count     how often, with what was only counted
    events    the first ids, in order of time
    total     how many events
    """

    subject: str
    first: datetime
    last: datetime
    count: int = 0
    events: list[str] = field(default_factory=list)
    total: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    emails: Distinct = field(default_factory=Distinct)
    origins: Distinct = field(default_factory=Distinct)
    values: Distinct = field(default_factory=Distinct)

    def take(self, event: EventRecord, value: str, weight: int) -> None:
        """Counts one event in."""
        self.first = min(self.first, event.created_at)
        self.last = max(self.last, event.created_at)
        self.count += weight
        self.total += 1
        if len(self.events) < MOST_EVENTS:
            self.events.append(event.id)
        if event.reason is not None:
            self.reasons[event.reason] += weight
        self.emails.add(event.user_email)
        self.origins.add(None if event.ip_address is None else origin_of(event.ip_address))
        self.values.add(value)

    def finding(
        self, rule: Rule, kind: Kind, sentence: str, *, severity: Severity | None = None, also: Sequence[str] = ()
    ) -> Finding:
        """What there is to say about the subject; `also` are ids of further events that say something about it."""
        return Finding(
            rule=rule.name,
            severity=severity or rule.severity,
            kind=kind,
            subject=self.subject,
            sentence=sentence,
            first=self.first,
            last=self.last,
            count=self.count,
            events=tuple(sorted((*self.events[: MOST_EVENTS - len(also)], *also))),
            total_events=self.total + len(also),
            advice=rule.advice,
        )


@dataclass(slots=True)
class _Value:
    """One value that was seen of late, and its events as long as no tally has them."""

    last: datetime
    weight: int = 1
    events: list[EventRecord] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)

    def add(self, event: EventRecord, weight: int) -> None:
        """Keeps the event; of many, only how much they weigh."""
        self.last = event.created_at
        if len(self.events) < MOST_EVENTS:
            self.events.append(event)
            self.weights.append(weight)
        else:
            self.weights[-1] += weight

    def give(self, tally: Tally, value: str) -> None:
        """Hands the events over."""
        for event, weight in zip(self.events, self.weights, strict=True):
            tally.take(event, value, weight)
        self.events.clear()
        self.weights.clear()


class _Recent:
    """What one subject did of late, never much more than the threshold: values by when they were last seen."""

    __slots__ = ("values", "weight")

    def __init__(self) -> None:
        self.values: dict[str, _Value] = {}
        self.weight = 0

    @property
    def oldest(self) -> _Value:
        """The value that was not seen for longest."""
        return next(iter(self.values.values()))

    @property
    def newest(self) -> _Value:
        """The value that was seen last."""
        return next(reversed(self.values.values()))

    def put(self, event: EventRecord, value: str, weight: int) -> None:
        """The value was seen."""
        known = self.drop(value) or _Value(event.created_at, weight)
        known.add(event, weight)
        self.values[value] = known
        self.weight += known.weight

    def drop(self, value: str) -> _Value | None:
        """Takes the value out."""
        known = self.values.pop(value, None)
        self.weight -= 0 if known is None else known.weight
        return known

    def drop_oldest(self) -> None:
        """Takes out the value that was not seen for longest."""
        self.drop(next(iter(self.values)))


class Bursts:
    """Tells which subjects reach a threshold of different values within a span.

    For plain counts each event is a value of its own. Events have to come in order of time. All events of a value that
    was seen within the span belong to the burst.

    An event that stands for several weighs as much as they do, but whoever is to be accused has to have been seen a few
    times: the service counts what exceeds a limit of everybody's under the address of one of them.
    """

    def __init__(self, threshold: int, span: timedelta) -> None:
        self._threshold = threshold
        self._fewest = min(threshold, FEWEST_SEEN)
        self._span = span
        self._recent: dict[str, _Recent] = {}
        self._tallies: dict[str, Tally] = {}
        self._seen = 0

    def see(self, event: EventRecord, subject: str, value: str, *, weight: int = 1) -> None:
        """One event of a subject; with a `weight` that is not 1, the value has to be its own."""
        self._tidy(event.created_at)
        recent = self._recent.get(subject)
        if recent is None:
            recent = self._recent[subject] = _Recent()
        recent.put(event, value, weight)
        while event.created_at - recent.oldest.last > self._span:
            recent.drop_oldest()
        if not self._is_enough(len(recent.values), recent.weight):
            return
        self._tell(subject, recent, event.created_at)
        # What is told is kept only as far as the next event needs it to be in a burst too.
        while self._is_enough(len(recent.values) - 1, recent.weight - recent.oldest.weight):
            recent.drop_oldest()

    def found(self) -> list[Tally]:
        """Of every subject that reached the threshold, its tally."""
        return list(self._tallies.values())

    def _is_enough(self, values: int, weight: int) -> bool:
        return values >= self._fewest and weight >= self._threshold

    def _tell(self, subject: str, recent: _Recent, now: datetime) -> None:
        tally = self._tallies.get(subject)
        if tally is None:
            if len(self._tallies) >= MOST_FINDINGS:
                return
            tally = self._tallies[subject] = Tally(subject, now, now)
        for value, known in recent.values.items():
            known.give(tally, value)

    def _tidy(self, now: datetime) -> None:
        """Lets go of subjects that have been quiet for longer than the span."""
        self._seen += 1
        if self._seen % _TIDY_EVERY == 0:
            recent = self._recent.items()
            for subject in [name for name, one in recent if not one.values or now - one.newest.last > self._span]:
                del self._recent[subject]
