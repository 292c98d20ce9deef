"""Fixtures of the audit tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from tests.server.audit.workbench import START, Service, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> FixedClock:
    """Stands in the future: a writer older than its process would count as one that has ended."""
    return FixedClock(START)


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str, clock: FixedClock) -> Iterator[Site]:
    """An empty site; what a test starts on it is stopped after it."""
    made = Site(tmp_path, sqlite_url, clock)
    yield made
    made.stop()


@pytest.fixture
def service(site: Site) -> Service:
    """A service of the usual kind on it."""
    return site.start()
