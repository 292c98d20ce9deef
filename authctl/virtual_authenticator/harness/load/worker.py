"""One thread of a load: takes tickets and performs them until there are none."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.harness.load.operations import perform

if TYPE_CHECKING:
    from threading import Event as Flag

    from authctl.virtual_authenticator.harness.load.metered import Metered
    from authctl.virtual_authenticator.harness.load.pace import Pace
    from authctl.virtual_authenticator.harness.load.people import Crowd
    from authctl.virtual_authenticator.harness.load.recording import Recording, Sample

_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What the threads of a load have in common; `stopping` ends them after what they do."""

    crowd: Crowd
    metered: Metered
    pace: Pace
    recording: Recording
    stopping: Flag


class Worker:
    """One thread, which begins after `delay` seconds."""

    def __init__(self, shared: Shared, delay: float) -> None:
        self._shared = shared
        self._delay = delay
        self._pause = 0.0

    def run(self) -> None:
        """Works until nothing is left to begin."""
        shared = self._shared
        shared.stopping.wait(self._delay)
        while not shared.stopping.is_set():
            ticket = shared.pace.take(time.perf_counter())
            if ticket is None:
                return
            if ticket.planned is not None and self._is_stopped_before(ticket.planned):
                shared.pace.give_back(ticket)
                return
            sample = perform(ticket, shared.crowd, shared.metered)
            shared.recording.record(sample)
            rest = self._rest(sample)
            if rest and not shared.pace.is_spent:
                shared.stopping.wait(rest)

    def _is_stopped_before(self, moment: float) -> bool:
        return self._shared.stopping.wait(max(0.0, moment - time.perf_counter()))

    def _rest(self, sample: Sample) -> float:
        """How long to stay away: as long as the server asks, and a growing while when it does not answer at all."""
        self._pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, 2 * self._pause)) if sample.is_lost else 0.0
        return max(self._pause, sample.pause)
