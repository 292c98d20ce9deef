"""What the options say about the server under attack."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.errors import UsageError
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, TAKES_STEPS, TAKES_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authctl.virtual_authenticator.harness.attack.targets import Target

SAYABLE: Final = tuple(name for name in CAPABILITIES if name not in (*TAKES_STEPS, *TAKES_TEXT))
OWN: Final = "authctl, in this process"

CanOption = Annotated[
    list[str] | None,
    typer.Option(
        "--can",
        metavar="NAME",
        help=f"What the server allows, beside what stands under `capabilities` in its recipe: {', '.join(SAYABLE)}. "
        "May be repeated.",
        show_default=False,
    ),
]
TrustedRootOption = Annotated[
    str | None,
    typer.Option(
        "--trusted-root",
        metavar="TEXT",
        help="The server trusts the root that `simulate attack root --seed TEXT` prints. Beside --url or --target.",
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
        trusted_root: str = "",
    ) -> Aim:
        """The server that was named, or authctl's own service; raises UsageError or SettingsError."""
        from authctl.virtual_authenticator.harness.recipe.builtin import find

        capabilities = _capabilities(can)
        if url is None and recipe is None:
            if trusted_root:
                raise UsageError("--trusted-root is for a server that --url or --target names")
            return cls._own()
        described = find(recipe or "authctl")

        def open_target() -> Target:
            from authctl.virtual_authenticator.harness.attack.targets import OneServer, lab_of
            from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer

            server = DescribedServer(described, url, origin=origin, timeout=timeout, allowed=allowed)
            return OneServer(lab_of(server, capabilities, root_seed=trusted_root))

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
        if name in TAKES_STEPS:
            raise UsageError(
                f"--can {name} takes steps, which only a recipe can describe",
                hint=f"in a recipe of your own: [capabilities] {name} = [{{ url = … }}]",
            )
        if name == "trusted-root":
            raise UsageError(
                "--can trusted-root takes the root",
                hint="`authctl simulate attack root --seed TEXT` prints one for the server: --trusted-root TEXT",
            )
        if name in TAKES_TEXT:
            raise UsageError(
                f"--can {name} takes a text, which only a recipe can say",
                hint=f'in a recipe of your own: [capabilities] {name} = "…"',
            )
        near = get_close_matches(name, SAYABLE, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(SAYABLE)}"
        raise UsageError(f"There is no capability {name}", hint=hint)
    return frozenset(names)
