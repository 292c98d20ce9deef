"""Registration and login against the server of a recipe, and what is shown of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.errors import UsageError
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.recipe import ceremonies

if TYPE_CHECKING:
    from authctl.commands.simulate._running import Simulation
    from authctl.virtual_authenticator.harness.recipe.ceremonies import Accepted
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
    from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit

TOKEN = "token"  # noqa: S105  # the name that a recipe saves it under


def register(run: Simulation, visit: RecipeVisit, attestation: str | None) -> None:
    """Registers and shows it."""
    show(run, run.drive(ceremonies.register(run.client, visit, attestation=attestation)))


def log_in(
    run: Simulation, server: DescribedServer, known: str | None, account: Account, attestation: str | None
) -> Accepted:
    """Logs in whom the authenticator knows there, or registers the account first."""
    person = None if known is None else Account(known)
    ceremony = ceremonies.login_registering_first(
        run.client, server, person, account, attestation=attestation, reads_profile=run.recorder is not None
    )
    return run.drive(ceremony)


def show(run: Simulation, done: Accepted, *, print_token: bool = False) -> None:
    """Shows what was done, or the token alone that the recipe saved."""
    if not print_token:
        recipe = run.server.name if run.server else ""
        run.show(target=recipe, rp_id=done.rp_id, email=done.account.email, credential_id=done.credential_id)
        return
    token = done.saved.get(TOKEN)
    if not isinstance(token, str):
        raise UsageError(
            "The recipe saves no value named token", hint='finish = { …, save = { token = "$.access_token" } }'
        )
    run.output.text(token)
