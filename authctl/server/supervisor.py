"""Keeps worker processes running that share one listening socket, and ends them in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

logger = logging.getLogger(__name__)

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
DRAIN_SECONDS: Final = 9.5
IMPATIENT_SECONDS: Final = 0.95
LONGEST_PAUSE: Final = 5.0
"""Between restarts of a worker that dies again and again."""


class Reporter:
    """A worker's line to its supervisor."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def ready(self) -> None:
        """Says that connections are accepted."""
        self._pipe.send_bytes(b"ready")

    def watch(self) -> None:
        """Ends this process in order when the supervisor is gone: nobody would restart or stop it any more."""
        try:
            self._pipe.recv_bytes()
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGTERM)


@dataclass(slots=True)
class Worker:
    """A process, its line, and what is known of it."""

    process: BaseProcess
    pipe: Pipe
    started_at: float = field(default_factory=time.monotonic)
    is_ready: bool = False
    is_silent: bool = False

    def hear(self) -> None:
        """Takes what the worker said."""
        try:
            self.is_ready = self.pipe.recv_bytes() == b"ready"
        except (EOFError, OSError):
            self.is_silent = True


class Supervisor:
    """Runs `target(*arguments, reporter)` in processes of its own.

    They are spawned, not forked: a worker begins with nothing of this process but its arguments.
    """

    def __init__(
        self,
        target: Callable[..., None],
        arguments: tuple[Any, ...],
        listener: socket.socket,
        on_started: Callable[[], None] | None = None,
    ) -> None:
        self._target = target
        self._arguments = arguments
        self._listener = listener
        self._on_started = on_started
        self._context = get_context("spawn")
        self._workers: list[Worker] = []
        self._signals = 0
        self._has_changed = False
        self._pause = 0.0
        self._waker, self._wakened = socket.socketpair()
        self._waker.setblocking(False)

    def run(self, count: int) -> None:
        """Serves with `count` workers until a signal; raises Refused when one of them cannot start at all."""
        self._supervise(lambda: self._keep(count), count)

    def run_reloading(self) -> None:
        """Serves with one worker that is started anew whenever the source of the package changes."""
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch_source, args=(stop,), daemon=True)
        watcher.start()
        try:
            self._supervise(self._keep_fresh, 1)
        finally:
            stop.set()

    def _supervise(self, look_after: Callable[[], None], count: int) -> None:
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        is_announced = False
        try:
            for _ in range(count):
                self._start()
            while not self._signals:
                self._listen(1.0)
                look_after()
                if not is_announced and len(self._workers) == count and all(w.is_ready for w in self._workers):
                    is_announced = True
                    if self._on_started is not None:
                        self._on_started()
        finally:
            self._listener.close()
            self._end(self._workers)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._waker.close()
            self._wakened.close()

    def _on_signal(self, number: int, frame: object) -> None:
        self._signals += 1
        self._wake()

    def _wake(self) -> None:
        try:
            self._waker.send(b"!")
        except BlockingIOError:
            return  # it has enough reasons to wake already

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_begin, args=(self._target, self._arguments, theirs))
        process.start()
        theirs.close()
        self._workers.append(Worker(process, ours))

    def _listen(self, seconds: float) -> None:
        """Waits for a signal, a word of a worker or the end of one."""
        pipes = {worker.pipe: worker for worker in self._workers if not worker.is_silent}
        sentinels = [worker.process.sentinel for worker in self._workers]
        for source in wait([self._wakened, *pipes, *sentinels], seconds):
            if source is self._wakened:
                self._wakened.recv(1024)
            elif source in pipes:
                pipes[source].hear()

    def _keep(self, count: int) -> None:
        for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
            self._bury(worker)
            if not worker.is_ready and not any(other.is_ready for other in self._workers):
                raise Refused("A worker could not start", hint="the operational log says why")
            logger.error("worker %s ended with %s; starting another", worker.process.pid, worker.process.exitcode)
            is_stable = time.monotonic() - worker.started_at > LONGEST_PAUSE
            self._pause = 0.0 if is_stable else min(LONGEST_PAUSE, self._pause * 2 + 0.1)
            self._listen(self._pause)
        while len(self._workers) < count and not self._signals:
            self._start()

    def _keep_fresh(self) -> None:
        if self._has_changed:
            self._has_changed = False
            logger.info("the source has changed; starting anew")
            self._end(self._workers)
            self._start()
        for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
            self._bury(worker)
            logger.error("the worker ended with %s; waiting for a change of the source", worker.process.exitcode)

    def _watch_source(self, stop: threading.Event) -> None:
        from watchfiles import PythonFilter, watch

        for _ in watch(Path(__file__).parent.parent, watch_filter=PythonFilter(), stop_event=stop):
            self._has_changed = True
            self._wake()

    def _end(self, workers: list[Worker]) -> None:
        """Drains workers; a signal in the meantime hurries them, and who does not come to an end is killed."""
        seen = self._signals
        _terminate(workers)
        ends = time.monotonic() + DRAIN_SECONDS
        while alive := [worker for worker in workers if worker.process.is_alive()]:
            self._listen(0.1)
            if self._signals > seen:
                seen = self._signals
                _terminate(alive)
                ends = min(ends, time.monotonic() + IMPATIENT_SECONDS)
            if time.monotonic() > ends:
                for worker in alive:
                    logger.error("worker %s did not end in time and was killed", worker.process.pid)
                    worker.process.kill()
                ends = time.monotonic() + DRAIN_SECONDS
        for worker in list(workers):
            self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        if worker in self._workers:
            self._workers.remove(worker)


def _begin(target: Callable[..., None], arguments: tuple[Any, ...], pipe: Pipe) -> None:
    """The first function that runs in a worker."""
    # A terminal sends an interrupt to the whole group; the supervisor alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reporter = Reporter(pipe)
    threading.Thread(target=reporter.watch, daemon=True).start()
    target(*arguments, reporter)


def _terminate(workers: list[Worker]) -> None:
    for worker in workers:
        if worker.process.is_alive():
            worker.process.terminate()
