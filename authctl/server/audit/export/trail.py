"""The trail as exports read it: one snapshot of the database at a time, with the ends of its chains."""

from __future__ import annotations

import heapq
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from authctl.server.audit.export.cursor import Cursor, Owner, Span, WriterEnd
from authctl.server.audit.sources import record_of
from authctl.server.storage.event_query import Sql, select_events
from authctl.server.storage.times import read_time, write_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from authctl.server.audit.export.interface import Format
    from authctl.server.audit.records import EventRecord, EventSource
    from authctl.server.storage.event_query import EventFilter
    from authctl.server.storage.reader import Reader

Batch = tuple[int, bytes]
"""How many events, and their lines."""

_AT_ONCE: Final = 250
"""Rows of a batch: more fall out of the processor's cache."""
_MOST_SORTED: Final = 20_000
"""Rows that SQLite may sort: the library that comes with us does so in memory."""
_MOST_ALTERNATIVES: Final = 400
_ODD_TIME: Final = "created_at NOT LIKE '____-__-__ __:__:__.______' OR substr(created_at, 21) GLOB '*[^0-9]*'"


class Trail:
    """Takes snapshots.

    open_archive  opens what holds the events that were moved out of the database; called in each snapshot, because
                  an archive that was opened before could lack what has left the database since
    """

    def __init__(self, reader: Reader, open_archive: Callable[[], EventSource] | None = None) -> None:
        self._reader = reader
        self._open_archive = open_archive

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One state of the trail; the database keeps it as long as the block lasts.

        Raises StorageDamaged when the database's file is not the one that was opened any more.
        """
        self._reader.require_in_place()
        with ExitStack() as opened:
            opened.enter_context(self._reader.snapshot())
            owner = Owner(*_all(self._reader, "SELECT instance_id, generation FROM instance")[0])
            archive = None
            if self._open_archive is not None:
                archive = self._open_archive()
                opened.callback(archive.close)
            yield Snapshot(self._reader, archive, owner)

    def close(self) -> None:
        """Lets go of the database."""
        self._reader.close()


class Snapshot:
    """One state of the trail; valid inside the block that it is for."""

    def __init__(self, reader: Reader, archive: EventSource | None, owner: Owner) -> None:
        self._reader = reader
        self._archive = archive
        self.owner = owner

    def newest(self) -> datetime | None:
        """The time of the newest event."""
        found = self._all("SELECT max(created_at) FROM audit_logs")[0][0]
        return None if found is None else _moment(found)

    def ends(self, cursor: Cursor) -> list[WriterEnd]:
        """The ends of all chains that are not behind the cursor."""
        named = ", ".join(f"'{name}'" for name in cursor.named)
        rows = self._all(
            "SELECT id, started_at, closed_at, last_seq FROM audit_writers "  # noqa: S608 - a cursor's ids are checked
            f"WHERE closed_at IS NULL OR started_at >= '{write_time(cursor.before)}'"
            + (f" OR id IN ({named})" if named else "")
        )
        return [WriterEnd(name, _moment(start), close is None, last) for name, start, close, last in rows]

    def batches(self, chosen: Format, wanted: EventFilter, spans: Sequence[Span] | None) -> Iterator[Batch]:
        """The lines of the events that fit and lie in the spans (None: anywhere), in the order of time."""
        columns = getattr(chosen, "sqlite_columns", None)
        if columns is None or self._reader.dialect != "sqlite" or self._archive is not None or self._has_odd_times():
            for records in _batched(self.records(wanted, spans)):
                yield len(records), chosen.lines(records)
            return
        sql = self._select(wanted, spans)
        short = Sql(f"SELECT {columns} FROM ({sql.text})", sql.params, sql.dialect)  # noqa: S608 - columns of ours
        with closing(self._reader.batches(short, _AT_ONCE)) as found:
            for rows in found:
                yield len(rows), chosen.lines_of_sqlite(rows)  # type: ignore[attr-defined]

    def records(self, wanted: EventFilter, spans: Sequence[Span] | None) -> Iterator[EventRecord]:
        """The events that fit and lie in the spans (None: anywhere), in the order of time."""
        rows = map(record_of, self._reader.stream(self._select(wanted, spans)))
        if self._archive is None:
            return rows
        # What moves into the archive just now may be in both; its copies come one after the other.
        merged = heapq.merge(_within(self._archive.events(wanted), spans), rows, key=_place)
        return (next(copies) for _, copies in groupby(merged, key=_place))

    def count(self, spans: Sequence[Span] | None) -> int:
        """How many events the database holds there."""
        if spans is not None and not spans:
            return 0
        table = "audit_logs" if spans is None else f"({_rows_of(spans)}) AS audit_logs"
        return int(self._all(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - writers' ids and numbers

    def _select(self, wanted: EventFilter, spans: Sequence[Span] | None) -> Sql:
        dialect = self._reader.dialect
        if spans is None:
            return select_events(wanted, dialect)
        if not spans:
            return select_events(wanted, dialect, table="(SELECT * FROM audit_logs WHERE 1 = 0) AS audit_logs")
        table = _rows_of(spans)
        if dialect == "sqlite" and sum(span.last - span.after for span in spans) > _MOST_SORTED:
            table = self._rows_in_order_of_time(spans, table)
        return select_events(wanted, dialect, table=f"({table}) AS audit_logs")

    def _rows_in_order_of_time(self, spans: Sequence[Span], rows: str) -> str:
        """The same rows, found along the index of time from the first of them on, so that nothing has to be sorted.

        A span that begins at the beginning is that of a whole chain here: pieces of chains come few at a time.
        """
        partly = [span for span in spans if span.after]
        if len(partly) > _MOST_ALTERNATIVES:
            return rows
        first = self._all(f"SELECT min(created_at) FROM ({rows})")[0][0]  # noqa: S608 - writers' ids and numbers
        whole = ", ".join(f"'{span.writer_id}'" for span in spans if not span.after)
        fits = " OR ".join(
            [
                f"+writer_id IN ({whole})",
                *(
                    f"(+writer_id = '{span.writer_id}' AND +seq > {span.after} AND +seq <= {span.last})"
                    for span in partly
                ),
            ]
        )
        # A parameter could not be put into a table's place; the time is one that the database has just given.
        since = str(first).replace("'", "''")
        return f"SELECT * FROM audit_logs WHERE created_at >= '{since}' AND ({fits})"  # noqa: S608

    def _has_odd_times(self) -> bool:
        """Whether somebody wrote times by hand in another form than the journal's, which only Python understands."""
        return bool(self._all(f"SELECT 1 FROM audit_logs WHERE {_ODD_TIME} LIMIT 1"))  # noqa: S608 - a constant

    def _all(self, text: str) -> list[tuple[Any, ...]]:
        return _all(self._reader, text)


def _all(reader: Reader, text: str) -> list[tuple[Any, ...]]:
    return reader.all(Sql(text, {}, reader.dialect))


def _within(events: Iterator[EventRecord], spans: Sequence[Span] | None) -> Iterator[EventRecord]:
    if spans is None:
        return events
    by_writer = {span.writer_id: span for span in spans}
    return (event for event in events if _lies_in(by_writer.get(event.writer_id), event.seq))


def _lies_in(span: Span | None, seq: int) -> bool:
    return span is not None and span.after < seq <= span.last


def _place(event: EventRecord) -> tuple[datetime, str]:
    return event.created_at, event.id


def _rows_of(spans: Sequence[Span]) -> str:
    values = ", ".join(f"('{span.writer_id}', {span.after}, {span.last})" for span in spans)
    # CROSS JOIN tells SQLite to begin with the spans.
    return (
        f"WITH spans(w, a, z) AS (VALUES {values}) SELECT audit_logs.* FROM spans CROSS JOIN audit_logs "  # noqa: S608
        "WHERE audit_logs.writer_id = spans.w AND audit_logs.seq > spans.a AND audit_logs.seq <= spans.z"
    )


def _batched(rows: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _moment(found: datetime | str) -> datetime:
    if isinstance(found, str):
        return read_time(found)
    return found.astimezone(UTC)
