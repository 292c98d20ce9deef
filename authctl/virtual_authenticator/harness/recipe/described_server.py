"""A server under test, reached by a recipe: the RelyingParty that attacks, loads and tests are given."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from authctl.errors import UsageError
from authctl.virtual_authenticator.client.rp_id import parse_origin
from authctl.virtual_authenticator.errors import OriginNotAllowed
from authctl.virtual_authenticator.harness.recipe.permission import require_permission
from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit
from authctl.virtual_authenticator.harness.steps import PATIENCE_SECONDS
from authctl.virtual_authenticator.harness.transport import Transport, origin_of, require_url

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.lifespan import AsgiApp
    from authctl.virtual_authenticator.harness.recipe.model import Recipe
    from authctl.virtual_authenticator.harness.relying_party import Reaction, Visit
    from authctl.virtual_authenticator.harness.transport import Channel


class DescribedServer:
    """A RelyingParty by recipe, used as a context manager.

    base_url  where the server is; without it what the recipe says
    origin    of the page; without it what the recipe says, or that of the address
    app       an ASGI application in the place of the network
    allowed   hosts, besides this machine, that may be tested
    patience  seconds that one request waits altogether when the server asks to come back later
    channel   the way there, in place of an ordinary one; closed with the server
    """

    def __init__(
        self,
        recipe: Recipe,
        base_url: str | None = None,
        *,
        origin: str | None = None,
        app: AsgiApp | None = None,
        timeout: float = 10.0,
        allowed: Collection[str] = (),
        patience: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        channel: Callable[[str], Channel] | None = None,
    ) -> None:
        self.recipe = recipe
        self.name = recipe.name
        self.base_url = require_url(_address(recipe, base_url))
        self.origin = _as_browsers_write(origin or recipe.origin or origin_of(self.base_url))
        self.allowed = frozenset(allowed)
        self.patience = patience
        self.sleep = sleep
        if app is None:
            require_permission(self.base_url, self.allowed)
        self.transport: Channel = (
            Transport(self.base_url, timeout=timeout, app=app) if channel is None else channel(self.base_url)
        )

    def __enter__(self) -> DescribedServer:
        self.transport.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transport.__exit__(kind, error, trace)

    def visit(self, account: Account | None = None, *, is_new: bool | None = None) -> RecipeVisit:
        """Somebody new, or somebody who has an account unless `is_new` says otherwise, in a fresh browser."""
        return RecipeVisit(self, account, is_new=is_new)

    def close(self) -> None:
        """Lets go of connections."""
        self.transport.close()

    def values(self) -> dict[str, Any]:
        """What templates know of the place."""
        rp_id = self.recipe.rp_id or urlsplit(self.origin).hostname or ""
        return {"origin": self.origin, "rp_id": rp_id, "base_url": self.base_url}

    @property
    def capabilities(self) -> frozenset[str]:
        """What can be done there without steps of its own, by the names that cases ask for."""
        return self.recipe.capabilities

    @property
    def abilities(self) -> Mapping[str, Callable[[Visit, Any], Reaction | None]]:
        """What can be done there by steps of the recipe, given a visit of this server and a credential."""
        return {name: self._ability(name) for name in self.recipe.abilities}

    def _ability(self, name: str) -> Callable[[Any, Any], Reaction | None]:
        return lambda visit, credential: visit.perform(self.recipe.abilities[name], credential)


def _address(recipe: Recipe, base_url: str | None) -> str:
    found = base_url or recipe.base_url
    if not found:
        raise UsageError(f"The recipe {recipe.name} does not say where the server is", hint="--url names it")
    return found


def _as_browsers_write(origin: str) -> str:
    # The header has to be what the client data says; an origin without passkeys stays as it was typed.
    try:
        return str(parse_origin(origin))
    except OriginNotAllowed:
        return origin
