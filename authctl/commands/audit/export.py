"""`audit export`: writes events for another program, once or as a feed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.commands._filters import Filters, filtered
from authctl.commands._output import Format, Output
from authctl.commands.audit._export_options import (
    AfterOption,
    CaOption,
    FollowOption,
    FormatNameOption,
    OutputOption,
    PositionOption,
    ToOption,
)
from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.commands.audit._exporting import Job
    from authctl.server.audit.export.collectors import Collector


@filtered(without=("limit", "order", "count_by", "utc", "url", "token_file"))
def export(
    filters: Filters,
    output_format: FormatNameOption = "jsonl",
    output: OutputOption = None,
    after: AfterOption = None,
    position: PositionOption = None,
    follow: FollowOption = False,
    to: ToOption = None,
    ca: CaOption = None,
) -> None:
    """Write events for another program, once or as a feed.

    The oldest come first. Each run ends with a cursor, from which the next one goes on exactly, whatever was written
    meanwhile. The export is an event itself. It reads the database here: run it where the service runs.

    Example: authctl audit export --format csv --since 7d --output week.csv

    Example: authctl audit export --format ecs --position siem.position --output new.jsonl

    Example: authctl audit export --format cef --follow --position siem.position --to syslog+tls://siem.example:6514
    """
    collector = _collector(to, ca, is_feed=follow)
    _require_sense(filters, output_format, output, is_feed=follow)
    if after is not None and position is not None:
        raise UsageError("--after and --position both say where to go on: take one of them")
    job = _job(filters, output_format, output, after, position)
    if filters.print_query:
        _show_query(filters, job)
    elif follow:
        from authctl.commands.audit._feeding import run_feed

        run_feed(job, collector, ca)
    else:
        _run_once(job)


def _run_once(job: Job) -> None:
    import signal

    from authctl.commands._interrupting import interrupt, on_signals
    from authctl.commands.audit._exporting import run_once
    from authctl.server.audit.export.own_events import counted

    with on_signals(interrupt, signal.SIGTERM):
        cursor = run_once(job)
    said = Output()
    said.message(f"{counted(job.count)} exported" + (f" to {job.output}" if job.output is not None else ""))
    if job.position is None:
        said.message(f"cursor: {cursor.to_text()}")


def _collector(to: str | None, ca: Path | None, *, is_feed: bool) -> Collector | None:
    from authctl.server.audit.export.collectors import Collector, require_authorities

    if to is None:
        if ca is not None:
            raise UsageError("--ca means nothing without --to")
        return None
    if not is_feed:
        raise UsageError("--to needs --follow")
    collector = Collector.of(to)
    if ca is not None and collector.scheme != "syslog+tls":
        raise UsageError("--ca means nothing without TLS", hint="--to syslog+tls://HOST:6514")
    if ca is not None:
        require_authorities(ca)
    return collector


def _require_sense(filters: Filters, output_format: str, output: Path | None, *, is_feed: bool) -> None:
    if output_format == "parquet" and output is None:
        raise UsageError(
            "A feed cannot be Parquet" if is_feed else "Parquet goes into a file", hint="name it with --output FILE"
        )
    if not is_feed:
        return
    if output is not None:
        raise UsageError("--follow writes to standard output or --to a collector, and not to --output")
    if filters.until is not None:
        raise UsageError("--follow has no end: leave out --until")
    if filters.archive is not None:
        raise UsageError(
            "--follow reads the database alone",
            hint="export once with --archive and --position, then follow with the same --position",
        )


def _job(filters: Filters, output_format: str, output: Path | None, after: str | None, position: Path | None) -> Job:
    from authctl.commands.audit._exporting import Job
    from authctl.server.audit.export.catalogue import format_called
    from authctl.server.audit.export.cursor import Cursor
    from authctl.server.audit.export.position_file import PositionFile
    from authctl.settings import load_settings

    chosen = format_called(output_format)
    kept = None if position is None else PositionFile(position)
    start = kept.read() if kept is not None else None if after is None else Cursor.from_text(after)
    wanted = filters.wanted(datetime.now(UTC), order="oldest")
    return Job(load_settings(), chosen, wanted, output, start, kept, filters.archive)


def _show_query(filters: Filters, job: Job) -> None:
    from authctl.commands.audit._answering import show_query

    with filters.source() as source:
        show_query(source, Output(Format.TABLE), job.wanted)
