"""Opens a database: looks before it touches, never starts anew in place of something damaged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from authctl.clock import SystemClock
from authctl.errors import StorageMissing, StorageUnavailable
from authctl.server.storage import schema
from authctl.server.storage.database import Database
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.journal import NoJournal
from authctl.server.storage.sqlite import SqliteDriver, create_private, examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.clock import Clock
    from authctl.server.storage.journal import Journal


def _create(driver: SqliteDriver) -> None:
    """Makes the whole file under another name first: a crash on the way never leaves half a database."""
    made = SqliteDriver(driver.path.with_name(f".{driver.path.name}.{os.getpid()}.new"))
    made.path.unlink(missing_ok=True)
    create_private(made.path)
    try:
        schema.migrate(made)
        os.link(made.path, driver.path)
    except FileExistsError:
        examine(driver.path)  # another process was faster; its file is as good
    except OSError as error:
        raise StorageUnavailable(f"{driver.path} cannot be created", hint=str(error)) from error
    finally:
        made.path.unlink(missing_ok=True)


def open_database(
    url: str,
    clock: Clock | None = None,
    journal_factory: Callable[[], Journal] = NoJournal,
    *,
    create: bool = False,
    upgrade: bool = False,
) -> Database:
    """A database whose tables are those of this program.

    create   makes the file or the tables when there is nothing at all
    upgrade  brings older tables up to date
    Raises StorageMissing, StorageDamaged, StorageUnavailable or SchemaMismatch.
    """
    driver = choose_driver(url)
    if isinstance(driver, SqliteDriver):
        try:
            examine(driver.path)
        except StorageMissing:
            if not create:
                raise
            _create(driver)
    schema.prepare(driver, create=create, upgrade=upgrade)
    return Database(driver, clock or SystemClock(), journal_factory)
