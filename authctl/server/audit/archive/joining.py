"""An archive and the database beside it as one source, in which every event comes once, also while events move."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from authctl.server.audit.archive.source import ArchiveSource
from authctl.server.audit.sources import DatabaseSource, JoinedSource
from authctl.server.storage.event_query import Sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.audit.archive.manifest import ArchivedRange
    from authctl.server.audit.archive.source import Held
    from authctl.server.storage.reader import Reader

_HELD = {
    "sqlite": "SELECT seq FROM audit_logs WHERE writer_id = :writer AND seq BETWEEN :first AND :last",
    "postgresql": (
        "SELECT seq FROM audit_logs WHERE writer_id = %(writer)s AND seq BETWEEN %(first)s AND %(last)s"
    ),
}  # fmt: skip
_ANY = "SELECT 1 FROM audit_logs LIMIT 1"


@contextmanager
def archive_and_table(directory: Path, reader: Reader) -> Iterator[JoinedSource]:
    """Both, on one state of the database and the manifest that fits it.

    Raises UsageError without the engine, and a StorageError for an archive that cannot be read.
    """
    with ExitStack() as opened:
        archive = ArchiveSource(directory)
        opened.callback(archive.close)
        opened.enter_context(_steady(archive, reader))
        archive.leave_out(held_by(reader))
        yield JoinedSource((archive, DatabaseSource(reader)))


def held_by(reader: Reader) -> Held:
    """Tells which sequences of a range the table holds."""

    def held(one: ArchivedRange) -> list[int]:
        params = {"writer": one.writer_id, "first": one.first, "last": one.last}
        return [row[0] for row in reader.all(Sql(_HELD[reader.dialect], params, reader.dialect))]

    return held


@contextmanager
def _steady(archive: ArchiveSource, reader: Reader) -> Iterator[None]:
    """A snapshot of the database during whose beginning the manifest did not change.

    What a file of this manifest is said to have moved was gone before, and what has gone is in one of its files.
    """
    is_steady = False
    while not is_steady:
        with reader.snapshot():
            reader.all(Sql(_ANY, {}, reader.dialect))  # a snapshot begins with its first statement
            is_steady = not archive.read_again()
            if is_steady:
                yield
