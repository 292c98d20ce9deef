"""One run of an export: where it goes, what the trail is told of it, and that both happen or neither."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.commands._output import Output, ReaderLeft
from authctl.commands._progress_bar import is_watched, progress
from authctl.commands._session import open_session, require_database
from authctl.errors import AuthctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.server.audit.export.catalogue import FormatName
    from authctl.server.audit.export.cursor import Cursor, Span
    from authctl.server.audit.export.own_events import Described
    from authctl.server.audit.export.position_file import PositionFile
    from authctl.server.audit.export.trail import Snapshot, Trail
    from authctl.server.storage.event_query import EventFilter
    from authctl.settings import Settings


@dataclass(slots=True)
class Job:
    """What was asked for.

    output    the file; None: standard output
    after     where to go on; None: from the beginning
    position  where the cursor is kept
    """

    settings: Settings
    format: FormatName
    wanted: EventFilter
    output: Path | None = None
    after: Cursor | None = None
    position: PositionFile | None = None
    archive: Path | None = None
    count: int = field(default=0, init=False)

    def trail(self) -> Trail:
        """Opens the trail."""
        from authctl.server.audit.export.trail import Trail
        from authctl.server.storage.reader import open_reader

        require_database(self.settings)
        reader = open_reader(self.settings.database_url)
        if self.archive is None:
            return Trail(reader)
        from authctl.server.audit.archive.source import ArchiveSource

        return Trail(reader, partial(ArchiveSource, self.archive))

    def described(self, destination: str | None = None) -> Described:
        """As the audit trail is told."""
        from authctl.server.audit.export.own_events import Described

        place = destination or ("standard output" if self.output is None else f"file {self.output.absolute()}")
        return Described(self.format.value, place, self.wanted, resumes=self.after is not None)

    def record(self, described: Described, what: str, *, reason: str | None = None) -> None:
        """Writes the event. Raises AuditUnavailable or another StorageError when that fails."""
        from authctl.server.audit.recorder import record

        with open_session(self.settings) as session:
            event = described.event(session.caller, what, reason=reason)
            session.service.database.write_now(lambda tx: record(tx, event))

    @contextmanager
    def failures_recorded(self, described: Described, count: Callable[[], int] | None = None) -> Iterator[None]:
        """What ends the block before its time becomes an event, if that is possible, and goes on.

        count  of the events until then, where the job does not count them itself
        """
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            from authctl.server.audit.export.own_events import counted

            done = self.count if count is None else count()
            try:
                self.record(described, f"ended early after {counted(done)}", reason=_reason(error))
            except AuthctlError as failure:
                Output().warning(f"the end of the export is not in the audit trail: {failure.detail}")
            raise


def run_once(job: Job) -> Cursor:
    """Exports what is there now, on one snapshot; the cursor for the next time."""
    with ExitStack() as opened:
        trail = job.trail()
        # The event at the end needs the whole service; the database leaves time to import it meanwhile.
        threading.Thread(target=import_module, args=("authctl.server.assembly",), daemon=True).start()
        opened.callback(trail.close)
        snapshot = opened.enter_context(trail.snapshot())
        cursor = _start_of(job, snapshot)
        ends = snapshot.ends(cursor)
        spans = cursor.spans(ends)
        moved = cursor.moved(ends, spans, snapshot.newest())
        described = job.described()
        opened.enter_context(job.failures_recorded(described))
        _tell_missing(snapshot, None if job.after is None else spans, job)
        _write(job, snapshot, None if job.after is None else spans, described)
    if job.position is not None:
        job.position.store(moved)
    return moved


def _start_of(job: Job, snapshot: Snapshot) -> Cursor:
    from authctl.server.audit.export.cursor import Cursor

    if job.after is None:
        return Cursor.at_the_beginning(snapshot.owner)
    job.after.require(snapshot.owner)
    return job.after


def _tell_missing(snapshot: Snapshot, spans: list[Span] | None, job: Job) -> None:
    if spans is None or job.archive is not None:
        return
    if missing := sum(span.last - span.after for span in spans) - snapshot.count(spans):
        what = "event was" if missing == 1 else "events were"
        Output().warning(f"{missing} {what} archived or removed before this export; --archive DIR finds archived ones")


def _write(job: Job, snapshot: Snapshot, spans: list[Span] | None, described: Described) -> None:
    from authctl.server.audit.export.own_events import counted

    total = snapshot.count(spans) if is_watched() else None
    with ExitStack() as opened:
        advance = opened.enter_context(progress("Exporting", total))
        if job.output is None:
            _write_lines(job, snapshot, spans, _to_stdout, advance)
            _flush_stdout()
            job.record(described, f"exported {counted(job.count)}")
            return
        from authctl.server.audit.export.files import NewFile

        file = opened.enter_context(NewFile(job.output))
        if job.format == "parquet":
            _write_parquet(job, snapshot, spans, file.temporary, advance)
        else:
            _write_lines(job, snapshot, spans, file.write, advance)
            file.finish()
        job.record(described, f"exported {counted(job.count)}")
        file.publish()


def _write_lines(
    job: Job,
    snapshot: Snapshot,
    spans: list[Span] | None,
    write: Callable[[bytes], object],
    advance: Callable[[int], None],
) -> None:
    from authctl.server.audit.export.catalogue import line_format

    chosen = line_format(job.format)
    write(chosen.head())
    for number, lines in snapshot.batches(chosen, job.wanted, spans):
        write(lines)
        job.count += number
        advance(number)


def _write_parquet(
    job: Job, snapshot: Snapshot, spans: list[Span] | None, path: Path, advance: Callable[[int], None]
) -> None:
    from authctl.server.audit.export import parquet

    records = snapshot.records(job.wanted, spans)
    job.count = parquet.write(path, records, advance)


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
    except BrokenPipeError as error:
        raise ReaderLeft from error


def _flush_stdout() -> None:
    try:
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise ReaderLeft from error


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return "reader_left" if isinstance(error, ReaderLeft) else "failed"
