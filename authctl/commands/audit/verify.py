"""`authctl audit verify`: checks that the audit trail is intact."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import typer

from authctl.commands._errors import DONE, NO, REFUSED
from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output, Row
from authctl.commands._session import open_session

if TYPE_CHECKING:
    from authctl.server.audit.findings import Verdict

FINDING_COLUMNS: Final = (
    Column("kind", "Finding"),
    Column("writer_id", "Writer"),
    Column("seq", "Sequence"),
    Column("sentence", "What is wrong"),
    Column("event_id"),
)
EXIT_OF_STATUS: Final = {"intact": DONE, "altered": NO, "truncated": REFUSED}


def verify(output_format: FormatOption = Format.TABLE) -> None:
    """Check that the audit trail is intact.

    Holds every chain, the signed checkpoints and the log file against each other.
    Exits 0 when it is intact, 1 when it was altered, 4 when its end is missing, 5 when it cannot be read.

    Example: authctl audit verify
    """
    with open_session() as session:
        verdict = session.run(session.service.audit.verify())
    _show(verdict, Output(output_format))
    raise typer.Exit(EXIT_OF_STATUS[verdict.status])


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
