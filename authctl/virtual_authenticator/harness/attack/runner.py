"""Plays cases on several threads, each with its own way to the server, and yields what happens as events."""

from __future__ import annotations

import time
from dataclasses import dataclass
from queue import Empty
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.harness.attack.events import Began, Ended
from authctl.virtual_authenticator.harness.attack.targets import require_control
from authctl.virtual_authenticator.harness.attack.worker import Left, Shared, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.virtual_authenticator.harness.attack.events import Event
    from authctl.virtual_authenticator.harness.attack.plan import Plan
    from authctl.virtual_authenticator.harness.attack.targets import Target

INTERRUPTED: Final = "interrupted"
OUT_OF_TIME: Final = "the time for the run is over"
_TICK_SECONDS: Final = 0.1
_ENDING_SECONDS: Final = 5.0
"""How long cases that are being played may go on after the run is stopped."""


def run(plan: Plan, open_target: Callable[[], Target], stop: Flag | None = None) -> Iterator[Event]:
    """Plays the plan. The first event is Began and the last Ended; each case that was played has a CaseEnded.

    open_target  called once per thread
    stop         ends the run soon when it is set

    Raises ServerUnreachable when nothing answers at first, CannotTest when a ceremony without a fault is not accepted.
    """
    started = time.monotonic()
    shared = Shared(plan, stop or Flag())
    first = open_target()
    try:
        require_control(first.lab(Needs()))
    except BaseException:
        first.close()
        raise
    yield Began(first.name, len(plan.cases))
    crew = _Crew(shared, started)
    try:
        crew.start(first, open_target)
        yield from crew.events()
    finally:
        # Whoever does not read on wants nothing more to be sent.
        shared.stopping.set()
    yield Ended(time.monotonic() - started, shared.why, shared.is_gone)


@dataclass(slots=True)
class _Crew:
    """The threads of one run."""

    shared: Shared
    started: float
    _present: int = 0
    _last_call: float | None = None

    def start(self, first: Target, open_target: Callable[[], Target]) -> None:
        plan = self.shared.plan
        self._present = max(1, min(plan.jobs, len(plan.cases)))
        for place in range(self._present):
            worker = Worker(self.shared, (lambda: first) if place == 0 else open_target)
            Thread(target=worker.run, name=f"authctl-attack-{place}", daemon=True).start()

    def events(self) -> Iterator[Event]:
        """What the threads say, until all have left or the run was stopped and those that remain hang."""
        while self._present and not self._is_over():
            try:
                said = self.shared.said.get(timeout=_TICK_SECONDS)
            except Empty:
                continue
            if isinstance(said, Left):
                self._present -= 1
            else:
                yield said
        is_whole = not self._present and self.shared.are_all_taken
        if self.shared.stopping.is_set() and not self.shared.why and not is_whole:
            self.shared.why = INTERRUPTED

    def _is_over(self) -> bool:
        now, limit = time.monotonic(), self.shared.plan.seconds
        if limit is not None and now - self.started > limit:
            self.shared.stop(OUT_OF_TIME)
        if not self.shared.stopping.is_set():
            return False
        self._last_call = self._last_call or now
        return now - self._last_call > _ENDING_SECONDS
