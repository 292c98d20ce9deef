"""authctl's own service as a process of its own, so that it and the client do not share one interpreter."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from authctl.errors import Refused
from authctl.server.running import address_of, bind, run_service
from authctl.server.supervisor import Reporter
from authctl.settings import load_settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_SETTINGS: Final = {
    "RATE_LIMITS": "off",
    "RATE_LIMIT_OUTSTANDING_TOTAL": "10000000",
    "AUTHENTICATOR_ATTACHMENT": "any",
    "LOG_LEVEL": "WARNING",
}
_START_SECONDS: Final = 30.0
_DRAIN_SECONDS: Final = 12.0
_TICK_SECONDS: Final = 0.1
_SAID: Final = "service.log"


@dataclass(frozen=True, slots=True)
class OwnService:
    """A service that runs."""

    url: str
    process_id: int

    @property
    def cpu(self) -> Callable[[], float] | None:
        """Tells the seconds of the processor that it has used so far; None where the system does not tell."""
        file = Path(f"/proc/{self.process_id}/stat")
        return partial(_cpu_seconds, file) if file.exists() else None


@contextmanager
def own_service(stop: threading.Event) -> Iterator[OwnService]:
    """A service without limits, on a database that is gone afterwards; Refused when it does not start.

    stop  ends the wait for it, by KeyboardInterrupt
    """
    with TemporaryDirectory(prefix="authctl-") as directory:
        context = get_context("spawn")
        listener = bind("127.0.0.1", 0)
        try:
            url = address_of(listener, "localhost")
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(directory, listener, theirs, _SETTINGS), daemon=True)
            process.start()
            theirs.close()
        finally:
            listener.close()
        try:
            _await(process, ours, stop, Path(directory))
            yield OwnService(url, process.pid or 0)
        finally:
            _end(process, ours, stop)


def _cpu_seconds(file: Path) -> float:
    try:
        fields = file.read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    # User and system time, proc(5).
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await(process: BaseProcess, pipe: Connection, stop: threading.Event, directory: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while not pipe.poll(_TICK_SECONDS):
        if stop.is_set():
            raise KeyboardInterrupt
        if not process.is_alive() or time.monotonic() > ends:
            raise _not_started(directory)
    try:
        pipe.recv_bytes()
    except EOFError as error:
        raise _not_started(directory) from error


def _not_started(directory: Path) -> Refused:
    file = directory / _SAID
    said = file.read_text(encoding="utf-8", errors="replace").strip().splitlines() if file.exists() else []
    reason = f": {said[-1][:300]}" if said else ""
    return Refused(f"The service for this load did not start{reason}", hint="--url names one that runs already")


def _end(process: BaseProcess, pipe: Connection, stop: threading.Event) -> None:
    process.terminate()
    # Nobody is served any more; whoever has interrupted does not wait for a drain.
    process.join(1.0 if stop.is_set() else _DRAIN_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    pipe.close()


def _serve(directory: str, listener: socket.socket, pipe: Connection, environment: Mapping[str, str]) -> None:
    """The main function of the process."""
    # A terminal sends an interrupt to the whole group; whoever started the load decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reporter = Reporter(pipe)
    threading.Thread(target=reporter.watch, daemon=True).start()
    place = Path(directory)
    with (place / _SAID).open("ab") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    port = listener.getsockname()[1]
    settings = load_settings(environ=environment, cwd=place, port=port, host="127.0.0.1")
    run_service(settings, listener, reporter.ready)
