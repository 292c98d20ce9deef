"""A process that has imported the service already, and becomes any of our programs in a copy of itself.

A new interpreter takes a second to import what `authctl serve` needs. A copy has it from the start, and is as real in
everything else: a process of its own, with its own id, signals, files and end. `started.py` asks for copies.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

READY: Final = ("asyncio", "alembic.command", "rich.table", "authctl.server.running", "authctl.server.audit.sources")
"""What is imported beforehand: nothing that looks at the environment or at the streams while it is imported."""
MOST_BYTES: Final = 1 << 17
"""Of a wish: a command line and an environment."""


class Wish(NamedTuple):
    """What a copy shall be; `streams` are its stdin, stdout and stderr."""

    command: dict[str, Any]
    streams: list[int]


def serve(number: int) -> None:
    """Makes copies for whoever is at the other end of the socket, until that end is closed.

    In a copy, this returns when its program has ended.
    """
    for name in READY:
        importlib.import_module(name)
    importlib.import_module("coverage")
    gc.freeze()  # else each copy would copy all memory with its first collection
    door = socket.socket(fileno=number)
    while True:
        data, streams, _, _ = socket.recv_fds(door, MOST_BYTES, 3)
        if not data:
            return
        if _is_copy(door):
            door.close()
            _become(Wish(json.loads(data), streams))
            return
        for stream in streams:
            os.close(stream)


def _is_copy(door: socket.socket) -> bool:
    """Forks twice: who stands between ends at once, so that the copy becomes a child of the process that asked."""
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        door.send(b"it is yours now")
        return False
    copy = os.fork()
    if copy:
        door.send(str(copy).encode())
        os._exit(0)
    return True


def _open_streams() -> None:
    """As the interpreter does when it starts: the old ones remember what their files were like."""
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)


def _become(wish: Wish) -> None:
    command = wish.command
    for number, stream in enumerate(wish.streams):
        os.dup2(stream, number)
        os.close(stream)
    _open_streams()
    if command["is_leader"]:
        os.setsid()
    if command["umask"] >= 0:
        os.umask(command["umask"])
    os.environ.clear()
    os.environ.update(command["environ"])
    time.tzset()
    os.chdir(command["cwd"])
    importlib.import_module("coverage").process_startup()
    for place, value in command["constants"].items():
        module, _, name = place.rpartition(".")
        setattr(importlib.import_module(module), name, value)
    program, *words = command["words"]
    if program == "-m":
        sys.path[0] = command["cwd"]
        sys.argv = words
        runpy._run_module_as_main(words[0])  # type: ignore[attr-defined]
    else:
        sys.path[0] = str(Path(program).parent)
        sys.argv = [program, *words]
        runpy.run_path(program, run_name="__main__")
