"""Puts the rows of an archive in front of the table's, so that a chain can be walked through both."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from authctl.server.audit.findings import FindingKind
from authctl.server.storage.events import COLUMNS
from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from authctl.server.audit.archive.source import ArchiveSource
    from authctl.server.audit.findings import Report
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.events import EventRow

_CREATED_AT = 8


@contextmanager
def open_archive(
    directory: Path | None, keys: TrailKeys, report: Report, *, instance_id: str
) -> Iterator[ArchiveSource | None]:
    """The archive for the length of a verification, its files already held against its manifest; None without one."""
    if directory is None:
        yield None
        return
    # Without an archive there is no need for the engine that reads it.
    from authctl.server.audit.archive.checking import check_archive
    from authctl.server.audit.archive.source import ArchiveSource

    unreadable = check_archive(directory, keys, report, instance_id=instance_id)
    with closing(ArchiveSource(directory)) as source:
        source.skip(unreadable)
        yield source


def merge(table: Iterable[EventRow], archived: Iterable[EventRow], report: Report) -> Iterator[tuple[EventRow, bool]]:
    """Both, by writer and sequence, each with whether only the archive has it; a row that both have has to be equal."""
    rest = iter(archived)
    other = next(rest, None)
    for row in table:
        place = row[14:16]
        while other is not None and other[14:16] < place:
            yield other, True
            other = next(rest, None)
        while other is not None and other[14:16] == place:
            _require_equal(row, other, report)
            other = next(rest, None)
        yield row, False
    if other is not None:
        yield other, True
    for other in rest:
        yield other, True


def _require_equal(row: EventRow, archived: EventRow, report: Report) -> None:
    fields = [
        name
        for name, one, other in zip(COLUMNS, _plain(row), _plain(archived), strict=True)
        if one != other or type(one) is not type(other)
    ]
    if fields:
        sentence = f"Row {row[15]} of writer {row[14]} differs between table and archive in {', '.join(sorted(fields))}"
        report.add(FindingKind.ARCHIVE_ALTERED, row[14], row[15], row[0], sentence)


def _plain(row: EventRow) -> EventRow:
    created_at = row[_CREATED_AT]
    if isinstance(created_at, str):
        return row
    return (*row[:_CREATED_AT], write_time(created_at), *row[_CREATED_AT + 1 :])
