"""Opens the service for one command, importing the server only then."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from authctl.commands._operator import operator
from authctl.commands._output import Output

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from authctl.server.audit.events import Caller
    from authctl.server.service import Service
    from authctl.server.storage.connection import Driver
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
def open_session(settings: Settings | None = None, *, create: bool = False) -> Iterator[Session]:
    """The service on the database of the settings.

    create  makes a database that is not there; without it nothing is created in passing, not even a key directory

    Raises SettingsError, or a StorageError that says what is wrong with the database.
    """
    from authctl.server.assembly import open_service
    from authctl.settings import load_settings

    settings = settings or load_settings()
    if not create:
        require_database(settings)
    with _warnings_told():
        service = open_service(settings, kind="cli", create=create)
        try:
            yield Session(service, operator())
        finally:
            service.close()


class _Teller(logging.Handler):
    """Tells the person what the service would write to its log."""

    def emit(self, record: logging.LogRecord) -> None:
        Output().warning(record.getMessage())


@contextmanager
def _warnings_told() -> Iterator[None]:
    logger, teller = logging.getLogger("authctl"), _Teller(logging.WARNING)
    logger.addHandler(teller)
    try:
        yield
    finally:
        logger.removeHandler(teller)


def require_database(settings: Settings) -> Driver:
    """The driver of a database that is there. Raises StorageMissing or StorageDamaged before anything is touched."""
    from authctl.server.identity import Identity
    from authctl.server.storage.drivers import choose_driver
    from authctl.server.storage.sqlite import SqliteDriver, examine

    driver = choose_driver(settings.database_url)
    Identity(settings.key_dir).require_no_loss(driver)
    if isinstance(driver, SqliteDriver):
        examine(driver.path)
    return driver
