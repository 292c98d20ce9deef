"""A working directory in which commands run on the real service."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.server.assembly import open_service
from authctl.server.audit.queries import EventQuery
from authctl.server.storage.tables import LoginSession, User
from authctl.settings import load_settings
from authctl.settings.model import FIELD_OF_FILE_VARIABLE, FIELD_OF_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from authctl.server.audit.records import EventRecord
    from authctl.server.service import Service

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Home:
    """The current directory, with a database that `service` opens and commands work on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *words: str, typed: str | None = None) -> Result:
        """One command line, in this process."""
        return CliRunner().invoke(app, list(words), input=typed)

    @contextmanager
    def service(self) -> Iterator[Service]:
        """The service beside the commands."""
        opened = open_service(load_settings(), kind="cli")
        try:
            yield opened
        finally:
            opened.close()

    def add_user(self, email: str, **members: Any) -> User:
        """Somebody with an account."""
        given = {"first_name": "Jane", "last_name": "Doe", "role": "user", **members}
        user = User(
            email=email,
            date_of_birth=datetime(1990, 1, 1, tzinfo=UTC),
            job_title="Engineer",
            created_at=LONG_AGO,
            user_handle=os.urandom(64),
            **given,
        )
        user_id = user.id
        with self.service() as service:
            service.database.write_now(lambda tx: tx.users.add(user))
            found = service.database.read_now(lambda tx: tx.users.by_id(user_id))
        assert found is not None
        return found

    def add_session(self, user: User) -> None:
        """A login of a user."""
        session = LoginSession(
            user_id=user.id, credential_id="c", created_at=LONG_AGO, expires_at=datetime(2999, 1, 1, tzinfo=UTC)
        )
        with self.service() as service:
            service.database.write_now(lambda tx: tx.sessions.add(session))

    def events(self, *types: str) -> list[EventRecord]:
        """The events of some types, newest first."""
        with self.service() as service:
            return asyncio.run(service.audit.list(EventQuery(events=types)))


def forget_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves nothing in the environment that authctl reads."""
    for name in (*FIELD_OF_VARIABLE, *FIELD_OF_FILE_VARIABLE, "AUTHCTL_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def keep_logs_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoes after the test what `serve` does to the log of its process."""
    logger = logging.getLogger("authctl")
    for name, value in (("handlers", []), ("level", logging.NOTSET), ("propagate", True)):
        monkeypatch.setattr(logger, name, value)


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A directory in which there is nothing."""
    forget_settings(monkeypatch)
    keep_logs_apart(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database with its keys, to be copied."""
    path = tmp_path_factory.mktemp("home")
    open_service(load_settings(environ={}, cwd=path), kind="cli", create=True).close()
    return path


@pytest.fixture
def home(empty_home: Home, template: Path) -> Home:
    """A directory with an empty database."""
    shutil.copytree(template, empty_home.path, dirs_exist_ok=True)
    return empty_home
