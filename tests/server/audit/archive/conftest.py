"""Fixtures of the archive's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.audit.archive.store import Store, fill

if TYPE_CHECKING:
    from tests.server.audit.workbench import Site


@pytest.fixture
def store(site: Site) -> Store:
    """Twenty events and a checkpoint of three months, which nobody has archived yet."""
    return fill(site, 20)
