"""Moves old events from the table into an archive: copied, read back, named by the signed manifest, then removed.

The events are in the table until archive and manifest are durable, and they leave it batch by batch, each batch held
against its copy once more. Interrupted anywhere, it is finished by running it again.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from authctl.errors import Conflict, TrailAltered, UsageError
from authctl.server.audit.archive.blanking import PERSONAL, Store, blank_file
from authctl.server.audit.archive.chains import rows_in_chains
from authctl.server.audit.archive.columns import COLUMNS, NAMES
from authctl.server.audit.archive.copying import copy_rows, in_parts, month_of, removable_rows
from authctl.server.audit.archive.fingerprint import as_stored
from authctl.server.audit.archive.manifest import make_directory, only_writer, open_manifest
from authctl.server.audit.chain import is_erased
from authctl.server.audit.erasure import ranges_of_places
from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.audit.removals import MOST_RANGES, ranges_of, remove_rows
from authctl.server.storage.parquet import ParquetFiles, clear_leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from authctl.server.audit.archive.manifest import ArchiveFile, Manifest
    from authctl.server.audit.events import Caller, ChainRange
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.database import Database
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

    Place = tuple[str, int]
    Progress = Callable[[str, int], None]

BATCH = 1000
"""Rows that leave the table in one transaction: a service beside it waits no longer than for a few logins."""
_WRITER, _SEQ, _SALT = (NAMES.index(name) for name in ("writer_id", "seq", "salt"))
_PERSONAL_PLACES = tuple(NAMES.index(name) for name in PERSONAL)


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved where.

    rows  how many events left the table
    size  of the file in bytes
    """

    month: str
    file: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be moved."""

    month: str
    rows: int


class ArchiveWriter:
    """Everything that one run needs to know.

    report  is told, by name of the step and of the file, how many rows are done
    """

    def __init__(
        self,
        database: Database,
        keys: TrailKeys,
        instance_id: str,
        directory: Path,
        caller: Caller,
        report: Progress = lambda step, rows: None,
    ) -> None:
        self._database = database
        self._instance_id = instance_id
        self._store = Store(directory.absolute(), keys)
        self._caller = caller
        self._report = report

    def plan(self, before: datetime) -> list[Planned]:
        """What `move` would move, month by month; nothing is changed. Raises UsageError for a time to come."""
        self._require_past(before)
        found = Counter(month_of(row) for row in removable_rows(self._database, before))
        return [Planned(month, rows) for month, rows in sorted(found.items())]

    def move(self, before: datetime) -> list[Moved]:
        """Moves every event older than a moment that may leave the table, after finishing what was interrupted.

        Raises UsageError without the engine and for a time to come, Conflict when somebody else is at it or rows
        changed meanwhile, TrailAltered when the table or the archive is not what it was.
        """
        self._require_past(before)
        ParquetFiles().close()  # without the engine, before anything is made
        directory = self._store.directory
        make_directory(directory)
        moved: list[Moved] = []
        with only_writer(directory):
            clear_leftovers(directory)
            manifest = open_manifest(directory, self._store.keys, self._instance_id)
            manifest = self._store.discard_unfinished(manifest)
            for file in manifest.files:
                if not file.is_moved:
                    manifest, done = self._remove(manifest, file)
                    moved.append(done)
            for month, rows in in_parts(removable_rows(self._database, before)):
                manifest, file = self._copy(manifest, month, rows)
                manifest, done = self._remove(manifest, file)
                moved.append(done)
        return moved

    def _require_past(self, before: datetime) -> None:
        if before > self._database.clock.now():
            raise UsageError("Events that are still to come cannot be archived", hint="give a time that is over")

    def _copy(self, manifest: Manifest, month: str, rows: Iterable[EventRow]) -> tuple[Manifest, ArchiveFile]:
        name = manifest.new_name(month, self._store.directory)
        manifest = self._store.keep(replace(manifest, unfinished=(*manifest.unfinished, name)))
        path = self._store.directory / name
        file = copy_rows(self._counted(f"copying to {name}", rows), path, month, self._database, manifest)
        return self._store.keep(manifest.with_file(file)), file

    def _remove(self, manifest: Manifest, file: ArchiveFile) -> tuple[Manifest, Moved]:
        """Removes the rows of a file from the table; first blanks in it what was erased since it was copied."""
        removed = 0
        while True:
            try:
                for count in self._counted_up(f"removing what is in {file.name}", self._removals(file)):
                    removed += count
                break
            except _ErasedMeanwhile:
                places = [place for batch in self._batches(file) for place in self._compare(batch).erased]
                manifest, file = blank_file(self._store, manifest, file, ranges_of_places(places))
        file = replace(file, is_moved=True)
        return self._store.keep(manifest.with_file(file)), Moved(file.month, file.name, removed, file.size)

    def _removals(self, file: ArchiveFile) -> Iterator[int]:
        for batch in self._batches(file):
            found = self._compare(batch)
            if found.erased:
                raise _ErasedMeanwhile
            if found.held:
                yield self._database.write_now(partial(self._take_out, file=file, rows=found.held))

    def _take_out(self, tx: Transaction, *, file: ArchiveFile, rows: list[EventRow]) -> int:
        what = f"{len(rows)} events of {file.month} were moved into the archive {self._store.directory / file.name}"
        event = Event(EventType.AUDIT_ARCHIVE, True, self._caller, f"{what} {origin_of(self._caller)}")
        return remove_rows(tx, event, ranges_of(rows), blank=sum(row[_SALT] is None for row in rows))

    def _batches(self, file: ArchiveFile) -> Iterator[list[EventRow]]:
        """The rows of a file chain by chain, in pieces that fit into one event."""
        with closing(ParquetFiles()) as files:
            files.attach("made", [self._store.directory / file.name], COLUMNS)
            batch: list[EventRow] = []
            ranges, end = 0, ("", 0)
            for row in rows_in_chains(files, "made"):
                if (row[_WRITER], row[_SEQ]) != end:
                    ranges += 1
                if len(batch) == BATCH or ranges > MOST_RANGES:
                    yield batch
                    batch, ranges = [], 1
                batch.append(row)
                end = (row[_WRITER], row[_SEQ] + 1)
            if batch:
                yield batch

    def _compare(self, copies: list[EventRow]) -> _Comparison:
        """Which of some archived rows the table still holds; it has to hold them as they are in the archive."""
        rows = self._database.read_now(lambda tx: list(_rows_in(tx, ranges_of(copies))))
        held = {(row[_WRITER], row[_SEQ]): row for row in map(as_stored, rows)}
        found = _Comparison([], [])
        for copy in copies:
            place = (copy[_WRITER], copy[_SEQ])
            row = held.get(place)
            if row is None:
                continue
            if row == copy:
                found.held.append(row)
            elif is_erased(row) and row == _blanked(copy):
                found.erased.append(place)
            elif is_erased(copy) and copy == _blanked(row):
                raise Conflict(
                    f"Row {place[1]} of writer {place[0]} is erased in the archive and not in the table",
                    hint="an erasure was interrupted: run `authctl users erase` again",
                )
            else:
                detail = f"Row {place[1]} of writer {place[0]} is another in the table than in the archive"
                raise TrailAltered(detail, hint="`authctl audit verify --archive` tells more")
        return found

    def _counted(self, step: str, rows: Iterable[EventRow]) -> Iterator[EventRow]:
        done = 0
        for done, row in enumerate(rows, 1):
            if done % BATCH == 0:
                self._report(step, done)
            yield row
        self._report(step, done)

    def _counted_up(self, step: str, counts: Iterable[int]) -> Iterator[int]:
        done = 0
        for count in counts:
            done += count
            self._report(step, done)
            yield count


class _ErasedMeanwhile(Exception):
    """Rows were blanked in the table after they were copied."""


class _Comparison(NamedTuple):
    """Archived rows that the table holds too, and the places of those that are blank only there."""

    held: list[EventRow]
    erased: list[Place]


def _rows_in(tx: Transaction, ranges: Iterable[ChainRange]) -> Iterator[EventRow]:
    for one in ranges:
        yield from tx.events.between(one.writer_id, after=one.first - 1, last=one.last, most=one.last - one.first + 1)


def _blanked(row: EventRow) -> EventRow:
    return tuple(None if place in _PERSONAL_PLACES else value for place, value in enumerate(row))
