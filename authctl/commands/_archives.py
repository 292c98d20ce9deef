"""The option that names an archive beside the database, and the archive that it names, for commands that need both."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.records import EventSource

ArchiveOption = Annotated[
    Path | None, typer.Option("--archive", metavar="DIR", help="Also in the events archived in this directory.")
]


@contextmanager
def open_archive(directory: Path | None) -> Iterator[EventSource | None]:
    """The events of an archive, or nothing. Raises UsageError without the engine, and a StorageError without one."""
    if directory is None:
        yield None
        return
    from authctl.server.audit.archive.source import ArchiveSource

    source = ArchiveSource(directory)
    try:
        yield source
    finally:
        source.close()
