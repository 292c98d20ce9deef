"""`authctl audit repair-file`: mends the log file from the table, or the table from log files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output
from authctl.commands._session import open_session
from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.server.audit.file_repair import Mending
    from authctl.server.audit.row_restoring import Restoring

REFUSED_COLUMNS: Final = (
    Column("file", "File"),
    Column("line", "Line"),
    Column("writer_id", "Writer"),
    Column("seq", "Sequence"),
    Column("why", "Why not"),
)


def repair_file(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The log file to be mended; by default LOG_FILE.", show_default=False),
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Restore rows from this log file instead; may be repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Mend the log file from the table, or the table from files.

    A file gets the lines that it lacks, and lines that differ from their rows are put right; what is no event goes to
    FILE.rejected. With --from, the table gets rows that it lacks back, when their MACs and the chain prove them
    genuine; what was removed or erased stays so. Both run beside a service, are events, and are finished by running
    them again.

    Example: authctl audit repair-file --from app.log.1 --from app.log
    """
    if file is not None and sources:
        raise UsageError("FILE is mended from the table, --from mends the table", hint="take one of them")
    output = Output(output_format)
    with open_session() as session:
        repair, caller = session.service.repair, session.caller
        if sources:
            restored = session.run(repair.restore_rows(sources, caller, dry_run=dry_run))
            _show_restored(restored, output, dry_run=dry_run)
        else:
            mended = session.run(repair.mend_file(file, caller, dry_run=dry_run))
            _show_mended(mended, output, dry_run=dry_run)


def _show_mended(mended: Mending, output: Output, *, dry_run: bool) -> None:
    output.record({"dry_run": dry_run, **asdict(mended)})
    if mended.without_row:
        output.warning(f"{mended.without_row} lines have no rows in the table; --from may restore these")
    if mended.doubtful:
        output.warning(f"{mended.doubtful} rows do not fit their MACs, so nothing was written from them")
    output.hint("authctl audit verify tells whether everything fits now")


def _show_restored(restored: Restoring, output: Output, *, dry_run: bool) -> None:
    lines: list[dict[str, Any]] = [line._asdict() for line in restored.lines]
    counts = {name: value for name, value in asdict(restored).items() if name != "lines"}
    if output.format is not Format.TABLE:
        output.record({"dry_run": dry_run, **counts, "refused_lines": lines})
        return
    output.record({"dry_run": dry_run, **counts})
    if lines:
        output.text("")
        output.table(lines, REFUSED_COLUMNS)
    if len(lines) < restored.refused:
        output.hint(f"the first {len(lines)} refused lines are shown")
    output.hint("authctl audit verify tells whether everything fits now")
