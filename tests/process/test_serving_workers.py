"""Several workers on one socket: they share the work, are replaced when they die, and end together."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from authctl.virtual_authenticator import PLATFORM, Client, VirtualAuthenticator
from tests.process.served import ROOT, Served, served
from tests.server.http.conftest import person

pytestmark = pytest.mark.process


def until(condition: object, seconds: float = 15) -> None:
    """Waits for something to become true."""
    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # a callable
        assert time.monotonic() < ends
        time.sleep(0.05)


def log_in(server: Served) -> int:
    """Registers and logs in, each request on a connection of its own, so that any worker may get it."""
    import httpx2

    client = Client(VirtualAuthenticator(PLATFORM), server.url)

    def post(path: str, body: object) -> httpx2.Response:
        return httpx2.post(server.url + path, json=body, trust_env=False, timeout=10)

    email = f"{os.urandom(4).hex()}@example.com"
    options = post("/register/begin", person(email)).json()
    assert post("/register/complete", {"email": email, "credential": client.create(options)}).status_code == 201
    options = post("/login/begin", {"email": email}).json()
    return post("/login/complete", {"email": email, "assertion": client.get(options)}).status_code


def test_ceremonies_succeed_across_workers_and_all_end_with_0(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        workers = server.children()
        assert len(workers) == 2
        assert [log_in(server) for _ in range(5)] == [200] * 5
        server.signal()
        assert server.exit_code() == 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        first, second = server.children()
        os.kill(first, signal.SIGKILL)
        until(lambda: len(server.children()) == 2 and first not in server.children())
        assert second in server.children()
        assert log_in(server) == 200
        server.signal()
        assert server.exit_code() == 0


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        workers = server.children()
        server.signal(signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_an_interrupt_of_the_whole_group_drains_once(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        for process in (*server.children(), server.process.pid):
            os.kill(process, signal.SIGINT)
        assert server.exit_code() == 0


def test_a_second_signal_hurries_the_workers(tmp_path: Path) -> None:
    from tests.process.test_serving_drain import HALF
    from tests.server.http.raw import Client as RawClient

    with served(tmp_path, workers=2, limits={"drain_grace_seconds": 30}) as server:
        client = RawClient(server.port)
        client.send(HALF)
        time.sleep(0.2)
        server.signal()
        time.sleep(0.5)
        assert server.process.poll() is None
        sent = server.signal()
        assert server.exit_code() == 0
        # A second of patience, and on a busy machine the time that interpreters take to end.
        assert time.monotonic() - sent < 4
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
            until(lambda: server.children() and before not in server.children())
        finally:
            source.unlink(missing_ok=True)
        until(lambda: _answers(server))
        server.signal()
        assert server.exit_code() == 0


def _answers(server: Served) -> bool:
    import httpx2

    try:
        return server.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False
