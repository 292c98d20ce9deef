"""A feed of the trail as a command runs it: to a pipe or a collector, until somebody asks it to stop."""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.commands._interrupting import on_signals
from authctl.commands._output import Output, ReaderLeft

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.commands.audit._exporting import Job
    from authctl.server.audit.export.collectors import Collector
    from authctl.server.audit.export.cursor import Cursor
    from authctl.server.audit.export.takers import Taker


def run_feed(job: Job, collector: Collector | None, ca: Path | None) -> None:
    """Feeds until SIGTERM or Ctrl-C; both ends of the feed are events.

    Raises UsageError, ServerUnreachable or a StorageError; ReaderLeft when the reader of the pipe has gone.
    """
    from authctl.server.audit.export.following import Feed
    from authctl.server.audit.export.own_events import counted
    from authctl.server.audit.export.stopping import Stop
    from authctl.server.audit.export.takers import TakerLeft

    stop = Stop()
    described = job.described(None if collector is None else str(collector))
    feed = Feed(job.trail, _taker(job, collector, ca), job.wanted, job.after, _keeper(job), Output().warning)
    with on_signals(stop.ask, signal.SIGTERM, signal.SIGINT), closing(feed):
        feed.start()
        job.record(described, "feed begins")
        with job.failures_recorded(described, lambda: feed.count):
            try:
                feed.run(stop)
            except TakerLeft as error:
                raise ReaderLeft from error
        job.record(described, f"feed ends after {counted(feed.count)}")


def _keeper(job: Job) -> Callable[[Cursor], None]:
    return _forget if job.position is None else job.position.store


def _forget(cursor: Cursor) -> None:
    """Nobody keeps the place: the next feed begins where it is told to."""


def _taker(job: Job, collector: Collector | None, ca: Path | None) -> Taker:
    from authctl.server.audit.export.catalogue import line_format
    from authctl.server.audit.export.takers import DescriptorTaker, SyslogTaker

    chosen = line_format(job.format)
    if collector is None:
        return DescriptorTaker(sys.stdout.fileno(), chosen)
    return SyslogTaker(collector, chosen, Output().warning, ca=ca)
