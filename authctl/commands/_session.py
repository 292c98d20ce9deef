"""Opens the service for one command, importing the server only then."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from authctl.commands._operator import operator

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from authctl.server.audit.events import Caller
    from authctl.server.service import Service
    from authctl.settings import Settings

    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """The service, and who asks it."""

    service: Service
    caller: Caller

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of one call of the service."""
        return asyncio.run(call)


@contextmanager
def open_session(settings: Settings | None = None) -> Iterator[Session]:
    """The service on the database of the settings, which has to exist: commands never create one in passing.

    Raises SettingsError, or a StorageError that says what is wrong with the database.
    """
    from authctl.server.assembly import open_service
    from authctl.settings import load_settings

    settings = settings or load_settings()
    require_database(settings)
    service = open_service(settings, kind="cli")
    try:
        yield Session(service, operator())
    finally:
        service.close()


def require_database(settings: Settings) -> None:
    """Raises StorageMissing or StorageDamaged before anything, such as a key directory, is created beside nothing."""
    from authctl.server.storage.engine import choose_driver
    from authctl.server.storage.sqlite import SqliteDriver, examine

    driver = choose_driver(settings.database_url)
    if isinstance(driver, SqliteDriver):
        examine(driver.path)
