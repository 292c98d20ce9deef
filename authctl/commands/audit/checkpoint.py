"""`authctl audit checkpoint`: signs what the audit trail holds now, to be kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._rendering import json_document
from authctl.commands._session import open_session
from authctl.errors import UsageError


def checkpoint(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a private file, whole or not at all."),
    ] = None,
    output_format: FormatOption = Format.JSON,
) -> None:
    """Sign what the audit trail holds now.

    The answer is one JSON document that names the end of every chain that has moved, with its signature and the public
    key. Keep it on another machine: `authctl audit verify --checkpoint FILE` tells whether everything that it vouches
    for is still there, and nobody without the signing key can make another. When nothing happened since the last
    checkpoint, that one is given. A new one is an event.

    Example: authctl audit checkpoint --output /mnt/elsewhere/checkpoint.json
    """
    if output_format not in (Format.JSON, Format.JSONL):
        raise UsageError("A checkpoint is one JSON document", hint="leave --format away")
    if output is not None:
        from authctl.server.audit.export.files import replace_file, require_replaceable

        require_replaceable(output)
    with open_session() as session:
        signed = session.run(session.service.audit.sign_checkpoint(session.caller))
    document = signed.document()
    if output is None:
        Output(output_format).record(document)
        return
    replace_file(output, (json_document(document, indented=output_format is Format.JSON) + "\n").encode())
    Output().done(f"the checkpoint of {document['time']} is in {output}", {})
