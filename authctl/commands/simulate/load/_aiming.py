"""What the options say about the server under load."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event as Flag

    from authctl.virtual_authenticator.harness.load.server import LoadedServer

OWN: Final = "authctl's own service for this load, as a process of its own and without limits"


@dataclass(frozen=True, slots=True)
class Aim:
    """A server under load, by address and recipe; authctl's own service when neither is there."""

    url: str | None
    target: str | None
    origin: str | None
    timeout: float
    allowed: tuple[str, ...]

    @property
    def is_own(self) -> bool:
        """Whether nothing was named."""
        return self.url is None and self.target is None

    @contextmanager
    def open(self, stop: Flag) -> Iterator[LoadedServer]:
        """The server; `stop` ends waiting for it."""
        from authctl.virtual_authenticator.harness.load.server import LoadedServer
        from authctl.virtual_authenticator.harness.recipe.builtin import find

        recipe = find(self.target or "authctl")
        if not self.is_own:
            with LoadedServer.of(
                recipe, self.url, origin=self.origin, timeout=self.timeout, allowed=self.allowed, stop=stop
            ) as server:
                yield server
            return
        from authctl.commands.simulate.load._own_process import own_service

        with own_service(stop) as own:
            # What the recipe says of its origin is for its own address.
            origin = self.origin or own.url
            with LoadedServer.of(
                recipe, own.url, origin=origin, timeout=self.timeout, stop=stop, cpu=own.cpu
            ) as server:
                yield server
