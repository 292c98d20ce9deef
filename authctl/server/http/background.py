"""What goes on beside the requests: sweeping, checkpoints, counted refusals.

It begins and ends with the application, and says both in the audit trail.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl import __version__
from authctl.errors import AuthctlError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from authctl.server.http.refusals import Refusals
    from authctl.server.service import Service

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between two runs of each job."""

    sweep: float = 30.0
    audit: float = 1.0
    flush: float = 10.0


class Background:
    """One task per job; a job that fails is said in the log and tried again at its next turn."""

    def __init__(self, service: Service, refusals: Refusals, intervals: Intervals | None = None) -> None:
        self._service = service
        self._refusals = refusals
        self._intervals = intervals or Intervals()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        """Starts the jobs."""
        jobs: tuple[tuple[float, Callable[[], Awaitable[object]]], ...] = (
            (self._intervals.sweep, self._service.maintenance.sweep),
            (self._intervals.audit, self._service.audit.checkpoint_if_due),
            (self._intervals.audit, self._service.personal_data.tend_file),
            (self._intervals.flush, self._refusals.flush),
            (self._intervals.flush, self._service.users.tell_floods),
        )
        await _attempt(
            lambda: self._service.audit.record_start(f"Server {__version__} started as process {os.getpid()}")
        )
        self._tasks = [asyncio.create_task(_repeat(seconds, job), name=job.__name__) for seconds, job in jobs]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops them, and writes what has been counted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _attempt(lambda: self._refusals.flush(everything=True))
        await _attempt(lambda: self._service.users.tell_floods(everything=True))
        await _attempt(lambda: self._service.audit.record_stop(f"Server stopped as process {os.getpid()}"))


async def _repeat(seconds: float, job: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _attempt(job)


async def _attempt(job: Callable[[], Awaitable[object]]) -> None:
    try:
        await job()
    except AuthctlError as error:
        logger.warning("background work failed: %s: %s (%s)", error.slug, error.detail, error.debug)
    except Exception:
        logger.exception("background work failed")
