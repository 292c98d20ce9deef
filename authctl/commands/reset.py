"""`authctl reset`: empties the database and starts a new audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from authctl.commands._asking import require_yes
from authctl.commands._options import FormatOption, YesOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session

if TYPE_CHECKING:
    from authctl.settings import Settings


def reset(
    yes: YesOption = False,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="HOST", help="In production: the host of RP_ID.")
    ] = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Empty the database and start a new audit trail.

    Users, credentials, sessions and events go; schema and keys stay. The new trail begins with this act.
    Asks first, unless told --yes. In production the service has to be stopped, --confirm has to name the host of
    RP_ID, and a copy is made before.

    Example: authctl reset --yes
    """
    from authctl.settings import load_settings

    settings = load_settings()
    output = Output(output_format)
    if not settings.is_production:  # there the service itself insists on --confirm
        require_yes(output, yes or confirm == settings.rp_id, f"Delete every user and event in {_place(settings)}?")
    with open_session(settings, create=True) as session:
        done = session.run(session.service.maintenance.reset(session.caller, confirmed_host=confirm))
    output.done("the database is empty", {"generation": done.generation, "copy": str(done.copy) if done.copy else None})
    if done.copy:
        output.hint(f"a copy of what was there is at {done.copy}")


def _place(settings: Settings) -> str:
    from authctl.settings import describe

    return next(row.value for row in describe(settings) if row.name == "DATABASE_URL")
