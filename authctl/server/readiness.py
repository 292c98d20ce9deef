"""Whether the service can do its work now, as opposed to merely being alive."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from authctl.errors import StorageError

if TYPE_CHECKING:
    from authctl.server.audit.health import AuditHealth
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

log = logging.getLogger("authctl.readiness")

REMEMBERED_SECONDS = 1.0
"""Anyone may ask, so the answer is kept for this long instead of writing to the disk for each of them."""
LARGEST_CLOCK_JUMP = 60.0
"""Seconds by which the time of day may drift from the time elapsed since the last look."""


class HasHealth(Protocol):
    """What is asked of the audit trail."""

    def health(self) -> AuditHealth:
        """How far the file is behind the table, and why."""
        ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """One word per part: "ok", or what is wrong with it, safe to show."""

    storage: str
    audit: str
    clock: str

    @property
    def is_ready(self) -> bool:
        """Whether every part is well."""
        return (self.storage, self.audit, self.clock) == ("ok", "ok", "ok")


class ReadinessCheck:
    """Tries a durable write, asks the audit trail, compares the clocks."""

    def __init__(self, database: Database, audit: HasHealth) -> None:
        self._database = database
        self._audit = audit
        self._last: tuple[float, Readiness] | None = None
        self._offset = self._clock_offset()

    async def ready(self) -> Readiness:
        """The state of now, at most a second old."""
        moment = self._database.clock.monotonic()
        if self._last is not None and 0 <= moment - self._last[0] < REMEMBERED_SECONDS:
            return self._last[1]
        found = Readiness(storage=await self._storage(), audit=self._audit_state(), clock=self._clock_state())
        self._last = (moment, found)
        return found

    async def _storage(self) -> str:
        def unit(tx: Transaction) -> None:
            tx.limits.hit("readiness", 1, 60)

        try:
            await self._database.write(unit)
        except StorageError as error:
            log.warning("not ready: %s (%s)", error.detail, error.debug)
            return "cannot write"
        return "ok"

    def _audit_state(self) -> str:
        health = self._audit.health()
        if health.is_ok:
            return "ok"
        log.warning("not ready: audit %s", health.degraded)
        return "degraded"

    def _clock_state(self) -> str:
        jump = self._clock_offset() - self._offset
        if abs(jump) <= LARGEST_CLOCK_JUMP:
            return "ok"
        # Said once: from here on the new time is what is compared with.
        self._offset += jump
        log.warning("the clock jumped by %.0f seconds", jump)
        return "jumped"

    def _clock_offset(self) -> float:
        clock = self._database.clock
        return clock.now().timestamp() - clock.monotonic()
