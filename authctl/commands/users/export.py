"""`authctl users export`: writes everything held about one person."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from authctl.commands._options import ArchiveOption, FormatOption, PersonArgument
from authctl.commands._output import Format, Output
from authctl.commands._rendering import json_document
from authctl.commands._session import open_session
from authctl.errors import UsageError


def export(
    email: PersonArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a private file, whole or not at all."),
    ] = None,
    archive: ArchiveOption = None,
    output_format: FormatOption = Format.JSON,
) -> None:
    """Write everything held about one person as one JSON document.

    Account, passkeys, sessions, pending ceremonies and events; also of somebody whose account is gone, as long as
    events tell of them. JSON only: --format jsonl writes it in one line. The export itself is an event.

    Example: authctl users export jane@example.com --output jane.json
    """
    if output_format not in (Format.JSON, Format.JSONL):
        raise UsageError("An export is one JSON document", hint="leave --format away")
    with open_session() as session:
        held = session.run(session.service.personal_data.export(email, session.caller, archive))
    if output is None:
        Output(output_format).record(held)
        return
    _write_private(output, json_document(held, indented=output_format is Format.JSON) + "\n")
    Output().done(f"{len(held['audit_events'])} events and all else that is held are in {output}", {})


def _write_private(path: Path, text: str) -> None:
    """A new file that only its owner can read, under its name when it is complete."""
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
