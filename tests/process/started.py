"""Starts our programs as processes: quickly, as copies of one that is warm, where the system can do that."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.process.forking import MOST_BYTES

ROOT: Final = Path(__file__).parent.parent.parent
_PR_SET_CHILD_SUBREAPER: Final = 36
_COVERAGE: Final = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
_lock = threading.Lock()


class Started(subprocess.Popen[Any]):
    """A process like any other, for `[sys.executable, "-m", "authctl", …]` and `[sys.executable, "program.py", …]`."""

    def __init__(self, args: list[str], *, constants: dict[str, object], **arguments: Any) -> None:
        self._constants = constants
        super().__init__(args, **arguments)

    def _execute_child(self, args: Any, *rest: Any) -> None:
        """Where `subprocess` would fork and run an interpreter; the arguments are its own."""
        cwd, environ, pipes, umask, is_leader = rest[4], rest[5], rest[9:15], rest[19], rest[20]
        command = {
            "words": args[1:],
            "cwd": str(cwd or Path.cwd()),
            "environ": dict(os.environ if environ is None else environ),
            "umask": umask,
            "is_leader": bool(is_leader),
            "constants": self._constants,
        }
        theirs = [number if stream == -1 else stream for number, stream in enumerate((pipes[0], pipes[3], pipes[5]))]
        try:
            self.pid = _copy(command, theirs)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def start(words: list[str], *, constants: dict[str, object] | None = None, **arguments: Any) -> subprocess.Popen[Any]:
    """A program of ours with these words, as `subprocess.Popen` would start it.

    constants  values that a copy gets in place of its own, such as shorter intervals; the test is only slower without
    """
    command = [sys.executable, *words]
    if sys.platform != "linux":
        return subprocess.Popen(command, **arguments)
    return Started(command, constants=constants or {}, **arguments)


def run(words: list[str], within: float, **arguments: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program of ours to its end; what it said is text."""
    pipe = subprocess.PIPE
    with start(words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, **arguments) as process:
        try:
            out, said = process.communicate(timeout=within)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, said)


def _copy(command: dict[str, Any], streams: list[int]) -> int:
    """The id of a new child of this process."""
    wish = json.dumps(command).encode()
    assert len(wish) <= MOST_BYTES
    with _lock:
        door = _warm_process()
        # The copy's parent ends at once, and the copy has to come to us and not to the system's first process.
        _adopt(wanted=True)
        try:
            socket.send_fds(door, [wish], streams)
            pid = int(door.recv(100))
            assert door.recv(100)
        finally:
            _adopt(wanted=False)
    return pid


def _adopt(*, wanted: bool) -> None:
    assert ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0) == 0


@cache
def _warm_process() -> socket.socket:
    """The way to the process that is copied; it ends when this process does."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = f"from tests.process.forking import serve; serve({its.fileno()})"
    environ = {name: value for name, value in os.environ.items() if name not in _COVERAGE}
    with its:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    process.returncode = 0  # nobody waits for it, and that is no reason to warn
    return ours
