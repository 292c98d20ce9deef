"""Starts and stops an ASGI application in the same process, as a server would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from authctl.errors import ServerUnreachable

Message: TypeAlias = MutableMapping[str, Any]
AsgiApp: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Lifespan:
    """The lifespan protocol of one application; one that does not speak it is taken as started."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the application is ready; ServerUnreachable when it says that it will not be."""
        self._task = asyncio.create_task(self._run())
        await self._to_app.put({"type": "lifespan.startup"})
        message = await self._from_app.get()
        if message["type"] == "lifespan.startup.failed":
            raise ServerUnreachable("The application did not start", debug=str(message.get("message", "")))

    async def stop(self) -> None:
        """Lets the application put its things away."""
        if self._task is not None and not self._task.done():
            await self._to_app.put({"type": "lifespan.shutdown"})
            await self._from_app.get()
            await self._task

    async def _run(self) -> None:
        try:
            await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._to_app.get, self._say)
        except Exception as error:
            # An application without lifespan raises here; one whose start failed has said so before.
            await self._from_app.put({"type": "lifespan.absent", "message": str(error)})

    async def _say(self, message: Message) -> None:
        await self._from_app.put(message)
