"""Instances of the whole service on files and databases of their own, closed at the end of their test."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from authctl.server.storage.engine import open_database
from tests.builders import Instance, Visitor, settings_in
from tests.journeys.sql import execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.clock import FixedClock
    from tests.postgres_server import PostgresServer


class OpenInstance(Protocol):
    """Opens one more instance: over the database given or a file of its own, with other settings than the usual."""

    def __call__(self, url: str | None = None, **settings: Any) -> Instance:
        """The instance, open."""
        ...


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with tables and no service yet; copying it is quicker than making it."""
    path = tmp_path_factory.mktemp("empty") / "app.db"
    open_database(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture(scope="session")
def empty_postgres(postgres_server: PostgresServer) -> str:
    """The same on PostgreSQL, as the URL of a database that is only copied."""
    url = postgres_server.create_database("empty_service")
    open_database(url, create=True).close()
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path, empty_file: Path) -> str:
    """The URL of an SQLite database with tables."""
    return f"sqlite:///{shutil.copy(empty_file, tmp_path / 'app.db')}"


@pytest.fixture
def postgres_url(empty_postgres: str) -> str:
    """The URL of a PostgreSQL database with tables, as an operator makes them before the first start."""
    server, _, template = empty_postgres.rpartition("/")
    name = f"t{secrets.token_hex(6)}"
    execute(f"{server}/postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"{server}/{name}"


@pytest.fixture
def open_instance(tmp_path: Path, empty_file: Path, clock: FixedClock) -> Iterator[OpenInstance]:
    """Opens instances, each with files of its own."""
    opened: list[Instance] = []

    def open_one(url: str | None = None, **settings: Any) -> Instance:
        directory = tmp_path / f"instance-{len(opened) + 1}"
        directory.mkdir(exist_ok=True)
        if url is None:
            shutil.copy(empty_file, directory / "app.db")
        instance = Instance(settings_in(directory, url, **settings), clock)
        opened.append(instance)
        return instance

    yield open_one
    for instance in opened:
        instance.close()


@pytest.fixture
def instance(open_instance: OpenInstance) -> Instance:
    """A service on SQLite."""
    return open_instance()


@pytest.fixture
def each_instance(any_url: str, open_instance: OpenInstance) -> Instance:
    """A service, once on SQLite and once on PostgreSQL."""
    return open_instance(any_url)


@pytest.fixture
def jane(instance: Instance) -> Visitor:
    """A registered user of the service on SQLite; the events of the registration are seen already."""
    visitor = Visitor(instance)
    visitor.register()
    instance.new_events()
    return visitor
