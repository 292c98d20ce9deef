"""The lifespan of applications, those among them that never say what they should."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.harness.lifespan import Lifespan

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.lifespan import AsgiApp


async def ignoring(scope: Any, receive: Any, send: Any) -> None:
    """Speaks HTTP and nothing else, and says nothing about it."""


async def raising(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("no lifespan here")


async def starting_for_ever(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def stopping_for_ever(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.Event().wait()


async def failing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "lifespan.startup.failed", "message": "no database"})


def lived(app: AsgiApp, patience: float = 10.0) -> None:
    async def live() -> None:
        lifespan = Lifespan(app, patience)
        await lifespan.start()
        await lifespan.stop()

    asyncio.run(live())


@pytest.mark.parametrize("app", [ignoring, raising])
def test_an_application_is_taken_as_started_when_it_has_no_lifespan(app: AsgiApp) -> None:
    lived(app)


def test_nobody_waits_for_ever_when_an_application_does_not_start() -> None:
    with pytest.raises(ServerUnreachable, match=r"did not start within 0\.05 s"):
        lived(starting_for_ever, 0.05)


def test_nobody_waits_for_ever_when_an_application_does_not_stop() -> None:
    lived(stopping_for_ever, 0.05)


def test_an_application_that_says_that_it_cannot_start_is_not_there() -> None:
    with pytest.raises(ServerUnreachable) as caught:
        lived(failing)
    assert caught.value.debug == "no database"


def test_what_was_never_started_needs_no_end() -> None:
    asyncio.run(Lifespan(ignoring).stop())
