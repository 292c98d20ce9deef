"""Where time comes from: the system's clock, or one that a test sets."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and tokens, elapsed time for deadlines."""

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since the machine started, counting sleep; comparable between processes of one `boot_id`."""
        ...

    @property
    def boot_id(self) -> str:
        """Names the stretch of time in which `monotonic` is comparable."""
        ...


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


class SystemClock:
    """The clocks of the operating system."""

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the machine started, counting sleep where the system can tell."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    @property
    def boot_id(self) -> str:
        """The kernel's name for this run of the machine."""
        return _boot_id()


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 1, tzinfo=UTC)
        self._monotonic = 1000.0
        self.boot_id = "fixed"

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Elapsed seconds; `set_wall` leaves them alone."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Lets time pass, on both clocks."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, now: datetime) -> None:
        """Sets the time of day alone, as an operator or a time server would."""
        self._now = now
