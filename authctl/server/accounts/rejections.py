"""Requests without a usable token, which anyone can send: the first of a minute are written, the others counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from authctl.clock import Clock
    from authctl.server.audit.events import Caller

WINDOW_SECONDS: Final = 60
MOST_OF_SOURCE: Final = 20
MOST_OF_ALL: Final = 200
MOST_COUNTED: Final = 1000
"""Sources that are counted by themselves; further ones share a count."""


@dataclass(frozen=True, slots=True)
class Flood:
    """Rejections that were only counted. `caller` is one of those who sent them."""

    caller: Caller
    count: int


class Rejections:
    """Keeps a flood of bad tokens from filling the disk through the audit trail (R-RL-08).

    A window is the minute after its first rejection; what was counted in it is told when it is over.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = float("-inf")
        self._written: dict[str, int] = {}
        self._total = 0
        self._floods: dict[str, Flood] = {}
        self._over: list[Flood] = []

    def is_to_be_written(self, caller: Caller) -> bool:
        """Whether this rejection gets an event of its own; otherwise it has been counted."""
        self._turn_the_page()
        written = self._written.get(caller.network, 0)
        if written < MOST_OF_SOURCE and self._total < MOST_OF_ALL:
            self._written[caller.network] = written + 1
            self._total += 1
            return True
        key = caller.network if caller.network in self._floods or len(self._floods) < MOST_COUNTED else ""
        known = self._floods.get(key)
        self._floods[key] = Flood(known.caller, known.count + 1) if known else Flood(caller, 1)
        return False

    def take_floods(self, *, everything: bool = False) -> list[Flood]:
        """What was counted in windows that are over, at a stop in all of them; each is told once."""
        self._turn_the_page()
        if everything:
            self._close()
        floods, self._over = self._over, []
        return floods

    def _turn_the_page(self) -> None:
        now = self._clock.monotonic()
        if now - self._began >= WINDOW_SECONDS:
            self._close()
            self._began = now

    def _close(self) -> None:
        self._over += self._floods.values()
        self._floods.clear()
        self._written.clear()
        self._total = 0
