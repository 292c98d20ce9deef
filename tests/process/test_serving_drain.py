"""F-02: a signal ends the service in order: whole requests are answered, the trail is closed, the exit is 0."""

from __future__ import annotations

import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.process.served import served
from tests.server.http.raw import Client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.served import Served

pytestmark = pytest.mark.process

HALF = b"POST /login/begin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
WHOLE = (
    b"POST /login/begin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)
ENOUGH = 20
"""Answers that show a server under load."""


def trail(directory: Path) -> list[str]:
    """Types of events in order."""
    with sqlite3.connect(f"file:{directory / 'app.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT event_type FROM audit_logs ORDER BY created_at, seq").fetchall()
    connection.close()
    return [row[0] for row in rows]


def test_whole_requests_are_answered_and_half_sent_ones_cut(tmp_path: Path) -> None:
    with served(tmp_path, limits={"drain_grace_seconds": 0.3}) as server:
        idle = [Client(server.port) for _ in range(20)]
        for client in idle:
            client.send(WHOLE)
            assert client.reply().status == 200
        half = [Client(server.port) for _ in range(5)]
        for client in half:
            client.send(HALF)
        busy = [Client(server.port) for _ in range(50)]
        for client in busy:
            client.send(WHOLE)
        # Connections are accepted in the order in which they came: this answer says that all of them have been.
        assert server.get("/healthz").status_code == 200
        server.signal()
        assert [client.reply().status for client in busy] == [200] * 50
        assert all(client.is_closed() for client in (*idle, *half))
        assert server.exit_code(within=10) == 0
        for client in (*idle, *half, *busy):
            client.close()
    events = trail(tmp_path)
    assert (events[0], events[-2:]) == ("server_start", ["server_stop", "checkpoint"])
    assert events.count("login_begin") == 70


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    limits = {"drain_grace_seconds": 60, "drain_seconds": 60, "hurried_seconds": 30}
    with served(tmp_path, limits=limits) as server:
        client = Client(server.port)
        client.send(HALF)
        server.get("/healthz")
        server.signal()
        wait_until_refused(server)
        assert server.process.poll() is None
        server.signal()
        # Without the second signal it would be a minute.
        assert server.exit_code(within=20) == 0
        client.close()
    assert trail(tmp_path) == ["server_start", "server_stop", "checkpoint"], server.errors


def test_a_second_signal_ends_a_service_that_does_not_come_to_its_end(tmp_path: Path) -> None:
    limits = {"drain_grace_seconds": 60, "drain_seconds": 60, "hurried_seconds": 0}
    with served(tmp_path, limits=limits) as server:
        client = Client(server.port)
        client.send(HALF)
        server.get("/healthz")
        server.signal()
        wait_until_refused(server)
        server.signal()
        assert server.exit_code(within=20) == 1
        client.close()


def wait_until_refused(server: Served) -> None:
    """Until the drain has begun: then nobody listens any more."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            Client(server.port).close()
        except ConnectionError:
            return
    raise TimeoutError


def test_requests_under_load_succeed_or_were_never_taken(tmp_path: Path) -> None:
    """No answer is torn: each request has a whole 200 or no answer at all."""
    with served(tmp_path) as server:
        outcomes: list[str] = []

        def ask_for_ever() -> None:
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=10) as client:
                while True:
                    try:
                        answer = client.post("/login/begin", json={})
                    except (httpx2.ConnectError, httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError) as e:
                        outcomes.append(type(e).__name__)
                        return
                    assert answer.status_code == 200
                    outcomes.append("ok")

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(ask_for_ever) for _ in range(4)]
            while len(outcomes) < ENOUGH and not any(future.done() for future in futures):
                time.sleep(0.01)
            server.signal()
            assert server.exit_code() == 0
            for future in futures:
                future.result(10)
    assert outcomes.count("ok") >= ENOUGH
    assert trail(tmp_path).count("login_begin") >= outcomes.count("ok")


def test_a_port_in_use_is_said_and_an_interrupt_ends_the_service_with_0(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with served(tmp_path) as server:
        second = served(tmp_path / "other", port=server.port)
        with pytest.raises(AssertionError, match=rf"Port {server.port} of 127\.0\.0\.1 is in use"):
            second.__enter__()
        assert server.get("/healthz").status_code == 200
        server.signal(signal.SIGINT)
        assert server.exit_code() == 0
    assert trail(tmp_path) == ["server_start", "server_stop", "checkpoint"]
