"""`authctl audit archive`: moves old events into the long-term store."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.commands._asking import require_yes
from authctl.commands._interrupting import interrupt, on_signals
from authctl.commands._options import FormatOption, YesOption
from authctl.commands._output import Column, Format, Output, Row, has_colours
from authctl.commands._session import open_session
from authctl.commands._times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.commands._session import Session
    from authctl.server.audit.archive.writing import ArchiveWriter

PLAN_COLUMNS: Final = (Column("month", "Month"), Column("rows", "Events"))
MOVED_COLUMNS: Final = (
    Column("month", "Month"),
    Column("rows", "Events"),
    Column("file", "File"),
    Column("size", "Bytes"),
)


def archive(
    before: Annotated[
        str,
        typer.Option("--before", metavar="TIME", help="Events older than: 90d, or a date or time.", show_default=False),
    ],
    archive: Annotated[
        Path,
        typer.Option("--archive", metavar="DIR", help="The archive; made when it is not there.", show_default=False),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be moved.")] = False,
    yes: YesOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Move old events into Parquet files by month, with a signed manifest.

    Runs beside a service. An event leaves the table only when its copy was read back and is durable; interrupted, the
    move is finished by running it again. All questions, verify and export take --archive DIR and span both. Events that
    tell of removals, erasures and resets stay, and so does the end of a chain that is still open. Asks first, unless
    told --yes.

    Example: authctl audit archive --before 90d --archive /var/lib/authctl/archive
    """
    moment = parse_time(before, option="--before", now=datetime.now(UTC))
    output = Output(output_format)
    with open_session() as session, _writer(session, archive) as writer:
        if dry_run:
            rows: list[Row] = [asdict(planned) for planned in writer.plan(moment)]
            output.table(rows, PLAN_COLUMNS, empty="No events would be moved.")
            return
        if not yes:
            found = sum(planned.rows for planned in writer.plan(moment))
            require_yes(output, yes, f"Move {found} events from before {moment:%Y-%m-%d %H:%M:%S}Z into {archive}?")
        with on_signals(interrupt, signal.SIGTERM):  # so that no copies of rows are left in temporary files
            moved = writer.move(moment)
    table: list[Row] = [{**asdict(one), "file": str(archive / one.file)} for one in moved]
    output.table(table, MOVED_COLUMNS, empty="No events were old enough to be moved.")
    if moved:
        output.hint(f"back up {archive} like the database; questions find these events with --archive {archive}")


@contextmanager
def _writer(session: Session, directory: Path) -> Iterator[ArchiveWriter]:
    from authctl.server.audit.archive.writing import ArchiveWriter
    from authctl.server.audit.keys import TrailKeys

    service = session.service
    keys = TrailKeys(service.keys.audit, service.keys.checkpoint)
    with _told() as report:
        yield ArchiveWriter(service.database, keys, service.keys.instance_id, directory, session.caller, report)


@contextmanager
def _told() -> Iterator[Callable[[str, int], None]]:
    """Shows the step that is under way and how many events it has done, where somebody looks."""
    if not sys.stderr.isatty():
        yield _not_shown
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr))
    columns = (TextColumn("{task.description}: {task.completed:,} events", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("looking", total=None)
        yield lambda step, rows: shown.update(task, description=step, completed=rows)


def _not_shown(step: str, rows: int) -> None:
    """Nobody looks."""
