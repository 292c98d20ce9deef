"""Fixtures of the account tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.accounts.office import Office, office_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.clock import FixedClock


@pytest.fixture
def office(sqlite_url: str, clock: FixedClock) -> Iterator[Office]:
    """An office on SQLite."""
    made = office_on(sqlite_url, clock)
    yield made
    made.database.close()


@pytest.fixture
def any_office(any_url: str, clock: FixedClock) -> Iterator[Office]:
    """An office on each kind of database."""
    made = office_on(any_url, clock)
    yield made
    made.database.close()
