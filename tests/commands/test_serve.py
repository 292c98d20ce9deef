from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server import running
from authctl.settings.model import FIELD_OF_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.settings import Settings
    from tests.commands.conftest import Home


@contextmanager
def serving(home: Home, *words: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real `authctl serve`; the process, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if name not in FIELD_OF_VARIABLE}
    process = subprocess.Popen(
        [sys.executable, "-m", "authctl", "serve", "--port", str(port), *words],
        cwd=home.path, env={**clean, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(port, process)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(process.communicate()[1])


@pytest.mark.process
def test_serve_creates_its_files_says_where_it_is_and_drains_when_told(empty_home: Home) -> None:
    with serving(empty_home) as (process, port):
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == ""
    assert f"serves http://localhost:{port}" in said
    assert f"listens on  http://127.0.0.1:{port}" in said
    assert re.search(r"database +sqlite:///app\.db", said)
    assert {"app.db", "app.log", "app.keys"} <= {path.name for path in empty_home.path.iterdir()}


@pytest.mark.process
def test_commands_work_beside_a_running_service(empty_home: Home) -> None:
    """F-22."""
    with serving(empty_home, "--workers", "2") as (process, _):
        empty_home.add_user("jane@example.com")
        assert empty_home.run("promote", "jane@example.com").exit_code == 0
        assert empty_home.run("audit", "verify").exit_code == 0
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(empty_home.run("audit", "verify", "--format", "json").stdout)["status"] == "intact"


def test_serve_names_the_way_out_when_the_port_is_in_use(empty_home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = empty_home.run("serve", "--port", port)
    assert (result.exit_code, result.stdout) == (4, "")
    assert (
        result.stderr == f"error: Port {port} of 127.0.0.1 is in use\nhint: stop the other program or choose --port\n"
    )
    assert list(empty_home.path.iterdir()) == []


def test_serve_refuses_to_be_reached_from_elsewhere_without_tls(empty_home: Home) -> None:
    """R-CF-06."""
    result = empty_home.run("serve", "--host", "0.0.0.0")  # noqa: S104  this is what is refused
    assert (result.exit_code, result.stdout) == (2, "")
    assert "BEHIND_TLS_PROXY" in result.stderr
    assert list(empty_home.path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [("--port", "99999"), ("--port", "eighty"), ("--workers", "0"), ("--reload", "--workers", "2")]
)
def test_serve_refuses_options_that_make_no_sense(words: tuple[str, ...], empty_home: Home) -> None:
    result = empty_home.run("serve", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `serve` hands to the server, which says that it has started, and stops."""
    seen: dict[str, Any] = {}

    def serve(settings: Settings, *, workers: int, reload: bool, on_started: Any) -> None:
        seen.update(settings=settings, workers=workers, reload=reload)
        on_started("http://127.0.0.1:1234")

    monkeypatch.setattr(running, "serve", serve)
    return seen


def test_serve_hands_its_options_to_the_server(empty_home: Home, told: dict[str, Any]) -> None:
    result = empty_home.run("serve", "--host", "::1", "--port", "1234", "--workers", "3", "--reload")
    assert result.exit_code == 0
    assert (told["settings"].host, told["settings"].port) == ("::1", 1234)
    assert told["settings"].origins == ("http://localhost:1234",)
    assert (told["workers"], told["reload"]) == (3, True)


def test_the_banner_says_warnings_and_no_password(
    empty_home: Home, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-CF-02, R-CF-06."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://me:hunter2@db/app")
    monkeypatch.setenv("RATE_LIMITS", "off")
    result = empty_home.run("serve")
    assert told["settings"].database_url.endswith("hunter2@db/app")
    assert "hunter2" not in result.stderr
    assert "warning: RATE_LIMITS=off" in result.stderr
