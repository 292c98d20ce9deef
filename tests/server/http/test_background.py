"""The work beside the requests begins and ends with the application."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from authctl.errors import StorageUnavailable
from authctl.server.http.background import Background, Intervals
from authctl.server.http.refusals import Refusals
from tests.server.http.conftest import Api, person

if TYPE_CHECKING:
    from authctl.clock import FixedClock

QUICK = Intervals(sweep=0.01, audit=0.01, flush=0.01)


def run_for(api: Api, seconds: float, intervals: Intervals = QUICK) -> None:
    async def live() -> None:
        async with Background(api.service, Refusals(api.service.database, api.service.audit), intervals):
            await asyncio.sleep(seconds)

    asyncio.run(live())


def test_start_and_stop_are_in_the_trail(api: Api) -> None:
    run_for(api, 0, Intervals())
    assert [event[:2] for event in api.events()] == [("server_start", 1), ("server_stop", 1)]


def test_expired_ceremonies_are_swept_and_checkpoints_signed(api: Api, clock: FixedClock) -> None:
    api.post("/register/begin", person())
    assert api.service.database.read_now(lambda tx: tx.challenges.count()) == 1
    clock.advance(3600)
    run_for(api, 0.2)
    assert api.service.database.read_now(lambda tx: tx.events.count_of_type("checkpoint")) >= 1
    remaining = api.service.database.write_now(lambda tx: tx.challenges.delete_expired(10))
    assert remaining == 0


@pytest.mark.parametrize("error", [StorageUnavailable(debug="locked"), ValueError("a fault")])
def test_work_that_fails_is_said_and_tried_again(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls = []

    async def sweep(_: object) -> int:
        calls.append(1)
        raise error

    monkeypatch.setattr("authctl.server.maintenance.Maintenance.sweep", sweep)
    with caplog.at_level(logging.WARNING):
        run_for(api, 0.2)
    assert len(calls) > 1
    assert "background work failed" in caplog.text


def test_the_application_runs_it(api: Api) -> None:
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive() -> dict[str, str]:
        return incoming.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    async def live() -> None:
        await api.app({"type": "lifespan", "state": {}}, receive, send)

    asyncio.run(live())
    assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert [event[0] for event in api.events()] == ["server_start", "server_stop"]
