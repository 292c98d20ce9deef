"""Tells whether the process that a writer's row names still runs, so that only the dead are finished by others."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.server.storage.tables import AuditWriter

_SLACK = timedelta(seconds=2)


def this_host() -> str:
    """The name under which this machine's writers are known."""
    return socket.gethostname()


def has_ended(writer: AuditWriter) -> bool:
    """Whether nothing more will come from this writer; one on another machine counts as running until it closes."""
    if writer.closed_at is not None:
        return True
    if writer.host != this_host():
        return False
    started = process_start(writer.pid)
    # A later start means that the number was given to another process.
    return started is None or started > writer.started_at + _SLACK


def process_start(pid: int) -> datetime | None:
    """When the process began; None when there is none, the distant past when only its existence can be told."""
    try:
        with suppress(PermissionError):  # somebody else's process: it exists
            os.kill(pid, 0)
    except ProcessLookupError:
        return None
    try:
        # proc(5): behind the name in parentheses come the state and, 19 fields later, the start in ticks since boot.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        age = uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return datetime.min.replace(tzinfo=UTC)
    return None if fields[0] == "Z" else datetime.now(UTC) - timedelta(seconds=age)
