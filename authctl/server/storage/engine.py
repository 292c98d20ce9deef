"""Opens a database: chooses the driver, looks before it touches, never starts anew in place of something damaged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from authctl.clock import SystemClock
from authctl.errors import SettingsError, StorageMissing, StorageUnavailable
from authctl.server.storage import schema
from authctl.server.storage.database import Database
from authctl.server.storage.journal import NoJournal
from authctl.server.storage.sqlite import SqliteDriver, create_private, examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.clock import Clock
    from authctl.server.storage.connection import Driver
    from authctl.server.storage.journal import Journal


def choose_driver(url: str) -> Driver:
    """The driver for `sqlite:///path` or `postgresql+psycopg://…`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(("DATABASE_URL is not a database URL",)) from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise SettingsError(("DATABASE_URL has to name a file, such as sqlite:///app.db",))
        return SqliteDriver(Path(parsed.database))
    if parsed.get_backend_name() == "postgresql":
        from authctl.server.storage.postgres import PostgresDriver

        return PostgresDriver(parsed)
    raise SettingsError(("DATABASE_URL has to begin with sqlite:/// or postgresql+psycopg://",))


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
