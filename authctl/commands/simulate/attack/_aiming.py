"""What the options say about the server under attack."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.errors import UsageError
from authctl.virtual_authenticator.faults.needs import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authctl.virtual_authenticator.harness.attack.targets import Target

_TAKES_A_HAND: Final = frozenset({"expiry", "delete-passkey", "disable-user", "delete-user", "related-origin"})
"""Capabilities that somebody has to do something for, which a recipe describes."""
SAYABLE: Final = tuple(name for name in CAPABILITIES if name not in _TAKES_A_HAND)
OWN: Final = "authctl, in this process"

CanOption = Annotated[
    list[str] | None,
    typer.Option(
        "--can",
        metavar="NAME",
        help=f"What the server allows, beside what its recipe says: {', '.join(SAYABLE)}. May be repeated.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Aim:
    """A server under attack.

    server  how reports call it
    recipe  by which it is reached
    """

    server: str
    recipe: str
    open_target: Callable[[], Target]

    @classmethod
    def of(
        cls,
        url: str | None,
        recipe: str | None,
        allowed: Sequence[str],
        origin: str | None,
        timeout: float,
        can: Sequence[str],
    ) -> Aim:
        """The server that was named, or authctl's own service; raises UsageError or SettingsError."""
        from authctl.virtual_authenticator.harness.recipe.builtin import find

        capabilities = _capabilities(can)
        if url is None and recipe is None:
            return cls._own()
        described = find(recipe or "authctl")

        def open_target() -> Target:
            from authctl.virtual_authenticator.faults.stage import Lab
            from authctl.virtual_authenticator.harness.attack.targets import OneServer
            from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer

            server = DescribedServer(described, url, origin=origin, timeout=timeout, allowed=allowed)
            return OneServer(Lab(server, server.capabilities | capabilities, server.abilities))

        return cls(url or described.base_url, described.name, open_target)

    @classmethod
    def _own(cls) -> Aim:
        def open_target() -> Target:
            from authctl.commands.simulate._own_service import OwnService

            return OwnService()

        return cls(OWN, "authctl", open_target)


def _capabilities(names: Sequence[str]) -> frozenset[str]:
    for name in names:
        if name in SAYABLE:
            continue
        if name in _TAKES_A_HAND:
            raise UsageError(f"--can {name} takes steps, which only a recipe can describe", hint="see [abilities]")
        near = get_close_matches(name, SAYABLE, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(SAYABLE)}"
        raise UsageError(f"There is no capability {name}", hint=hint)
    return frozenset(names)
