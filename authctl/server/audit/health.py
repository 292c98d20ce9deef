"""How well the audit file does, for the readiness answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.clock import Clock
    from authctl.errors import AuditUnavailable

log = logging.getLogger("authctl.audit")

MOST_EVENTS_BEHIND = 10_000
MOST_SECONDS_BEHIND = 10.0
_NOTICE_SECONDS = 60.0
"""How long a damage that has been mended is still shown: long enough for monitoring to see it."""


@dataclass(frozen=True, slots=True)
class AuditHealth:
    """The file's state.

    is_ok        False when the file is too far behind the table, or has to be written and cannot be
    lag_events   rows of this process that are in the table and not yet in the file
    lag_seconds  since when that is so
    degraded     what is or was lately wrong with the file, in words for the operator
    """

    is_ok: bool
    lag_events: int
    lag_seconds: float
    degraded: str | None


HEALTHY = AuditHealth(is_ok=True, lag_events=0, lag_seconds=0.0, degraded=None)


class Condition:
    """Keeps what went wrong and since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failure: str | None = None
        self._notice: str | None = None
        self._notice_ends = 0.0
        self._behind = 0
        self._behind_since = 0.0

    def fail(self, error: AuditUnavailable) -> None:
        """The file could not be written."""
        text = error.hint or error.detail
        if text != self._failure:
            log.warning("%s", text)
        self._failure = text

    def succeed(self) -> None:
        """The file was written."""
        self._failure = None

    def notice(self, text: str) -> None:
        """Something was wrong, and is being mended."""
        log.warning("%s", text)
        self._notice = text
        self._notice_ends = self._clock.monotonic() + _NOTICE_SECONDS

    def watch(self, behind: int) -> None:
        """So many rows are in the table and not in the file."""
        if behind and not self._behind:
            self._behind_since = self._clock.monotonic()
        self._behind = behind

    def health(self, *, is_required: bool) -> AuditHealth:
        """The state now; `is_required` when nothing may happen without the file."""
        now = self._clock.monotonic()
        seconds = now - self._behind_since if self._behind else 0.0
        is_late = self._behind > MOST_EVENTS_BEHIND or seconds > MOST_SECONDS_BEHIND
        return AuditHealth(
            is_ok=not is_late and not (is_required and self._failure is not None),
            lag_events=self._behind,
            lag_seconds=seconds,
            degraded=self._failure or (self._notice if now < self._notice_ends else None),
        )
