"""Starts `authctl serve` in a temporary directory and reads what it costs from the kernel."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """A server process of our own, ended by its own process id."""

    def __init__(self, workers: int = 1, *, directory: Path | None = None, **environment: str) -> None:
        """Without `directory`, which may hold a database, it lives in a temporary one."""
        self.port = free_port()
        self._temporary = tempfile.TemporaryDirectory(prefix="authctl-bench-")
        self.directory = directory or Path(self._temporary.name)
        self._workers = workers
        self._environment = {
            **os.environ,
            "RATE_LIMITS": "off",
            "RATE_LIMIT_OUTSTANDING_TOTAL": "10000000",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.seconds_to_first_answer = 0.0

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        self._temporary.cleanup()

    def start(self) -> None:
        """Starts it and waits for its first answer."""
        command = [sys.executable, "-m", "authctl", "serve", "--port", str(self.port)]
        if self._workers > 1:
            command += ["--workers", str(self._workers)]
        started = time.perf_counter()
        with (self.directory / "out.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.directory, env=self._environment, stdout=log, stderr=log)
        self._await_answer(started + 30)
        self.seconds_to_first_answer = time.perf_counter() - started

    def stop(self) -> None:
        """Asks it to drain, and waits for that."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far."""
        total = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_mb(self) -> float:
        """Proportional set size of all its processes."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def _pids(self) -> list[int]:
        if self._process is None:
            return []
        found, waiting = [], [self._process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
        return found

    def _await_answer(self, deadline: float) -> None:
        while time.perf_counter() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    if connection.recv(64).startswith(b"HTTP/1.1 200"):
                        return
            except OSError:
                time.sleep(0.005)
        said = (self.directory / "out.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"the server did not start: {said[-800:]}")
