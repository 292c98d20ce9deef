"""An online copy of a whole database, consistent while others write."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.errors import Refused, StorageUnavailable
from authctl.server.storage.postgres import PostgresDriver
from authctl.server.storage.sqlite import SqliteDriver, create_private, dbapi

if TYPE_CHECKING:
    from authctl.server.storage.connection import Driver


def copy_database(driver: Driver, suffix: str) -> Path:
    """Writes a private copy beside the database (PostgreSQL: a dump in the working directory); returns its path.

    Raises Refused when the copy cannot be made here, StorageUnavailable when it cannot be written.
    """
    if isinstance(driver, SqliteDriver):
        return _copy_file(driver, driver.path.with_name(f"{driver.path.name}.{suffix}"))
    if not isinstance(driver, PostgresDriver):
        raise Refused("This kind of database cannot be copied")
    return _dump(driver, Path.cwd() / f"authctl.{suffix}.dump")


def _copy_file(driver: SqliteDriver, target: Path) -> Path:
    create_private(target)
    try:
        source = driver.connect(readonly=True)
        copy = dbapi.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()
    except driver.exceptions as error:
        target.unlink()
        raise driver.translate(error) from error
    return target


def _dump(driver: PostgresDriver, target: Path) -> Path:
    program = shutil.which("pg_dump")
    if program is None:
        raise Refused("pg_dump is not installed, so no copy can be made first", hint="install PostgreSQL's client")
    create_private(target)
    # The address, which may hold a password, goes through the environment: arguments are visible to everyone.
    done = subprocess.run(  # noqa: S603  a fixed program and a path of our own
        [program, "--format=custom", f"--file={target}"],
        env={**os.environ, **driver.environment()},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        target.unlink()
        raise StorageUnavailable("The copy could not be made", debug=done.stderr.decode("utf-8", "replace"))
    return target
