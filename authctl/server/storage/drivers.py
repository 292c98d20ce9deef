"""Chooses the driver that a database URL names, without the SQL toolkit as long as that is SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from authctl.errors import SettingsError
from authctl.server.storage.sqlite import SqliteDriver

if TYPE_CHECKING:
    from authctl.server.storage.connection import Driver

_FILE = "sqlite:///"
_NO_FILE = "DATABASE_URL has to name a file, such as sqlite:///app.db"


def choose_driver(url: str) -> Driver:
    """The driver for `sqlite:///path` or `postgresql+psycopg://…`. Raises SettingsError for anything else."""
    if url.startswith(_FILE):
        return _sqlite(unquote(url.removeprefix(_FILE).partition("?")[0]))
    return _by_toolkit(url)


def _sqlite(path: str | None) -> SqliteDriver:
    if not path or path == ":memory:":
        raise SettingsError((_NO_FILE,))
    return SqliteDriver(Path(path))


def _by_toolkit(url: str) -> Driver:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(("DATABASE_URL is not a database URL",)) from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed.database)
    if parsed.get_backend_name() == "postgresql":
        from authctl.server.storage.postgres import PostgresDriver

        return PostgresDriver(parsed)
    raise SettingsError(("DATABASE_URL has to begin with sqlite:/// or postgresql+psycopg://",))
