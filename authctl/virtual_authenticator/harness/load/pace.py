"""Says when the next operation begins, and which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.load.plan import Operation, Plan


@dataclass(frozen=True, slots=True)
class Ticket:
    """One operation to begin.

    planned      when, on the clock of `time.perf_counter`; None for at once
    is_measured  whether the ramp is over by then
    """

    operation: Operation
    planned: float | None = None
    is_measured: bool = True


class Pace:
    """Hands out tickets to whoever is free.

    In the open model they are for fixed moments, whether the server keeps up or not: evenly spaced, growing evenly from
    nothing during the ramp.
    """

    def __init__(self, plan: Plan, started: float, ends: float = inf) -> None:
        self._plan = plan
        self._started = started
        self._ends = ends
        self._measures_from = started + plan.ramp
        self._random = Random(plan.seed)  # noqa: S311  # chooses what to do, and no secret
        self._operations = tuple(plan.mix)
        self._weights = tuple(plan.mix.values())
        self._lock = Lock()
        self._taken = 0
        self._measured = 0
        self._unused: list[float] = []

    def take(self, now: float) -> Ticket | None:
        """The next ticket; None when there are no more."""
        with self._lock:
            planned = self._moment(self._taken)
            is_measured = (now if planned is None else planned) >= self._measures_from
            if planned is not None and planned >= self._ends:
                return None
            if is_measured:
                if self.is_spent:
                    return None
                self._measured += 1
            self._taken += 1
            (operation,) = self._random.choices(self._operations, self._weights)
        return Ticket(operation, planned, is_measured)

    def give_back(self, ticket: Ticket) -> None:
        """Takes back a ticket that came to nothing because the load is over."""
        if ticket.planned is not None:
            with self._lock:
                self._unused.append(ticket.planned)

    @property
    def is_spent(self) -> bool:
        """Whether all that was to be counted has begun."""
        return self._measured == self._plan.count

    def unmade(self, now: float) -> int:
        """How many operations of the open model were to have begun by now and were given to nobody."""
        with self._lock:
            number = self._taken
            while (moment := self._moment(number)) is not None and moment < now and not self._is_last(number):
                number += 1
            return number - self._taken + sum(moment < now for moment in self._unused)

    def _is_last(self, number: int) -> bool:
        left = None if self._plan.count is None else self._plan.count - self._measured
        return left is not None and number - self._taken >= left

    def _moment(self, number: int) -> float | None:
        rate, ramp = self._plan.rate, self._plan.ramp
        if rate is None:
            return None
        in_ramp = rate * ramp / 2
        if number < in_ramp:
            return self._started + sqrt(2 * number * ramp / rate)
        return self._started + ramp + (number - in_ramp) / rate
