"""A server under test for attacks: an application in this process or an address, with a recipe for its ceremonies."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import AuthctlError, UsageError
from authctl.testing.apps import as_asgi
from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, TAKES_STEPS, Needs
from authctl.virtual_authenticator.harness.attack.targets import lab_of, require_control, survey
from authctl.virtual_authenticator.harness.recipe.builtin import find
from authctl.virtual_authenticator.harness.recipe.check import recipe_from
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.recipe.model import Recipe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

    from authctl.virtual_authenticator.faults.stage import Ability, Lab
    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.attack.targets import Survey
    from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit

_NOWHERE: Final = "http://localhost"
"""The address of an application in this process when neither an origin nor the recipe names one."""


def relying_party(
    target: Any,
    recipe: str | Path | Mapping[str, Any] | Recipe,
    *,
    origin: str | None = None,
    can: Collection[str] = (),
    abilities: Mapping[str, Ability] | None = None,
    interface: str = "",
    allowed: Collection[str] = (),
    timeout: float = 10.0,
    trusted_root: str = "",
) -> ServerUnderTest:
    """A server to attack, used as a context manager.

    target        an ASGI or WSGI application, or the address of a server
    recipe        how its ceremonies are run: a built-in name, a file, a dictionary of the same form, or a Recipe
    origin        of the page that the client pretends to be on; without it that of the recipe or of the address
    can           what the server allows beside what its recipe says, by the names that cases ask for
    abilities     functions for what the harness can do to the server from behind, by such names
    interface     asgi or wsgi, for an application that does not show it
    allowed       hosts, besides this machine, that may be attacked
    trusted_root  the seed of the root certificate that the server was told to trust, see `root_certificate`

    Raises UsageError, RecipeInvalid among them, before anything is sent.
    """
    described = recipe_for(recipe)
    for name in (*can, *(abilities or {})):
        _require_capability(name)
    for name in can:
        _require_sayable(name)
    if isinstance(target, str):
        server = DescribedServer(described, target, origin=origin, timeout=timeout, allowed=allowed)
    else:
        address = origin or described.origin or described.base_url or _NOWHERE
        app = as_asgi(target, interface)
        server = DescribedServer(described, address, origin=origin, timeout=timeout, app=app)
    return ServerUnderTest(lab_of(server, frozenset(can), abilities, trusted_root), server)


def recipe_for(recipe: str | Path | Mapping[str, Any] | Recipe) -> Recipe:
    """The recipe that is named, in a file, or in a dictionary; RecipeInvalid lists all that is wrong with it."""
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, Path):
        # A file without a suffix is a file all the same.
        return find(str(recipe.absolute()))
    return find(recipe) if isinstance(recipe, str) else recipe_from(recipe, "the application")


def root_certificate(seed: str) -> bytes:
    """The root, in PEM, of the certificates of attacks on a server that is made with `trusted_root=seed`.

    Whoever knows the seed can issue certificates, so that only a server for tests may trust it.
    """
    return Authority.of_seed(seed).root_pem()


class ServerUnderTest:
    """A RelyingParty, and all that is known of it. Whatever is found out at first is not asked again."""

    def __init__(self, lab: Lab, server: DescribedServer) -> None:
        self.name = server.name
        self.origin = server.origin
        self.url = server.base_url
        self._server = server
        self._lab = lab
        self._seen: Survey | None = None
        self._unfit: AuthctlError | None = None

    def __enter__(self) -> ServerUnderTest:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def visit(self, account: Account | None = None) -> RecipeVisit:
        """Somebody new, or somebody who has an account, in a fresh browser."""
        return self._server.visit(account)

    def close(self) -> None:
        """Lets go of connections, without telling an application that it ends."""
        self._server.close()

    def lab(self, needs: Needs) -> Lab:
        """The server with what is known of it; its settings are what they are."""
        return self.survey().lab

    def survey(self) -> Survey:
        """What a look at the server shows; ServerUnreachable or CannotTest when it takes no faultless ceremony."""
        if self._unfit is not None:
            raise self._unfit
        if self._seen is None:
            try:
                require_control(self._lab)
                self._seen = survey(self._lab)
            except AuthctlError as error:
                self._unfit = error
                raise
        return self._seen


def _require_capability(name: str) -> None:
    if name not in CAPABILITIES:
        near = get_close_matches(name, CAPABILITIES, 1, 0.5)
        hint = f"Did you mean {near[0]}?" if near else f"One of {', '.join(CAPABILITIES)}"
        raise UsageError(f"There is no capability {name}", hint=hint)


def _require_sayable(name: str) -> None:
    if name in TAKES_STEPS:
        raise UsageError(f"{name} takes a function that does it", hint=f'abilities={{"{name}": …}}')
    if name == "trusted-root":
        raise UsageError("trusted-root takes the seed of the root", hint="trusted_root=…, and root_certificate(…)")
    if name == "related-origin":
        raise UsageError("related-origin takes the origin", hint='In the recipe: [capabilities] related-origin = "…"')
