"""What ended writers still owe to the file: found in the table, finished by whoever comes next."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from authctl.server.audit.copies import rotated_files
from authctl.server.audit.file_sink import lines_backward
from authctl.server.audit.lines import id_of, place_of
from authctl.server.audit.liveness import has_ended
from authctl.server.audit.positions import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.server.audit.file_sink import AuditFile
    from authctl.server.audit.positions import Positions
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

_MARGIN_MS = 10_000
"""How much later than its event a line may have been written; readiness fails beyond that."""


def find_unfinished(tx: Transaction, log_file: str, generation: int, known: Positions) -> list[AuditWriter]:
    """Ended writers of which the table is not sure that the file has everything."""
    return [writer for writer in _ended(tx, log_file, generation, known) if writer.shipped_seq < writer.last_seq]


def adopt(tx: Transaction, unfinished: list[AuditWriter], file: AuditFile) -> dict[str, Place]:
    """What of the unfinished writers' rows is still owed to the file, which has to be locked.

    A writer notes what it shipped with its next batch, so the last one is always in doubt: the end of the file tells.
    """
    found = _last_lines(file, {writer.id for writer in unfinished}, _oldest_in_doubt(tx, unfinished))
    places: dict[str, Place] = {}
    for writer in unfinished:
        shipped = max(writer.shipped_seq, found.get(writer.id, 0))
        if shipped >= writer.last_seq:
            tx.writers.note_shipped(writer.id, writer.last_seq)
        else:
            places[writer.id] = Place(writer.generation, shipped, writer.last_seq)
    return places


def owe_again(tx: Transaction, log_file: str, generation: int, known: Positions, since: str) -> dict[str, Place]:
    """Every row of ended writers since an event, for a file that has lost its content."""
    places: dict[str, Place] = {}
    for writer in _ended(tx, log_file, generation, known):
        first = tx.events.first_since(writer.id, since)
        if first is not None:
            places[writer.id] = Place(writer.generation, first - 1, writer.last_seq)
    return places


def milliseconds_of(event_id: str) -> int:
    """The time inside a UUIDv7, or 0 when the text is none."""
    try:
        return int(event_id[:8] + event_id[9:13], 16)
    except ValueError:
        return 0


def _ended(tx: Transaction, log_file: str, generation: int, known: Positions) -> Iterator[AuditWriter]:
    for writer in tx.writers.feeding(log_file):
        if writer.generation == generation and writer.id not in known and has_ended(writer):
            yield writer


def _oldest_in_doubt(tx: Transaction, unfinished: list[AuditWriter]) -> int:
    rows = [
        row
        for writer in unfinished
        for row in tx.events.between(writer.id, after=writer.shipped_seq, last=writer.last_seq, most=1)
    ]
    return min((milliseconds_of(row[0]) for row in rows), default=0)


def _last_lines(file: AuditFile, wanted: set[str], since: int) -> dict[str, int]:
    """The last sequence of each writer in the file, and in those rotated away, as far as its lines can be that late."""
    found: dict[str, int] = {}
    for line in _recent_lines(file):
        place = place_of(line)
        if place is None:
            continue
        if place[0] in wanted:
            found.setdefault(place[0], place[1])
        if len(found) == len(wanted) or milliseconds_of(id_of(line) or "") < since - _MARGIN_MS:
            break
    return found


def _recent_lines(file: AuditFile) -> Iterator[bytes]:
    for _, line in file.lines_backward():
        yield line
    for path in rotated_files(file.path):
        with suppress(OSError), path.open("rb") as rotated:
            size = os.fstat(rotated.fileno()).st_size
            for _, line in lines_backward(_reader(rotated), size):
                yield line


def _reader(file: BinaryIO) -> Callable[[int, int], bytes]:
    return lambda offset, size: os.pread(file.fileno(), size, offset)
