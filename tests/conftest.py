"""Fixtures that more than one part of the tests needs."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from authctl.server.storage.engine import open_database
from tests.attacks.summary import pytest_terminal_summary
from tests.lent_engines import lent_engines, real_engines
from tests.made_tables import copied_tables, real_migrations
from tests.pooled_keys import pooled_keys, real_keys
from tests.postgres_server import PostgresServer, find_programs
from tests.running_order import pytest_collection_modifyitems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.storage.database import Database

__all__ = [
    "copied_tables",
    "lent_engines",
    "pooled_keys",
    "pytest_collection_modifyitems",
    "pytest_terminal_summary",
    "real_engines",
    "real_keys",
    "real_migrations",
]

pytest_plugins = ["pytester"]

for _name in [name for name in os.environ if name.startswith(("AUTHCTL_", "JWT_", "RATE_LIMIT", "AUDIT_", "DETECT_"))]:
    del os.environ[_name]


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still until the test moves it."""
    return FixedClock()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'app.db'}"


@pytest.fixture
def database(sqlite_url: str, clock: FixedClock) -> Iterator[Database]:
    """An SQLite database without an audit journal."""
    opened = open_database(sqlite_url, clock, create=True)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A private PostgreSQL server for this run of the tests."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed")
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a new, empty PostgreSQL database."""
    return postgres_server.create_database(f"t{secrets.token_hex(6)}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new database, once for each kind that is supported."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url
