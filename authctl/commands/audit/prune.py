"""`authctl audit prune`: removes old events, and keeps the proof that nothing else was removed."""

from __future__ import annotations

import signal
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.commands._asking import require_yes
from authctl.commands._interrupting import interrupt, on_signals
from authctl.commands._options import FormatOption, YesOption
from authctl.commands._output import Column, Format, Output, Row
from authctl.commands._progress_bar import progress
from authctl.commands._session import open_session
from authctl.commands._times import parse_time
from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.commands._session import Session
    from authctl.server.audit.retention import Cutoff, Preview, Retention

TYPE_COLUMNS: Final = (Column("event_type", "Event"), Column("rows", "Rows"))


def prune(
    before: Annotated[
        str,
        typer.Option("--before", metavar="TIME", help="Events older than: 90d, or a date or time.", show_default=False),
    ],
    keep_failures: Annotated[
        str | None,
        typer.Option("--keep-failures", metavar="SPAN", help="Keep what failed for this long: 1y, 180d."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    yes: YesOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Remove old events for good.

    Runs beside a service, in small steps: each removes some rows and leaves a signed event that names them, so that the
    rest still verifies; interrupted, whatever was done is complete. Asks first, unless told --yes. Always kept are the
    events of the last 24 hours, those that tell of removals, erasures and resets, those that the audit file has not got
    yet, and the end of a chain whose process still runs. To keep old events elsewhere, use `audit archive`.

    The lines of the audit file are left to its rotation. SQLite uses the space of removed rows again and does not give
    it back: for that, stop the service and run VACUUM in the sqlite3 program.

    Example: authctl audit prune --before 90d --keep-failures 1y --dry-run
    """
    output = Output(output_format)
    cutoff = _cutoff(before, keep_failures)
    with open_session() as session:
        from authctl.server.audit.retention import Retention

        retention = Retention(session.service.database)
        preview = retention.preview(cutoff)
        if dry_run:
            _show(preview, output)
            return
        if not preview.rows:
            removed = 0
        else:
            require_yes(output, yes, f"Remove {preview.rows} events from before {_spelled(cutoff.before)} for good?")
            removed = _remove(session, retention, cutoff, preview.rows, output)
    output.done(
        f"{removed} events from before {_spelled(cutoff.before)} are removed",
        {"removed": removed, "before": cutoff.before, "failures_since": cutoff.failures_since},
    )
    _tell_what_stays(preview, output)


def _cutoff(before: str, keep_failures: str | None) -> Cutoff:
    from authctl.server.audit.moments import read_span
    from authctl.server.audit.retention import Cutoff

    now = datetime.now(UTC)
    moment = parse_time(before, option="--before", now=now)
    if keep_failures is None:
        return Cutoff(moment)
    try:
        return Cutoff(moment, now - read_span(keep_failures))
    except UsageError as error:
        raise UsageError(f"--keep-failures {error.detail}", hint=error.hint) from error
    except OverflowError:
        raise UsageError(f"--keep-failures {keep_failures}: that is before the calendar begins") from None


def _remove(session: Session, retention: Retention, cutoff: Cutoff, total: int, output: Output) -> int:
    removed = 0
    with progress("removing", total) as advance, on_signals(interrupt, signal.SIGTERM):
        try:
            for count in retention.prune(cutoff, session.caller):
                removed += count
                advance(count)
        except BaseException:
            output.message("")
            output.warning(f"stopped after {removed} of {total} events; what was removed is complete, run it again")
            raise
    return removed


def _show(preview: Preview, output: Output) -> None:
    if output.format is not Format.TABLE:
        output.record(asdict(preview))
        return
    rows: list[Row] = [{"event_type": name, "rows": count} for name, count in preview.by_type.items()]
    output.table(rows, TYPE_COLUMNS, empty="No events would be removed.")
    if preview.oldest is not None and preview.newest is not None:
        output.message(f"{preview.rows} events, from {_spelled(preview.oldest)} to {_spelled(preview.newest)}")
    _tell_what_stays(preview, output)


def _tell_what_stays(preview: Preview, output: Output) -> None:
    for count, why in (
        (preview.kept_failures, "failures are kept longer"),
        (preview.not_in_file, "the audit file has not got them yet"),
        (preview.open_ends, "at the end of a chain whose process has not ended"),
    ):
        if count:
            output.hint(f"{count} old {'event stays' if count == 1 else 'events stay'}: {why}")


def _spelled(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
