"""Starts the serving program and talks to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from tests.process.started import ROOT, start

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parent / "serving_program.py"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Served:
    """The process, once it has said that it serves."""

    process: subprocess.Popen[str]
    directory: Path
    port: int
    errors: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.port}"

    def get(self, path: str) -> httpx2.Response:
        """One request on a connection of its own."""
        return httpx2.get(self.url + path, timeout=10, trust_env=False)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Sends a signal; the time of it."""
        os.kill(self.process.pid, number)
        return time.monotonic()

    def exit_code(self, within: float = 30) -> int:
        """Waits for the end."""
        return self.process.wait(within)

    def children(self) -> list[int]:
        """The worker processes."""
        listing = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(child) for child in listing.split() if _is_worker(child)]


def _is_worker(process: str) -> bool:
    try:
        return "resource_tracker" not in Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8")
    except OSError:  # it has ended since it was listed
        return False


@contextmanager
def served(directory: Path, **options: Any) -> Iterator[Served]:
    """A serving process; killed at the end when it still runs."""
    port = options.pop("port", None) or free_port()
    options["settings"] = {"port": port, **options.get("settings", {})}
    process = start(
        [str(PROGRAM), str(directory), json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    running = Served(process, directory, port)
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=running.errors.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        if process.stdout.readline() == "":
            reader.join(5)
            raise AssertionError("".join(running.errors))
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join(5)
        process.stdout.close()
        process.stderr.close()
