"""One thread of a run: takes cases, plays them against its target, and says what came of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Final

from authctl.errors import AuthctlError, ServerUnreachable
from authctl.virtual_authenticator.harness.attack.events import CaseBegan, CaseEnded
from authctl.virtual_authenticator.harness.attack.targets import require_control, survey
from authctl.virtual_authenticator.harness.attack.verdicts import Outcome, judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.stage import Lab
    from authctl.virtual_authenticator.harness.attack.events import Event
    from authctl.virtual_authenticator.harness.attack.plan import Plan
    from authctl.virtual_authenticator.harness.attack.targets import Survey, Target
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

_SUSPICIOUS: Final = 5
"""So many cases in a row without a verdict, and it is looked whether the server still does what it should."""


@dataclass(frozen=True, slots=True)
class Left:
    """A thread has ended."""


@dataclass(slots=True)
class Shared:
    """What the threads of a run have in common.

    why      the run was stopped; empty while it was not
    is_gone  whether that is because nothing answers any more
    """

    plan: Plan
    stopping: Flag
    why: str = ""
    is_gone: bool = False
    said: SimpleQueue[Event | Left] = field(default_factory=SimpleQueue)
    _lock: Lock = field(default_factory=Lock)
    _taken: int = 0

    @property
    def are_all_taken(self) -> bool:
        """Whether no case is left to be played."""
        return self._taken == len(self.plan.cases)

    def take(self) -> Case | None:
        """The next case; None when there is none, or the run is being stopped."""
        with self._lock:
            if self.stopping.is_set() or self.are_all_taken:
                return None
            self._taken += 1
            return self.plan.cases[self._taken - 1]

    def stop(self, why: str, *, is_gone: bool = False) -> None:
        """Has all threads leave after the case that they play; the first reason stands."""
        with self._lock:
            if not self.why and not self.stopping.is_set():
                self.why, self.is_gone = why, is_gone
            self.stopping.set()


class Worker:
    """One thread."""

    def __init__(self, shared: Shared, open_target: Callable[[], Target]) -> None:
        self._shared = shared
        self._open_target = open_target
        self._surveys: dict[int, Survey] = {}
        self._quiet = 0

    def run(self) -> None:
        """Plays until nothing is left."""
        try:
            target = self._open_target()
            try:
                self._play_all(target)
            finally:
                target.close()
        except AuthctlError as error:
            self._shared.stop(error.detail, is_gone=isinstance(error, ServerUnreachable))
        except Exception as error:
            # Whatever it is, the run is not whole, and has to say so.
            self._shared.stop(f"the harness failed: {type(error).__name__}: {error}")
        finally:
            self._shared.said.put(Left())

    def _play_all(self, target: Target) -> None:
        while (case := self._shared.take()) is not None:
            self._shared.said.put(CaseBegan(case))
            lab = target.lab(case.needs)
            result = self._play(case, lab)
            self._shared.said.put(CaseEnded(result))
            self._look_after(result, lab)
            self._shared.stopping.wait(self._shared.plan.delay)

    def _play(self, case: Case, lab: Lab) -> Result:
        started = time.perf_counter()
        known = self._known(lab)
        played = case.play(known.lab)
        return judge(
            case,
            played,
            self._shared.plan.profile,
            asks_attestation=known.asks_attestation,
            seconds=time.perf_counter() - started,
        )

    def _known(self, lab: Lab) -> Survey:
        if id(lab) not in self._surveys:
            self._surveys[id(lab)] = survey(lab)
        return self._surveys[id(lab)]

    def _look_after(self, result: Result, lab: Lab) -> None:
        self._quiet = self._quiet + 1 if result.outcome is Outcome.INCONCLUSIVE else 0
        if self._quiet < _SUSPICIOUS:
            return
        self._quiet = 0
        require_control(lab)
