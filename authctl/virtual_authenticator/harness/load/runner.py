"""Runs a load: people, threads, the clock that ends it; yields what happens as events."""

from __future__ import annotations

import time
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.harness.load.events import Ended, Prepared, Running
from authctl.virtual_authenticator.harness.load.gauge import ClientCost, Gauge
from authctl.virtual_authenticator.harness.load.pace import Pace
from authctl.virtual_authenticator.harness.load.people import Crowd
from authctl.virtual_authenticator.harness.load.plan import LONGEST_SECONDS
from authctl.virtual_authenticator.harness.load.preparing import join, prepare
from authctl.virtual_authenticator.harness.load.recording import Recording, Snapshot
from authctl.virtual_authenticator.harness.load.report import Report
from authctl.virtual_authenticator.harness.load.worker import Shared, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authctl.virtual_authenticator.credential_store.interface import Credential
    from authctl.virtual_authenticator.harness.load.events import Event
    from authctl.virtual_authenticator.harness.load.plan import Plan
    from authctl.virtual_authenticator.harness.load.server import LoadedServer

INTERRUPTED: Final = "interrupted"
GONE: Final = "nothing answers any more"
_TICK_SECONDS: Final = 0.1
_EVENT_SECONDS: Final = 0.5
_HURRIED_SECONDS: Final = 1.0
"""How long operations may go on after the load is interrupted."""
_GONE_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 1.0
"""A load that ends with so long a silence ends for it."""
_GOODBYE_SECONDS: Final = 10.0


def run(
    plan: Plan, server: LoadedServer, *, known: Sequence[Credential] = (), stop: Flag | None = None
) -> Iterator[Event]:
    """Runs the plan. The last event is Ended, whatever happens after the people are ready.

    known  passkeys of people who have an account there
    stop   ends the load soon when it is set, with what is known then

    Raises what preparing raises: ServerUnreachable when nothing answers, CeremonyError when a ceremony without a fault
    is not accepted, UsageError when the recipe reads no profile and the mix does.
    """
    stop = stop or Flag()
    crowd = Crowd(server.described)
    try:
        yield from prepare(crowd, plan, known, stop)
        if stop.is_set():
            yield Ended(Report(plan, Snapshot({}), 0.0, ClientCost(0.0, 0.0), stopped=INTERRUPTED))
            return
        yield Prepared(crowd.passkeys)
        load = _Load(plan, crowd, server, stop)
        yield from load.events()
        yield Ended(load.report())
    finally:
        _see_off(crowd, stop)


class _Load:
    """What is measured, from its first thread to its last."""

    def __init__(self, plan: Plan, crowd: Crowd, server: LoadedServer, stop: Flag) -> None:
        self._plan = plan
        self._server = server
        self._stop = stop
        self._started = time.perf_counter()
        self._from = self._started + plan.ramp
        self._until = self._from + min(plan.seconds or LONGEST_SECONDS, LONGEST_SECONDS)
        self._gauge = Gauge(server.cpu)
        self._cost = ClientCost(0.0, 0.0)
        self._stopped = ""
        self._unfinished = 0
        # Whoever is told to wait is not waited for: the wait would count as the server's time.
        crowd.server.patience = 0.0
        self._recording = Recording(self._from)
        self._pace = Pace(plan, self._started, self._until)
        self._shared = Shared(crowd, server.metered, self._pace, self._recording, Flag())
        self._threads: list[Thread] = []

    def events(self) -> Iterator[Event]:
        """Begins, goes on until the end, and waits for what has no end yet."""
        try:
            self._begin()
            yield from self._running()
            self._cost = self._gauge.stop()
            self._recording.measures_until = self._until
            self._shared.stopping.set()
            yield from self._ending()
        except GeneratorExit:
            # Whoever does not read on wants nothing more to be sent.
            self._shared.stopping.set()
            join(self._threads)
            raise
        finally:
            self._shared.stopping.set()
            self._gauge.stop()

    def report(self) -> Report:
        """All that was seen."""
        return Report(
            self._plan,
            self._recording.snapshot(),
            self._measured(self._until),
            self._cost,
            unmade=self._pace.unmade(self._until),
            unfinished=self._unfinished,
            stopped=self._stopped,
            is_gone=self._stopped == GONE,
        )

    def _begin(self) -> None:
        number = self._plan.concurrency
        # In the open model the ramp is in the moments, and everybody is there from the beginning.
        gap = 0.0 if self._plan.rate else self._plan.ramp / number
        self._gauge.start()
        for place in range(number):
            worker = Worker(self._shared, gap * place)
            thread = Thread(target=worker.run, name=f"authctl-load-{place}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _running(self) -> Iterator[Event]:
        said, is_measuring = self._started, not self._plan.ramp
        while not self._is_over(now := time.perf_counter()):
            if not is_measuring and now >= self._from:
                is_measuring = True
                self._gauge.start()
            if now - said >= _EVENT_SECONDS:
                said = now
                yield Running(self._recording.snapshot(), self._measured(now))
            self._stop.wait(min(_TICK_SECONDS, max(0.0, self._until - now)))

    def _is_over(self, now: float) -> bool:
        lost = self._recording.lost_since
        if self._stop.is_set():
            self._stopped = INTERRUPTED
        elif lost is not None and now - lost > max(_GONE_SECONDS, 2 * self._server.timeout):
            self._stopped = GONE
        elif now < self._until:
            if any(thread.is_alive() for thread in self._threads):
                return False
            # Everything that was to be done is done.
            self._until = self._recording.ended
            return True
        elif lost is not None and now - lost > _SILENT_SECONDS:
            self._stopped = GONE
        self._until = min(self._until, now)
        return True

    def _ending(self) -> Iterator[Event]:
        ends = time.perf_counter() + 2 * self._server.timeout + _HURRIED_SECONDS
        while alive := [thread for thread in self._threads if thread.is_alive()]:
            if self._stop.is_set():
                ends = min(ends, time.perf_counter() + _HURRIED_SECONDS)
            if time.perf_counter() > ends:
                self._unfinished = len(alive)
                return
            yield Running(self._recording.snapshot(), self._measured(self._until))
            alive[0].join(_TICK_SECONDS)

    def _measured(self, now: float) -> float:
        return max(0.0, now - self._from)


def _see_off(crowd: Crowd, stop: Flag) -> None:
    """Undoes what the recipe can undo, for a while."""
    ends = time.monotonic() + _GOODBYE_SECONDS
    for person in crowd.leave():
        if stop.is_set() or time.monotonic() > ends:
            return
        person.visit.close()
