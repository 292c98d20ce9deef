"""Floods of requests without a usable token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from authctl.errors import NotAuthenticated, TokenRejected
from authctl.server.accounts.rejections import MOST_COUNTED, MOST_OF_ALL, MOST_OF_SOURCE, Rejections
from authctl.server.assembly import open_service
from authctl.server.audit.events import Caller
from authctl.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def from_source(number: int) -> Caller:
    address = f"192.0.{number // 256}.{number % 256}"
    return Caller(address, address, None, "r", network=address)


def test_the_first_rejections_of_a_source_are_written_and_the_others_counted() -> None:
    """R-RL-08."""
    rejections = Rejections(FixedClock())
    answers = [rejections.is_to_be_written(from_source(1)) for _ in range(MOST_OF_SOURCE + 5)]
    assert answers == [True] * MOST_OF_SOURCE + [False] * 5
    assert rejections.is_to_be_written(from_source(2))
    assert rejections.take_floods() == []
    (flood,) = rejections.take_floods(everything=True)
    assert (flood.count, flood.caller.address) == (5, "192.0.0.1")
    assert rejections.take_floods(everything=True) == []


def test_counting_starts_again_after_a_minute_and_the_old_count_is_told() -> None:
    clock = FixedClock()
    rejections = Rejections(clock)
    for _ in range(MOST_OF_SOURCE + 3):
        rejections.is_to_be_written(from_source(1))
    clock.advance(59)
    assert not rejections.is_to_be_written(from_source(1))
    clock.advance(1)
    assert rejections.is_to_be_written(from_source(1))
    assert [flood.count for flood in rejections.take_floods()] == [4]


def test_many_sources_together_write_no_more_than_the_limit_and_take_bounded_memory() -> None:
    """R-RL-07."""
    rejections = Rejections(FixedClock())
    written = sum(rejections.is_to_be_written(from_source(number)) for number in range(3 * MOST_COUNTED))
    assert written == MOST_OF_ALL
    floods = rejections.take_floods(everything=True)
    assert len(floods) == MOST_COUNTED + 1
    assert sum(flood.count for flood in floods) == 3 * MOST_COUNTED - MOST_OF_ALL


def test_a_flood_leaves_few_rows_and_every_request_gets_its_401(tmp_path: Path) -> None:
    """F-15: audit growth is bounded."""
    service = open_service(load_settings(environ={}, cwd=tmp_path))
    caller = from_source(1)

    async def flood() -> None:
        for number in range(300):
            with pytest.raises(TokenRejected if number % 2 else NotAuthenticated):
                await service.users.me("forged" if number % 2 else None, caller)
        await service.users.tell_floods(everything=True)

    asyncio.run(flood())
    rows = service.database.read_now(lambda tx: list(tx.events.in_chains()))
    service.close()
    assert len(rows) == MOST_OF_SOURCE + 1
    assert rows[-1][7] == "280 more requests without a usable token from IP: 192.0.0.1 within a minute"
