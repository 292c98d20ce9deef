"""Fixtures for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.server.tokens.signing_keys import ALGORITHMS
from tests.server.tokens.workshop import Workshop, key_for, workshop_for

if TYPE_CHECKING:
    from authctl.clock import FixedClock


@pytest.fixture
def workshop(clock: FixedClock) -> Workshop:
    """Tokens as they are by default: HS256."""
    return workshop_for(key_for("HS256"), clock)


@pytest.fixture(params=ALGORITHMS)
def any_workshop(request: pytest.FixtureRequest, clock: FixedClock) -> Workshop:
    """Tokens of each algorithm in turn."""
    return workshop_for(key_for(request.param), clock)
