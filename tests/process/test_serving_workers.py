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
from tests.process.served import Served, served
from tests.process.started import ROOT
from tests.process.test_serving_drain import HALF, wait_until_refused
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


def test_a_second_signal_hurries_the_workers(tmp_path: Path) -> None:
    with served(tmp_path, workers=2, limits={"drain_grace_seconds": 60, "drain_seconds": 60}) as server:
        client = RawClient(server.port)
        client.send(HALF)
        server.get("/healthz")
        server.signal()
        wait_until_refused(server)
        assert server.process.poll() is None
        server.signal()
        # Without the second signal it would be a minute.
        assert server.exit_code(within=20) == 0
        client.close()


def test_a_change_of_the_source_starts_the_service_anew_which_ends_when_its_supervisor_is_killed(
    tmp_path: Path,
) -> None:
    source = ROOT / "authctl" / "version_probe_of_the_reload_test.py"
    with served(tmp_path, reload=True) as server:
        (before,) = server.children()
        try:
            change_until_noticed(source, lambda: server.children() != [] and before not in server.children())
        finally:
            source.unlink(missing_ok=True)
        until(lambda: answers(server))
        workers = server.children()
        server.signal(signal.SIGKILL)
        until(lambda: are_gone(workers))
        assert before not in workers


def change_until_noticed(source: Path, is_noticed: Callable[[], bool]) -> None:
    """Changes a file more than once: who watches may not have begun to when the service serves."""
    for number in range(10):
        source.write_text(f'"""Only here while a test runs: {number}."""\n', encoding="utf-8")
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            if is_noticed():
                return
            time.sleep(0.05)
    raise TimeoutError
