"""The ceremonies' features over a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.server.storage.engine import open_database
from tests.server.ceremonies.harness import Ceremonies, RecordingJournal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.clock import FixedClock


@pytest.fixture
def ceremonies(sqlite_url: str, clock: FixedClock) -> Iterator[Ceremonies]:
    """Registration and login with the default policy and a journal that can be read."""
    journal = RecordingJournal()
    database = open_database(sqlite_url, clock, lambda: journal, create=True)
    yield Ceremonies(database, journal)
    database.close()
