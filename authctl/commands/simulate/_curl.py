"""A ceremony as commands for a shell: what was sent, or what is still to be sent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from authctl.commands._output import Format
from authctl.errors import AuthctlError, UsageError
from authctl.virtual_authenticator.harness.curl import Ending, script
from authctl.virtual_authenticator.harness.recipe.cookies import CookieJar
from authctl.virtual_authenticator.harness.recipe.sending import Sender
from authctl.virtual_authenticator.harness.transcript import Held
from authctl.virtual_authenticator.harness.transport import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.commands.simulate._running import Choices, Simulation
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer

_TOKEN = "token"  # noqa: S105  # the name that a recipe saves it under

_ANY = "any"
"""In the place of a token that is not there yet; the command names a variable."""


def require_sense(choices: Choices, *, print_token: bool) -> None:
    """UsageError when what was asked for does not go together."""
    if choices.curl and print_token:
        raise UsageError("--curl and --print-token both write to stdout", hint="leave out one of them")
    if choices.unsent and not choices.curl:
        raise UsageError("--unsent leaves the rest to commands, which --curl writes", hint="add --curl")
    if choices.unsent and choices.url is None and choices.target is None:
        raise UsageError("The service of this run is gone before anybody can send to it", hint="--url names another")


@contextmanager
def commands_shown(run: Simulation, choices: Choices) -> Iterator[None]:
    """Shows what was sent even where it was refused, and what was held back.

    Where nothing goes wrong and nothing is held back, `run.show` does.
    """
    recorder = run.recorder
    if recorder is not None and choices.url is None and choices.target is None:
        run.output.warning("the service of this run ends with it: the commands show what was sent to it")
    try:
        yield
    except Held:
        exchanges = recorder.exchanges if recorder is not None else ()
        lines = script(exchanges, run.url if recorder is None else recorder.base_url, _ending(run.server))
        if run.output.format is Format.TABLE:
            run.output.lines(lines)
        else:
            facts = {"ceremony": run.name, "result": "unsent", "server": run.url, "origin": str(run.client.origin)}
            run.output.record({**facts, "commands": lines})
    except AuthctlError:
        if recorder is not None and recorder.exchanges and run.output.format is Format.TABLE:
            run.output.lines(script(recorder.exchanges, recorder.base_url))
        raise


def _ending(server: DescribedServer | None) -> Ending:
    """What follows the login: our own service is known, and of others the recipe tells."""
    if server is None:
        return Ending(("access_token",), Request("GET", "/users/me", headers={"Authorization": f"Bearer {_ANY}"}))
    recipe = server.recipe
    place = recipe.login.finish.save.get(_TOKEN)
    token = place.words if place is not None and place.kind == "json" else ()
    if recipe.profile is None:
        return Ending(token)
    try:
        return Ending(token, Sender(server, CookieJar()).request(recipe.profile, {**server.values(), _TOKEN: _ANY}))
    except AuthctlError:
        # It needs what only the answer of the login tells.
        return Ending(token)
