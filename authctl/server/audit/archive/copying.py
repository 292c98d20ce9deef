"""Copies rows of the table into a new file of an archive, and reads back what was written before it counts."""

from __future__ import annotations

import hashlib
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING

from authctl.errors import StorageDamaged, TrailAltered
from authctl.server.audit.archive.columns import COLUMNS, ROW, TIME
from authctl.server.audit.archive.fingerprint import Fingerprint, as_stored
from authctl.server.audit.archive.manifest import ArchivedRange, ArchiveFile
from authctl.server.audit.chain import START
from authctl.server.audit.removals import find_removable
from authctl.server.storage.parquet import ParquetFiles, write_parquet
from authctl.server.storage.times import read_time, write_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from authctl.server.audit.archive.manifest import Manifest
    from authctl.server.storage.database import Database
    from authctl.server.storage.events import EventRow

MOST_ROWS = 2_000_000
"""Of one file; a month with more has several."""
_PAGE = 1000
# Rows of a chain that follow each other, as ranges.
_RANGES = """
SELECT writer_id, min(seq), max(seq), arg_max(mac, seq)
FROM (SELECT writer_id, seq, mac, seq - row_number() OVER (PARTITION BY writer_id ORDER BY seq) AS island FROM made)
GROUP BY writer_id, island ORDER BY 1, 2
"""


def removable_rows(database: Database, before: datetime) -> Iterator[EventRow]:
    """Every row older than a moment that may leave the table, in the order of time, as an archive keeps them.

    Each page is read on a snapshot of its own, so that a service beside this is not held up.
    """
    after: EventRow | None = None
    while True:
        behind = after
        rows = database.read_now(lambda tx: find_removable(tx, before, most=_PAGE, after=behind))  # noqa: B023
        if not rows:
            return
        yield from map(as_stored, rows)
        after = rows[-1]


def in_parts(rows: Iterable[EventRow]) -> Iterator[tuple[str, Iterator[EventRow]]]:
    """Rows in the order of time, month by month, and no part with more than `MOST_ROWS`."""
    for month, of_month in groupby(rows, key=month_of):
        numbered = enumerate(of_month)
        for _, part in groupby(numbered, key=lambda pair: pair[0] // MOST_ROWS):
            yield month, (row for _, row in part)


def month_of(row: EventRow) -> str:
    """The month of a row in UTC: 2026-10. Raises TrailAltered for a time that authctl does not write."""
    text = row[8]
    try:
        is_ours = write_time(read_time(text)) == text
    except ValueError:
        is_ours = False
    if not is_ours:
        where = f"Row {row[15]} of writer {row[14]} has a time that no event has"
        raise TrailAltered(where, hint="`authctl audit verify` tells more")
    return str(text[:7])


def copy_rows(rows: Iterable[EventRow], path: Path, month: str, database: Database, known: Manifest) -> ArchiveFile:
    """Writes rows, in the order of time, into a new file and holds what is in it against them; the manifest's entry.

    Raises TrailAltered when a row has values that no event has, StorageDamaged when the file holds something else.
    """
    given = Fingerprint()
    write_parquet(path, COLUMNS, given.through(rows))
    with closing(ParquetFiles()) as files:
        files.attach("made", [path], COLUMNS)
        if read_fingerprint(files) != given:
            raise StorageDamaged(
                f"{path} does not hold what was written into it",
                hint="`authctl audit verify` tells whether the table is at fault, or else it is the disk",
            )
        ((first, last),) = files.rows(f"SELECT min(t), max(t) FROM (SELECT {TIME} AS t FROM made)")  # noqa: S608
        chains = tuple(_with_previous(row, database, known) for row in files.rows(_RANGES))
    return ArchiveFile(path.name, month, given.rows, first, last, path.stat().st_size, digest_of(path), chains)


def read_fingerprint(files: ParquetFiles) -> Fingerprint:
    """What the rows of the table `made` come to."""
    found = Fingerprint()
    for row in files.rows(f"SELECT {ROW} FROM made"):  # noqa: S608
        found.take(row)
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _with_previous(row: tuple[str, int, int, bytes], database: Database, known: Manifest) -> ArchivedRange:
    writer_id, first, last, mac = row
    if first == 1:
        return ArchivedRange(writer_id, first, last, START, mac)
    previous = database.read_now(lambda tx: tx.events.mac_at(writer_id, first - 1))
    if previous is None:
        ends = {(one.writer_id, one.last): one.mac for file in known.files for one in file.chains}
        previous = ends.get((writer_id, first - 1), b"")
    return ArchivedRange(writer_id, first, last, previous, mac)
