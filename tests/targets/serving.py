"""Serves an application on a free port of this machine and says where: the first line of its output is the address."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette


def serve(create_app: Callable[[str], Starlette]) -> None:
    """Runs until it is told to stop; the application is made for the origin that the port gives."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        origin = f"http://localhost:{listening.getsockname()[1]}"
        config = uvicorn.Config(create_app(origin), log_level="error")
        listening.listen(128)
        print(origin, flush=True)  # noqa: T201  # whoever started this program waits for it
        uvicorn.Server(config).run(sockets=[listening])
