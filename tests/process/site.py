"""A folder in which the program runs: the server, commands beside it, and the system's sqlite3 shell."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx2
import pytest

from tests.process import started
from tests.process.served import free_port
from tests.process.started import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS: Final = 60
COMMAND_SECONDS: Final = 60
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")
"""Of our own environment; nothing else may reach the program, least of all a setting."""


class Site:
    """One folder, one port, and at most one server."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._client = _new_client()
        self._said = directory.parent / f"{directory.name}.stderr"
        mine = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._environ = {
            **mine,
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
            "RATE_LIMITS": "off",
            "AUTHENTICATOR_ATTACHMENT": "any",
            **settings,
        }

    @property
    def database(self) -> Path:
        """The database file."""
        return self.directory / "app.db"

    @property
    def url(self) -> str:
        """The database's URL."""
        return f"sqlite:///{self.database}"

    @property
    def stderr(self) -> str:
        """What servers have said so far."""
        return self._said.read_text(encoding="utf-8") if self._said.exists() else ""

    def start(self, *options: str) -> float:
        """Starts the server; the seconds until it says that it serves."""
        before = len(self.stderr)
        began = time.monotonic()
        with self._said.open("ab") as said:
            self.process = started.start(
                ["-m", "authctl", "serve", *options],
                cwd=self.directory,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                umask=0,  # what is private has to be so by itself
                start_new_session=True,
            )
        while f"http://127.0.0.1:{self.port}" not in self.stderr[before:]:
            assert self.process.poll() is None, self.stderr[before:]
            assert time.monotonic() - began < START_SECONDS, "the server does not start"
            time.sleep(0.01)
        self._renew_client()
        return time.monotonic() - began

    def stop(self) -> int:
        """Ends the server in order; its exit number."""
        process, self.process = self.process, None
        assert process is not None
        process.terminate()
        return process.wait(20)

    def kill(self) -> None:
        """Ends the server with all its workers as a crash would: in the middle of whatever they do."""
        process, self.process = self.process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def close(self) -> None:
        """Leaves nothing running."""
        self._client.close()
        self.kill()

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request to the server and its answer."""
        return self._client.request(method, self.origin + path, **arguments)

    def command(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the folder, with other settings for this once."""
        environ = {**self._environ, **settings}
        return started.run(["-m", "authctl", *arguments], COMMAND_SECONDS, cwd=self.directory, env=environ)

    def popen(
        self, *arguments: str, constants: dict[str, object] | None = None, **streams: int
    ) -> subprocess.Popen[bytes]:
        """Starts a command and does not wait for it; its output goes nowhere, if not where it is told."""
        nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        words = ["-m", "authctl", *arguments]
        return started.start(
            words, constants=constants, cwd=self.directory, env=self._environ, **{**nowhere, **streams}
        )

    def done(self, *arguments: str) -> Any:
        """Runs a command that has to succeed; its answer, from JSON."""
        finished = self.command(*arguments, "--format", "json")
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    def verify(self) -> int:
        """The exit number of `authctl audit verify`."""
        return self.command("audit", "verify").returncode

    def sqlite(self, *statements: str) -> list[str]:
        """Runs statements through the system's sqlite3 program; the lines that it prints, columns parted by `|`."""
        program = shutil.which("sqlite3")
        if program is None:
            pytest.skip("the program sqlite3 is not installed")
        finished = subprocess.run(
            [program, "-batch", str(self.database), *statements],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.splitlines()

    def _renew_client(self) -> None:
        # Connections to a server that has ended are of no more use.
        self._client.close()
        self._client = _new_client()


@contextmanager
def site(directory: Path, **settings: str) -> Iterator[Site]:
    """A folder for one test."""
    made = Site(directory, **settings)
    try:
        yield made
    finally:
        made.close()


def _new_client() -> httpx2.Client:
    # There is no TLS here, and reading the machine's certificates would take longer than a test.
    return httpx2.Client(trust_env=False, verify=False, timeout=10)
