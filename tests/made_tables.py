"""Tables of a new SQLite file, copied from one that was really migrated: a test's database in a tenth of the time.

Alembic takes 25 ms of work to make the tables of an empty file, and thousands of tests begin with one. The first file
of a run is migrated in earnest, and what came of it is copied into the others. Whatever is about migrations themselves
uses the fixture `real_migrations`, and programs that a test starts make their tables in earnest too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.server.storage import schema
from authctl.server.storage.sqlite import SqliteDriver, create_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.storage.connection import Driver

_migrate = schema.migrate


class _Copies:
    """Stands in for `schema.migrate`."""

    def __init__(self, folder: Path) -> None:
        self._first = folder / "first.db"

    def __call__(self, driver: Driver) -> None:
        if isinstance(driver, SqliteDriver) and driver.path.stat().st_size == 0:
            driver.path.write_bytes(self._content())
        else:
            _migrate(driver)

    def _content(self) -> bytes:
        if not self._first.exists():
            create_private(self._first)
            _migrate(SqliteDriver(self._first))
        return self._first.read_bytes()


@pytest.fixture(scope="session", autouse=True)
def copied_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Makes the tables of empty SQLite files by copying."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "migrate", _Copies(tmp_path_factory.mktemp("tables")))
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes tables as the program does."""
    monkeypatch.setattr(schema, "migrate", _migrate)
