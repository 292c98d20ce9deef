"""Starting and stopping without a process of its own: sockets, the embedded server, and what is refused."""

from __future__ import annotations

import logging
import multiprocessing
import socket
import threading
from typing import TYPE_CHECKING

import httpx2
import pytest

from authctl.errors import Conflict, Refused, SettingsError, StorageDamaged, UsageError
from authctl.server import running
from authctl.server.running import Server, address_of, bind, embedded_in, serve, temporary_server
from authctl.settings import load_settings
from tests.server.http.raw import Echo

if TYPE_CHECKING:
    from pathlib import Path


def test_an_embedded_server_serves_and_leaves_nothing_behind() -> None:
    with temporary_server(rp_name="Embedded") as server:
        assert httpx2.get(f"{server.url}/readyz", trust_env=False).json() == {"status": "ready"}
        directory = server.service.settings.key_dir.parent
        assert directory.exists()
        assert server.service.settings.rp_name == "Embedded"
    assert not directory.exists()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(server.url, trust_env=False)


def test_an_embedded_server_keeps_its_files_where_it_is_told_to(tmp_path: Path) -> None:
    for _ in range(2):
        with embedded_in(tmp_path) as server:
            assert server.url.startswith("http://localhost:")
    assert {"app.db", "app.log", "app.keys"} <= {path.name for path in tmp_path.iterdir()}


def test_an_embedded_server_gives_its_port_back_when_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_bytes(b"")
    before = threading.active_count()
    with pytest.raises(StorageDamaged):
        embedded_in(tmp_path).__enter__()
    with pytest.raises(SettingsError):
        embedded_in(tmp_path, rp_id="not a host").__enter__()
    assert threading.active_count() == before


def test_a_port_that_is_taken_is_a_conflict() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} of 127.0.0.1 is in use"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Refused, match=r"Cannot listen on 192\.0\.2\.1 port 0"):
        bind("192.0.2.1", 0)


def test_an_address_is_told_as_a_url() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert address_of(listener, "127.0.0.1") == f"http://127.0.0.1:{listener.getsockname()[1]}"
    if socket.has_ipv6:
        with bind("::1", 0) as listener:
            assert address_of(listener, "::1") == f"http://[::1]:{listener.getsockname()[1]}"


def test_reloading_goes_with_one_worker(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        serve(load_settings(environ={}, cwd=tmp_path), workers=2, reload=True)


def test_the_log_of_a_server_does_not_hold_the_password_of_its_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-LG-05: also where it stands alone, outside the address."""
    url = "postgresql+psycopg://jane:kXw7pLq2Zr@db.example.com/auth"
    logger = logging.getLogger("authctl")
    before = logger.handlers[:], logger.level, logger.propagate
    try:
        running._configure_logs(load_settings(environ={}, cwd=tmp_path, database_url=url))
        logger.warning("no entry with kXw7pLq2Zr")
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    assert "no entry with [redacted]" in capsys.readouterr().err


def test_a_fault_of_the_set_up_is_told_before_any_worker_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authctl.server.running._configure_logs", lambda settings: None)
    (tmp_path / "app.db").write_text("no database")
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    with pytest.raises((StorageDamaged, SettingsError)):
        serve(load_settings(environ={}, cwd=tmp_path, port=port), workers=2)
    assert multiprocessing.active_children() == []


def test_a_server_that_never_ran_can_be_told_to_stop(tmp_path: Path) -> None:
    server = Server(Echo(), load_settings(environ={}, cwd=tmp_path))
    server.stop()
    assert server.should_exit
