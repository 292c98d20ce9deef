"""Options that more than one command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from authctl.commands._output import Format

FormatOption = Annotated[
    Format,
    typer.Option("--format", help="How the answer is written.", metavar="table|json|jsonl|csv", show_default=True),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.", show_default=False)]
PersonArgument = Annotated[
    str,
    typer.Argument(metavar="EMAIL", help="The person's e-mail address, or the id of an account.", show_default=False),
]
ArchiveOption = Annotated[
    Path | None, typer.Option("--archive", metavar="DIR", help="Also in the events archived in this directory.")
]
AllowNoAdminOption = Annotated[
    bool, typer.Option("--allow-no-admin", help="Go ahead although this is the last admin, so that none is left.")
]
