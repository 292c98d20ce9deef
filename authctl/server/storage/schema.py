"""The schema's version: read with plain SQL, changed by Alembic, which is imported only then."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from authctl.errors import AuthctlError, SchemaMismatch, StorageError, StorageMissing
from authctl.server.storage.sqlite import APPLICATION_ID, SqliteDriver, dbapi

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy
    from alembic.config import Config

    from authctl.server.storage.connection import Driver

HEAD = "0003"
"""The newest migration; a test holds it against the scripts."""
_ADVISORY_LOCK = 0x61757468


def version(driver: Driver) -> str | None:
    """The version of the tables, or None when there are none."""
    try:
        raw = driver.connect(readonly=False)
    except driver.exceptions as error:
        raise driver.translate(error) from error
    try:
        return version_on(driver, raw)
    finally:
        raw.close()


def version_on(driver: Driver, raw: Any) -> str | None:
    """The same on a connection that is open already."""
    try:
        row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    except driver.exceptions as error:
        translated = driver.translate(error)
        if isinstance(translated, SchemaMismatch):
            return None
        raise translated from error
    return str(row[0]) if row else None


def prepare(driver: Driver, *, create: bool, upgrade: bool) -> None:
    """Makes sure that the tables are at `HEAD`, changing them only as far as allowed."""
    found = version(driver)
    if found == HEAD:
        return
    may_migrate = create if found is None else upgrade and found < HEAD
    if not may_migrate:
        require(found)
    migrate(driver)


def require(found: str | None) -> None:
    """Raises StorageMissing or SchemaMismatch, with the way out, unless the version that was found is `HEAD`."""
    if found is None:
        raise StorageMissing("The database has no tables", hint="run `authctl db upgrade`")
    if found > HEAD:
        raise SchemaMismatch(f"The tables are of the newer version {found}", hint="use a newer authctl")
    if found < HEAD:
        raise SchemaMismatch(f"The tables are of version {found}, not {HEAD}", hint="run `authctl db upgrade`")


def migrate(driver: Driver) -> None:
    """Brings the tables to `HEAD` in one transaction; of several processes that try, one does it."""
    from alembic import command
    from sqlalchemy.exc import DBAPIError

    try:
        with _alchemy(driver) as connection:
            command.upgrade(config(connection), "head")
    except DBAPIError as error:
        cause = error.orig if isinstance(error.orig, driver.exceptions) else None
        translated: AuthctlError = driver.translate(cause) if cause else StorageError(debug=str(error))
        raise translated from error


def config(connection: sqlalchemy.Connection | None = None) -> Config:
    """Alembic's configuration for the scripts inside this package."""
    from alembic.config import Config

    made = Config(stdout=io.StringIO())  # else what stdout was when Alembic was imported, which may be closed by now
    made.set_main_option("script_location", "authctl.server.storage:migrations")
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


@contextmanager
def _alchemy(driver: Driver) -> Iterator[sqlalchemy.Connection]:
    """An SQLAlchemy connection inside one write transaction that other starting processes wait for."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    is_sqlite = isinstance(driver, SqliteDriver)
    engine = create_engine(
        "sqlite://" if is_sqlite else "postgresql+psycopg://",
        creator=lambda: driver.connect(readonly=False),
        module=dbapi if is_sqlite else None,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT" if is_sqlite else None,
    )
    try:
        with engine.connect() as connection:
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA busy_timeout=10000")
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.exec_driver_sql("COMMIT")
                except BaseException:
                    connection.exec_driver_sql("ROLLBACK")
                    raise
            else:
                connection.connection.dbapi_connection.autocommit = False  # type: ignore[union-attr]
                with connection.begin():
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
                    yield connection
    finally:
        engine.dispose()
