"""Opens what holds the events for one command: the database here, an archive beside it, or a service far away."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.audit.records import EventSource
    from authctl.settings import Settings


@contextmanager
def open_source(
    *, url: str | None = None, token: str | None = None, archive: Path | None = None, settings: Settings | None = None
) -> Iterator[EventSource]:
    """The events of a service at `url`; or else of the database of the settings, together with those of an archive.

    Nothing is created or changed, and the server is not imported. Raises SettingsError, UsageError, or a StorageError
    that says what is wrong with the database.
    """
    if url is not None and archive is not None:
        raise UsageError("--archive is a directory of this machine and --url another machine: take one of them")
    with ExitStack() as opened:
        source = _remote(url, token) if url is not None else _local(opened, settings, archive)
        opened.callback(source.close)
        yield source


def _remote(url: str, token: str | None) -> EventSource:
    from authctl.commands._remote import RemoteSource

    return RemoteSource(url, token)


def _local(opened: ExitStack, settings: Settings | None, archive: Path | None) -> EventSource:
    from authctl.commands._session import require_database
    from authctl.server.audit.sources import DatabaseSource
    from authctl.server.storage.reader import open_reader
    from authctl.settings import load_settings

    settings = settings or load_settings()
    require_database(settings)
    reader = open_reader(settings.database_url)
    if archive is None:
        return DatabaseSource(reader)
    opened.callback(reader.close)
    from authctl.server.audit.archive.joining import archive_and_table

    return opened.enter_context(archive_and_table(archive, reader))
