"""Measures the client itself, so that its own limits are not taken for the server's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.harness.load.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_SECONDS: Final = 0.01
MOST_CPU: Final = 0.9
"""Of one core, which is all that one Python process has: with more than this, there is nothing left to wait with."""
_SLEEP_SECONDS: Final = 0.0001
"""How much later than asked a machine with nothing else to do wakes a thread."""
_TURNS: Final = 4
"""How often in two requests a thread waits for its turn: after each message that it sends or receives."""
_MOST_DELAY: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class ClientCost:
    """What the client used.

    cpu_seconds  of all its threads
    seconds      on the clock
    lag          how much later than it asked a thread gets its turn
    server_cpu   seconds of the processor that the server used meanwhile; None when that cannot be known
    """

    cpu_seconds: float
    seconds: float
    lag: Histogram = field(default_factory=Histogram)
    server_cpu: float | None = None

    @property
    def share(self) -> float:
        """Of one core."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def delay(self) -> float:
        """About how many seconds of a ceremony its thread was ready and not in turn."""
        return _TURNS * max(0.0, self.lag.mean - _SLEEP_SECONDS)

    def limit(self, latency: float) -> str:
        """Why the figures are the client's limit, given the mean latency; empty when they are the server's."""
        if self.share >= MOST_CPU:
            return f"the client used {self.share:.0%} of the one core that it can use"
        if latency and self.delay >= latency * _MOST_DELAY:
            turn = (
                f"{1000 * self.lag.mean:.1f} ms for each turn, about {1000 * self.delay:.1f} of {1000 * latency:.1f} ms"
            )
            return f"its threads waited {turn}: this machine has too much to do"
        return ""


class Gauge:
    """Measures from `start` to `stop`.

    server_cpu  the seconds of the processor that the server has used so far, where somebody can tell
    """

    def __init__(self, server_cpu: Callable[[], float] | None = None) -> None:
        self._lag = Histogram()
        self._server_cpu = server_cpu
        self._server_began = 0.0
        self._stop = Flag()
        self._started = self._cpu = 0.0

    def start(self) -> None:
        """Begins, or begins anew."""
        self._stop.set()
        self._lag, self._stop = Histogram(), Flag()
        self._server_began = self._server_cpu() if self._server_cpu else 0.0
        self._started, self._cpu = time.perf_counter(), time.process_time()
        Thread(target=_watch, args=(self._lag, self._stop), name="authctl-load-lag", daemon=True).start()

    def stop(self) -> ClientCost:
        """Ends, and tells what there was."""
        self._stop.set()
        spent = (time.process_time() - self._cpu, time.perf_counter() - self._started)
        server = self._server_cpu() - self._server_began if self._server_cpu else None
        return ClientCost(*spent, self._lag, server)


def _watch(lag: Histogram, stop: Flag) -> None:
    while not stop.is_set():
        asked = time.perf_counter()
        time.sleep(_EVERY_SECONDS)
        lag.record(time.perf_counter() - asked - _EVERY_SECONDS)
