"""What /readyz knows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authctl.server.audit.health import HEALTHY, AuditHealth
from authctl.server.readiness import ReadinessCheck
from authctl.server.storage.sqlite import dbapi

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.clock import FixedClock
    from authctl.server.storage.database import Database


class Trail:
    """Says what it is set to say."""

    def __init__(self) -> None:
        self.state = HEALTHY

    def health(self) -> AuditHealth:
        return self.state


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def check(database: Database, trail: Trail) -> ReadinessCheck:
    return ReadinessCheck(database, trail)


def test_a_healthy_service_is_ready(check: ReadinessCheck) -> None:
    """R-CF-08."""
    found = asyncio.run(check.ready())
    assert (found.storage, found.audit, found.clock, found.is_ready) == ("ok", "ok", "ok", True)


def test_a_database_that_cannot_be_written_is_not_ready_and_the_answer_is_kept_for_a_second(
    check: ReadinessCheck, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authctl.server.storage.writer.PATIENCE", 0.1)
    assert asyncio.run(check.ready()).is_ready
    other = dbapi.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert asyncio.run(check.ready()).is_ready
    clock.advance(1.5)
    assert asyncio.run(check.ready()).storage == "cannot write"
    other.execute("ROLLBACK")
    other.close()
    clock.advance(1.5)
    assert asyncio.run(check.ready()).is_ready


def test_a_file_that_lags_is_not_ready(check: ReadinessCheck, trail: Trail, clock: FixedClock) -> None:
    trail.state = AuditHealth(is_ok=False, lag_events=20_000, lag_seconds=30.0, degraded="the file is behind")
    assert asyncio.run(check.ready()).audit == "degraded"


def test_a_clock_that_jumps_is_said_once(check: ReadinessCheck, clock: FixedClock) -> None:
    """F-09."""
    clock.set_wall(clock.now() + timedelta(hours=1))
    assert asyncio.run(check.ready()).clock == "jumped"
    clock.advance(2)
    assert asyncio.run(check.ready()).clock == "ok"
