"""A server as a load needs it: the cheapest way there, every request measured."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event as Flag
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from urllib.request import getproxies

from authctl.virtual_authenticator.harness.load.metered import Metered
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.recipe.permission import is_loopback
from authctl.virtual_authenticator.harness.transport import Transport
from authctl.virtual_authenticator.harness.wire import Wires

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

    from authctl.virtual_authenticator.harness.lifespan import AsgiApp
    from authctl.virtual_authenticator.harness.recipe.model import Recipe
    from authctl.virtual_authenticator.harness.transport import Channel


@dataclass(frozen=True, slots=True)
class LoadedServer:
    """A server under load, used as a context manager.

    metered  its channel
    cpu      the seconds of the processor that it has used so far, where somebody can tell
    """

    described: DescribedServer
    metered: Metered
    timeout: float
    cpu: Callable[[], float] | None = None

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        url: str | None = None,
        *,
        origin: str | None = None,
        timeout: float = 10.0,
        allowed: Collection[str] = (),
        app: AsgiApp | None = None,
        stop: Flag | None = None,
        cpu: Callable[[], float] | None = None,
    ) -> Self:
        """The server of a recipe, as DescribedServer takes it; waiting for its limits ends when `stop` is set."""
        ways: list[Metered] = []

        def channel(base_url: str) -> Channel:
            ways.append(Metered(_way_to(base_url, timeout, app)))
            return ways[0]

        stopping = stop or Flag()

        def sleep(seconds: float) -> None:
            stopping.wait(seconds)

        described = DescribedServer(
            recipe, url, origin=origin, timeout=timeout, allowed=allowed, app=app, sleep=sleep, channel=channel
        )
        return cls(described, ways[0], timeout, cpu)

    def __enter__(self) -> Self:
        self.described.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.described.__exit__(kind, error, trace)


def _way_to(base_url: str, timeout: float, app: AsgiApp | None) -> Channel:
    parts = urlsplit(base_url)
    if app is not None or parts.scheme != "http" or (not is_loopback(parts.hostname or "") and getproxies()):
        # TLS and proxies are left to the client that knows them; it takes several times as much of the processor.
        return Transport(base_url, timeout=timeout, app=app)
    return Wires(base_url, timeout=timeout)
