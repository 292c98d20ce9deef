"""The root of the command line: a table of lazily imported commands, and no logic."""

from __future__ import annotations

import itertools
import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

import authctl
from authctl.commands._errors import run_guarded
from authctl.commands._lazy import MARKUP, Lazy, LazyGroup
from authctl.commands._output import Format, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final[dict[str, Lazy]] = {
    "serve": Lazy("authctl.commands.serve:serve", "Run the login service."),
    "promote": Lazy("authctl.commands.promote:promote", "Make a user an admin."),
    "demote": Lazy("authctl.commands.demote:demote", "Take the admin role away from a user."),
    "users": Lazy("authctl.commands.users:group", "Look at users and passkeys; disable, export or erase users."),
    "audit": Lazy("authctl.commands.audit:group", "Ask the audit trail, and check that nobody altered it."),
    "simulate": Lazy("authctl.commands.simulate:group", "Run passkey ceremonies with a software authenticator."),
    "passkeys": Lazy("authctl.commands.passkeys:group", "Look after the software authenticator's passkeys."),
    "config": Lazy("authctl.commands.config:group", "Show and check the settings."),
    "db": Lazy("authctl.commands.db:group", "Look after the database schema."),
    "reset": Lazy("authctl.commands.reset:reset", "Empty the database and start a new audit trail."),
}


@dataclass(slots=True)
class Invocation:
    """What the root options said."""

    is_debugging: bool = False


class RootGroup(LazyGroup):
    """The outermost group: turns whatever a command raises into a line on stderr and an exit number."""

    def __init__(self, **attributes: Any) -> None:
        attributes.pop("commands", None)
        super().__init__(COMMANDS, **attributes)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs one command line and exits, as Typer's own does."""
        del standalone_mode, windows_expand_args
        arguments = list(sys.argv[1:] if args is None else args)
        invocation = Invocation(is_debugging=bool(os.environ.get("AUTHCTL_DEBUG")))
        run = partial(super().main, arguments, prog_name, complete_var, standalone_mode=False, obj=invocation, **extra)
        sys.exit(run_guarded(run, _format_of(arguments), is_debugging=lambda: invocation.is_debugging))


app = typer.Typer(
    name="authctl",
    cls=RootGroup,
    no_args_is_help=True,
    rich_markup_mode=MARKUP,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        Output().text(f"authctl {authctl.__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """A passwordless login service, its command line, and a harness that tests any WebAuthn server.

    Example: authctl serve

    Answers go to stdout, everything said to a person to stderr.
    """
    del version  # answered by its callback, before any command runs
    if debug:
        context.obj.is_debugging = True


def _format_of(arguments: Sequence[str]) -> Format:
    """The format that was asked for, read from the words themselves so that a misspelt option is reported in it."""
    words = [part for argument in arguments for part in argument.split("=", 1)]
    asked = [value for option, value in itertools.pairwise(words) if option == "--format"]
    return Format(asked[-1]) if asked and asked[-1] in set(Format) else Format.TABLE
