"""A stage on a copy of an empty database, and the trail that a play leaves behind."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import Thresholds, Window
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.engine import open_database
from authctl.server.storage.reader import open_reader
from tests.server.audit.detect.rehearsals import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.audit.detect.detection import Report

USUAL = Thresholds()


class Look(Protocol):
    """Runs the rules over what happened on the stage until now."""

    def __call__(self, thresholds: Thresholds = USUAL, *, hours: float = 72) -> Report:
        """What they find in the last hours."""
        ...


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with tables; copying it is quicker than making it."""
    path = tmp_path_factory.mktemp("empty") / "app.db"
    open_database(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def stage(tmp_path: Path, empty_database: Path) -> Iterator[Stage]:
    """A service to play against."""
    made = Stage(tmp_path, f"sqlite:///{shutil.copy(empty_database, tmp_path / 'app.db')}")
    yield made
    made.close()


@pytest.fixture
def look(stage: Stage) -> Look:
    """The rules, on the stage's database as the commands open it."""
    return looking_at(stage)


def looking_at(stage: Stage) -> Look:
    """The rules, on the database of any stage."""

    def run(thresholds: Thresholds = USUAL, *, hours: float = 72) -> Report:
        until = stage.clock.now() + timedelta(seconds=1)
        window = Window(until - timedelta(hours=hours), until)
        with closing(DatabaseSource(open_reader(stage.instance.settings.database_url))) as source:
            return detect(source, window, thresholds)

    return run
