"""An archive as a source of events: questions go to the files that can hold an answer, month by month."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from authctl.errors import StorageDamaged
from authctl.server.audit.archive.chains import rows_in_chains
from authctl.server.audit.archive.columns import ASKED, COLUMNS
from authctl.server.audit.archive.manifest import read_manifest
from authctl.server.audit.sources import group_of, record_of
from authctl.server.storage.event_conditions import by_column
from authctl.server.storage.event_query import EventFilter, select_events, select_groups, spelled_out
from authctl.server.storage.parquet import ParquetFiles, literal, scan
from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Sequence
    from pathlib import Path
    from typing import TypeVar

    from authctl.server.audit.archive.manifest import ArchivedRange, ArchiveFile
    from authctl.server.audit.records import EventRecord, Group
    from authctl.server.storage.parquet import Column

    T = TypeVar("T")
    Held = Callable[[ArchivedRange], Iterable[int]]

_TABLE = "audit_logs"
_PLACE = "file_index, file_row_number"
"""Where a row stands, as the engine knows it."""
_EVERYTHING = EventFilter()
_FEW = 20_000
"""Answers up to this size are found first and read afterwards, however many rows there are to search."""


class ArchiveSource:
    """The events of an archive, as its manifest names them; nothing is verified here.

    Events that are on their way from the table are in both until they have left it; see `leave_out`.
    """

    def __init__(self, directory: Path) -> None:
        """Raises UsageError without the engine, and as `read_manifest`."""
        self.manifest = read_manifest(directory).manifest
        self._directory = directory
        self._files = ParquetFiles()
        self._left_out: dict[str, list[str]] = {}

    def read_again(self) -> bool:
        """Looks at the manifest once more; whether the archive has changed."""
        before, self.manifest = self.manifest, read_manifest(self._directory).manifest
        return self.manifest != before

    def leave_out(self, held: Held) -> None:
        """Leaves out the rows that the table still holds.

        held  tells which sequences of a range those are; asked only about files whose move was interrupted
        """
        for file in self.manifest.files:
            if not file.is_moved:
                self._left_out[file.name] = [text for one in file.chains if (text := _outside(one, held(one)))]

    def events(self, wanted: EventFilter) -> Generator[EventRecord]:
        """The events that fit, in the order asked for, in flat memory."""
        left = wanted.limit
        for files in self._in_order(wanted):
            rest = self._attach_for(files, replace(wanted, limit=left))
            sql = select_events(self._bounded(rest, wanted), "duckdb", table=_TABLE)
            with closing(self._files.rows(sql.text, sql.params)) as rows:
                for row in rows:
                    yield self._understood(record_of, row)
                    left = None if left is None else left - 1
            if left == 0:
                return

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many events fit for each combination of `by`, the largest groups first."""
        rest = self._attach_for(self._within(wanted), wanted)
        sql = select_groups(rest, by, "duckdb", table=_TABLE, top=top)
        with closing(self._files.rows(sql.text, sql.params)) as rows:
            return [self._understood(group_of, row) for row in rows]

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """The SQL for all files at once, to be run in DuckDB's own shell; `events` asks them one after the other."""
        paths = [self._directory / file.name for file in self._within(wanted)]
        table = scan(paths) if paths else f"(FROM {scan([self._directory / '*.parquet'])} LIMIT 0)"
        if by:
            return spelled_out(select_groups(wanted, by, "duckdb", table=table))
        return spelled_out(select_events(wanted, "duckdb", table=table))

    def skip(self, names: Collection[str]) -> None:
        """Does without these files, because they cannot be read."""
        self.manifest = replace(
            self.manifest, files=tuple(file for file in self.manifest.files if file.name not in names)
        )

    def in_chains(self) -> Generator[tuple[Any, ...]]:
        """Every row as the table had it, chain by chain, each in its order, in flat memory."""
        self._attach(self.manifest.files, COLUMNS)
        yield from rows_in_chains(self._files, _TABLE)

    def close(self) -> None:
        """Lets go of the files. Safe to call twice."""
        self._files.close()

    def _attach_for(self, files: Sequence[ArchiveFile], wanted: EventFilter) -> EventFilter:
        """Shows only rows that fit what would have to be looked for in several columns; the filter without that.

        The engine looks through a column by itself several times faster than through many in one condition.
        """
        source = scan([self._directory / file.name for file in files])
        found = [
            " UNION ALL ".join(f"SELECT {_PLACE} FROM {source} WHERE {condition}" for condition in conditions)  # noqa: S608
            for conditions in by_column(wanted, "duckdb")
        ]
        self._attach(files, ASKED, [f"({_PLACE}) IN ({places})" for places in found])
        return replace(wanted, user_id=None, contains=None)

    def _attach(self, files: Sequence[ArchiveFile], columns: Sequence[Column], conditions: Sequence[str] = ()) -> None:
        outside = [text for file in files for text in self._left_out.get(file.name, ())]
        paths = [self._directory / file.name for file in files]
        self._files.attach(_TABLE, paths, columns, where=" AND ".join((*conditions, *outside)) or "true")

    def _understood(self, reading: Callable[[tuple[Any, ...]], T], row: tuple[Any, ...]) -> T:
        try:
            return reading(row)
        except (TypeError, ValueError) as error:
            detail = f"{self._directory} holds something that is no event"
            raise StorageDamaged(
                detail, hint="`authctl audit verify --archive` tells more", debug=repr(error)
            ) from error

    def _bounded(self, rest: EventFilter, wanted: EventFilter) -> EventFilter:
        """With a limit that changes nothing: the engine searches few columns first only where there is one."""
        is_selective = replace(wanted, limit=None, since=None, until=None, after=None, newest_first=True) != _EVERYTHING
        if wanted.limit is not None or not is_selective:
            return rest
        sql = select_groups(rest, (), "duckdb", table=_TABLE)
        with closing(self._files.rows(sql.text, sql.params)) as rows:
            total = next((int(row[0]) for row in rows), 0)
        return replace(rest, limit=max(total, 1)) if total <= _FEW else rest

    def _in_order(self, wanted: EventFilter) -> list[list[ArchiveFile]]:
        """The files in the order asked for, in pieces; those whose times overlap are asked together.

        With a limit the pieces grow: mostly the first one has enough events, and if not, few searches are quicker.
        """
        found = self._disjoint(wanted)
        if wanted.limit is None:
            return found
        pieces: list[list[ArchiveFile]] = []
        size = 1
        while found:
            pieces.append([file for files in found[:size] for file in files])
            found, size = found[size:], size * 2
        return pieces

    def _disjoint(self, wanted: EventFilter) -> list[list[ArchiveFile]]:
        found: list[list[ArchiveFile]] = []
        end = ""
        for file in self._within(wanted):
            if found and file.first <= end:
                found[-1].append(file)
            else:
                found.append([file])
            end = max(end, file.last)
        return found[::-1] if wanted.newest_first else found

    def _within(self, wanted: EventFilter) -> list[ArchiveFile]:
        """The files that can hold such events, by their times, in the order of their first one."""
        since = "" if wanted.since is None else write_time(wanted.since)
        until = None if wanted.until is None else write_time(wanted.until)
        after = None if wanted.after is None else write_time(wanted.after.created_at)
        if after is not None and not wanted.newest_first:
            since = max(since, after)
        return sorted(
            (
                file
                for file in self.manifest.files
                if file.last >= since
                and (until is None or file.first < until)
                and (after is None or not wanted.newest_first or file.first <= after)
            ),
            key=lambda file: (file.first, file.name),
        )


def _outside(one: ArchivedRange, held: Iterable[int]) -> str:
    """In SQL, that a row is not among those of a range."""
    sequences = sorted(held)
    if not sequences:
        return ""
    whole = range(one.first, one.last + 1)
    if len(sequences) == len(whole):
        rows = f"seq BETWEEN {one.first} AND {one.last}"
    else:
        rows = f"seq IN ({', '.join(map(str, sequences))})"
    return f"NOT (writer_id = {literal(one.writer_id)} AND {rows})"
