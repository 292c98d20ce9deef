"""`authctl audit verify`: checks that the audit trail is intact."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.commands._errors import DONE, NO, REFUSED
from authctl.commands._options import ArchiveOption, FormatOption
from authctl.commands._output import Column, Format, Output, Row
from authctl.commands._session import open_session
from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.server.audit.checkpoints import Checkpoint
    from authctl.server.audit.findings import Verdict

FINDING_COLUMNS: Final = (
    Column("kind", "Finding"),
    Column("writer_id", "Writer"),
    Column("seq", "Sequence"),
    Column("event_id", "Event"),
    Column("sentence", "What is wrong"),
)
_EVENT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST: Final = 1 << 24
EXIT_OF_STATUS: Final = {"intact": DONE, "altered": NO, "truncated": REFUSED}


def verify(
    archive: ArchiveOption = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="Hold the trail against a checkpoint kept elsewhere."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="CHECKPOINT", help="Only what came after a checkpoint: its event id, or FILE."),
    ] = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Check that the audit trail is intact.

    Holds every chain, the signed checkpoints, removals and erasures, and the log file against each other; with
    --archive also the events that were moved there. Exits 0 when it is intact, 1 when it was altered, 4 when its end
    is missing, 5 when it cannot be read.

    Example: authctl audit verify --checkpoint /mnt/elsewhere/checkpoint.json
    """
    if since is not None and archive is not None:
        raise UsageError("--since leaves out what is archived", hint="take one of --since and --archive")
    with open_session() as session:
        kept = None if checkpoint is None else _read(checkpoint)
        begin = since if since is None or _is_event_id(since) else _read(Path(since))
        verdict = session.run(session.service.audit.verify(archive=archive, kept=kept, since=begin))
    _show(verdict, Output(output_format))
    raise typer.Exit(EXIT_OF_STATUS[verdict.status])


def _read(path: Path) -> Checkpoint:
    from authctl.server.audit.checkpoints import parse_document

    with path.open("rb") as file:
        return parse_document(file.read(_LARGEST), str(path))


def _is_event_id(text: str) -> bool:
    return _EVENT_ID.fullmatch(text.strip().lower()) is not None


def _show(verdict: Verdict, output: Output) -> None:
    for note in verdict.notes:
        output.warning(note)
    findings: list[Row] = [asdict(finding) for finding in verdict.findings]
    summary = {"status": verdict.status, **asdict(verdict.counts), "findings": verdict.total_findings}
    if output.format is not Format.TABLE:
        output.record(
            {**summary, "findings": findings, "total_findings": verdict.total_findings, "notes": verdict.notes}
        )
        return
    output.record(summary)
    if findings:
        output.text("")
        output.table(findings, FINDING_COLUMNS)
    if len(findings) < verdict.total_findings:
        output.hint(f"the first {len(findings)} findings are shown")
