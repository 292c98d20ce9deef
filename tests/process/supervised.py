"""Workers for the tests of the supervisor; a module of their own, for a spawned process imports it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.server.supervisor import Reporter


def obedient(reporter: Reporter) -> None:
    """Ends when it is told to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    reporter.ready()
    time.sleep(60)


def stubborn(reporter: Reporter) -> None:
    """Does not end when it is told to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    reporter.ready()
    time.sleep(60)


def stillborn(reporter: Reporter) -> None:
    """Fails before it is ready."""
    sys.exit(3)


def frail(marks: str, reporter: Reporter) -> None:
    """The first of its kind dies soon after it was ready, later ones live on."""
    is_first = not any(Path(marks).iterdir())
    (Path(marks) / str(os.getpid())).touch()
    if not is_first:
        obedient(reporter)
    reporter.ready()
    time.sleep(0.2)
    sys.exit(1)
