"""Only writers that have ended are finished by others."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.server.audit.liveness import has_ended, process_start, this_host
from authctl.server.storage.rows import make
from authctl.server.storage.tables import AuditWriter

if TYPE_CHECKING:
    import pytest

NOW = datetime.now(UTC)


def a_writer(**changes: object) -> AuditWriter:
    values = {"kind": "server", "generation": 1, "host": this_host(), "pid": os.getpid(), "started_at": NOW}
    return make(AuditWriter, **(values | changes))


def test_a_writer_has_ended_when_it_was_closed() -> None:
    assert has_ended(a_writer(closed_at=NOW))


def test_a_writer_runs_while_its_process_does() -> None:
    assert not has_ended(a_writer())


def test_a_writer_has_ended_when_its_process_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert has_ended(a_writer(pid=child.pid))


def test_a_writer_has_ended_when_its_process_waits_to_be_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    while process_start(child.pid) is not None:
        pass
    assert has_ended(a_writer(pid=child.pid))
    child.wait()


def test_a_writer_has_ended_when_its_number_was_given_to_a_later_process() -> None:
    """A container's first process always has the number 1."""
    assert has_ended(a_writer(started_at=NOW - timedelta(days=365)))


def test_a_writer_on_another_machine_runs_until_it_is_closed() -> None:
    assert not has_ended(a_writer(host="elsewhere", pid=1))
    assert has_ended(a_writer(host="elsewhere", pid=1, closed_at=NOW))


def test_a_process_of_another_user_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    started = process_start(os.getpid())
    assert started is not None
    assert started <= datetime.now(UTC) + timedelta(seconds=1)


def test_a_process_counts_as_old_when_nothing_tells_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", fail)
    assert process_start(os.getpid()) == datetime.min.replace(tzinfo=UTC)
    assert not has_ended(a_writer())
