"""Several workers on one socket: they share the work, are replaced when they die, and end together."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from authctl.virtual_authenticator import PLATFORM, Client, VirtualAuthenticator
from tests.process.served import ROOT, Served, served
from tests.process.test_serving_drain import HALF
from tests.server.http.conftest import person
from tests.server.http.raw import Client as RawClient

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.process


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for something to become true."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def are_gone(processes: list[int]) -> bool:
    """Whether none of the processes exists any more."""
    return not any(Path(f"/proc/{process}").exists() for process in processes)


def log_in(server: Served) -> int:
    """Registers and logs in, each request on a connection of its own, so that any worker may get it."""
    client = Client(VirtualAuthenticator(PLATFORM), server.url)

    def post(path: str, body: object) -> httpx2.Response:
        return httpx2.post(server.url + path, json=body, trust_env=False, timeout=10)

    email = f"{os.urandom(4).hex()}@example.com"
    options = post("/register/begin", person(email)).json()
    assert post("/register/complete", {"email": email, "credential": client.create(options)}).status_code == 201
    options = post("/login/begin", {"email": email}).json()
    return post("/login/complete", {"email": email, "assertion": client.get(options)}).status_code


def answers(server: Served) -> bool:
    """Whether somebody serves."""
    try:
        return server.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_workers_share_the_work_are_replaced_when_they_die_and_end_together(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        first, second = server.children()
        assert [log_in(server) for _ in range(5)] == [200] * 5
        os.kill(first, signal.SIGKILL)
        until(lambda: len(server.children()) == 2 and first not in server.children())
        assert second in server.children()
        assert log_in(server) == 200
        workers = server.children()
        # A terminal interrupts the whole group; that is one wish to end, not two.
        for process in (*workers, server.process.pid):
            os.kill(process, signal.SIGINT)
        assert server.exit_code() == 0
        assert are_gone(workers)


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        workers = server.children()
        server.signal(signal.SIGKILL)
        until(lambda: are_gone(workers))


def test_a_second_signal_hurries_the_workers(tmp_path: Path) -> None:
    with served(tmp_path, workers=2, limits={"drain_grace_seconds": 60, "drain_seconds": 60}) as server:
        client = RawClient(server.port)
        client.send(HALF)
        time.sleep(0.3)
        server.signal()
        time.sleep(0.5)
        assert server.process.poll() is None
        sent = server.signal()
        assert server.exit_code() == 0
        # A second of patience, and on a busy machine the time that interpreters take to end.
        assert time.monotonic() - sent < 8
        client.close()


def test_a_fault_of_the_set_up_is_told_before_any_worker_starts(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_bytes(b"")
    with pytest.raises(AssertionError, match="StorageDamaged"), served(tmp_path, workers=2):
        pass


def test_a_change_of_the_source_starts_the_service_anew(tmp_path: Path) -> None:
    source = ROOT / "authctl" / "version_probe_of_the_reload_test.py"
    with served(tmp_path, reload=True) as server:
        (before,) = server.children()
        try:
            time.sleep(0.5)
            source.write_text('"""Only here while a test runs."""\n', encoding="utf-8")
            until(lambda: server.children() != [] and before not in server.children())
        finally:
            source.unlink(missing_ok=True)
        until(lambda: answers(server))
        server.signal()
        assert server.exit_code() == 0
