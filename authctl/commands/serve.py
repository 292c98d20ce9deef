"""`authctl serve`: runs the login service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

import authctl
from authctl.commands._output import Output

if TYPE_CHECKING:
    from authctl.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on, instead of HOST.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on, instead of PORT.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="How many processes serve.")] = 1,
    reload: Annotated[bool, typer.Option("--reload", help="Start anew when the source changes.")] = False,
) -> None:
    """Run the login service.

    Creates a database, an audit file and a key directory in the working directory when there are none.
    Stops on SIGTERM or Ctrl-C, once the requests that are under way are answered.

    Example: authctl serve --port 8000
    """
    from authctl.settings import load_settings

    settings = load_settings(host=host, port=port)
    from authctl.server import running

    running.serve(settings, workers=workers, reload=reload, on_started=partial(_banner, Output(), settings))


def _banner(output: Output, settings: Settings, address: str) -> None:
    from authctl.settings import describe, settings_warnings

    shown = {row.name: row.value for row in describe(settings)}
    output.message(f"authctl {authctl.__version__} serves {settings.origins[0]}")
    for label, value in (
        ("listens on", address),
        ("database", shown["DATABASE_URL"]),
        ("RP id", settings.rp_id),
        ("keys", shown["KEY_DIR"]),
        ("audit file", shown["LOG_FILE"]),
    ):
        output.message(f"  {label:<10}  {value}")
    for warning in settings_warnings(settings):
        output.warning(warning)
