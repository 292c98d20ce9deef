"""Starts and stops an ASGI application in the same process, as a server would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from authctl.errors import ServerUnreachable

Message: TypeAlias = MutableMapping[str, Any]
AsgiApp: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
PATIENCE_SECONDS: Final = 10.0


class Lifespan:
    """The lifespan protocol of one application; one that does not speak it is taken as started.

    patience  seconds that the application may take to start, and again to stop
    """

    def __init__(self, app: AsgiApp, patience: float = PATIENCE_SECONDS) -> None:
        self._app = app
        self._patience = patience
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the application is ready; ServerUnreachable when it says that it will not be, or never says."""
        self._task = asyncio.create_task(self._run())
        await self._to_app.put({"type": "lifespan.startup"})
        try:
            message = await asyncio.wait_for(self._from_app.get(), self._patience)
        except TimeoutError as error:
            await self._give_up(self._task)
            raise ServerUnreachable(f"The application did not start within {self._patience:g} s") from error
        if message["type"] == "lifespan.startup.failed":
            raise ServerUnreachable("The application did not start", debug=str(message.get("message", "")))

    async def stop(self) -> None:
        """Lets the application put its things away."""
        if self._task is None or self._task.done():
            return
        await self._to_app.put({"type": "lifespan.shutdown"})
        try:
            await asyncio.wait_for(asyncio.shield(self._task), self._patience)
        except TimeoutError:
            # Nobody waits for ever for an application that is not wanted any more.
            await self._give_up(self._task)

    async def _give_up(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task], timeout=self._patience)

    async def _run(self) -> None:
        problem = ""
        try:
            await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._to_app.get, self._say)
        except Exception as error:
            # One whose start failed has said so before.
            problem = str(error)
        # An application without lifespan raises, or returns at once: neither says a word.
        await self._say({"type": "lifespan.absent", "message": problem})

    async def _say(self, message: Message) -> None:
        await self._from_app.put(message)
