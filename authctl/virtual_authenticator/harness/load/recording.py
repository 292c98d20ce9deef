"""What a load has seen so far: times per operation and step, failures by kind with the first reason of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.harness.load.histogram import Histogram

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.load.plan import Operation


class Kind(StrEnum):
    """Why an operation did not succeed.

    REFUSED       the server said no
    LIMITED       it limits the rate: 429, or 503 that says until when
    CRASHED       500 and above, or a connection that closes without an answer
    TIMEOUT       no answer in time
    UNREACHABLE   nothing listens there
    INCONCLUSIVE  an answer that no rule knows: a page, a redirect, no options
    CLIENT        the client or its authenticator would not do what the options say
    """

    REFUSED = "refused"
    LIMITED = "limited"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    INCONCLUSIVE = "inconclusive"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in which step, and what the server said of it, which is untrusted."""

    kind: Kind
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One operation that has ended; times are of `time.perf_counter`.

    began    when it was to begin, in the open model; else when it began
    late     how much later than that it did
    is_lost  whether its last request got no answer
    steps    the seconds of each step by its name
    retries  requests that were sent again because the connection closed
    pause    seconds that the server asks to stay away
    """

    operation: Operation
    began: float
    ended: float
    steps: tuple[tuple[str, float], ...]
    failure: Failure | None = None
    late: float = 0.0
    is_measured: bool = True
    is_lost: bool = False
    retries: int = 0
    pause: float = 0.0


@dataclass(slots=True)
class Tally:
    """All samples of one operation; times are those of operations that succeeded.

    completed  successes that ended while the load was on, which is what the rate is made of
    """

    latency: Histogram = field(default_factory=Histogram)
    steps: dict[str, Histogram] = field(default_factory=dict)
    failures: dict[Kind, int] = field(default_factory=dict)
    completed: int = 0

    @property
    def failed(self) -> int:
        """How many did not succeed."""
        return sum(self.failures.values())

    def count(self, sample: Sample) -> None:
        """Counts one."""
        if sample.failure is not None:
            self.failures[sample.failure.kind] = self.failures.get(sample.failure.kind, 0) + 1
            return
        self.latency.record(sample.ended - sample.began)
        for name, seconds in sample.steps:
            if name not in self.steps:
                self.steps[name] = Histogram()
            self.steps[name].record(seconds)

    def copy(self) -> Tally:
        """One that stays as it is."""
        steps = {name: histogram.copy() for name, histogram in self.steps.items()}
        return Tally(self.latency.copy(), steps, dict(self.failures), self.completed)


@dataclass(slots=True)
class Snapshot:
    """What is known at one moment.

    tallies    of what was measured
    first      the first failure of each kind, of all that was done
    unmeasured operations of the ramp
    behind     operations of the open model that began noticeably later than they were to
    """

    tallies: dict[Operation, Tally]
    first: dict[Kind, Failure] = field(default_factory=dict)
    unmeasured: int = 0
    behind: int = 0
    retries: int = 0

    @property
    def succeeded(self) -> int:
        """How many measured operations did."""
        return sum(tally.latency.count for tally in self.tallies.values())

    @property
    def failed(self) -> int:
        """How many measured operations did not."""
        return sum(tally.failed for tally in self.tallies.values())

    @property
    def completed(self) -> int:
        """How many succeeded while the load was on."""
        return sum(tally.completed for tally in self.tallies.values())

    @property
    def latency(self) -> Histogram:
        """That of all operations together."""
        together = Histogram()
        for tally in self.tallies.values():
            together.add(tally.latency)
        return together


BEHIND_SECONDS = 0.01


class Recording:
    """Where workers leave their samples.

    measures_from  when the ramp is over
    measures_until when the load ends; what ends later has its time counted, and is no part of the rate
    ended          when the last sample did
    lost_since     when the first of a row of samples without an answer did; None when the last one had an answer
    """

    def __init__(self, measures_from: float) -> None:
        self.measures_from = measures_from
        self.measures_until = float("inf")
        self.ended = measures_from
        self.lost_since: float | None = None
        self._lock = Lock()
        self._seen = Snapshot({})

    def record(self, sample: Sample) -> None:
        """Counts a sample."""
        with self._lock:
            seen, failure = self._seen, sample.failure
            if failure is not None:
                seen.first.setdefault(failure.kind, failure)
            self.ended = max(self.ended, sample.ended)
            self.lost_since = (self.lost_since or sample.ended) if sample.is_lost else None
            tally = seen.tallies.get(sample.operation) or seen.tallies.setdefault(sample.operation, Tally())
            is_in = self.measures_from <= sample.ended <= self.measures_until
            tally.completed += failure is None and is_in
            if not sample.is_measured:
                seen.unmeasured += 1
                return
            seen.retries += sample.retries
            seen.behind += sample.late > BEHIND_SECONDS
            tally.count(sample)

    def snapshot(self) -> Snapshot:
        """What is known now, which stays as it is."""
        with self._lock:
            seen = self._seen
            tallies = {operation: tally.copy() for operation, tally in sorted(seen.tallies.items())}
            return Snapshot(tallies, dict(seen.first), seen.unmeasured, seen.behind, seen.retries)
