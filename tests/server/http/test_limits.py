"""R-RL-01 to R-RL-07: what is counted, for whom, and what a refusal costs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from authctl.server.http.limits import (
    Limiter,
    Remembered,
    TooOften,
    TransactionStorage,
    begin_policy,
    completion_policy,
)
from authctl.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authctl.clock import FixedClock
    from authctl.server.http.limits import Policy
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction
    from authctl.settings import Settings

KEY = bytes(range(32))
HERE, THERE = "192.0.2.1", "198.51.100.1"
JANE = "jane@example.com"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        environ={},
        cwd=tmp_path,
        rate_limit_begins_per_source_per_minute=3,
        rate_limit_begins_per_email_per_minute=2,
        rate_limit_begins_per_minute=5,
        rate_limit_completions_per_source_email=2,
        rate_limit_completions_per_source=4,
        rate_limit_completions_per_minute=6,
    )


@pytest.fixture
def limiter(database: Database) -> Limiter:
    return Limiter(database, KEY)


async def admitted(limiter: Limiter, policy: Policy, calls: Sequence[tuple[str, str | None]]) -> list[bool]:
    """Which of the calls pass."""
    outcomes = []
    for network, email in calls:
        try:
            await limiter.admit(policy, network, email)
        except TooOften:
            outcomes.append(False)
        else:
            outcomes.append(True)
    return outcomes


def test_a_source_is_refused_when_it_begins_too_often(limiter: Limiter, settings: Settings) -> None:
    calls = [(HERE, None)] * 4 + [(THERE, None)]
    assert asyncio.run(admitted(limiter, begin_policy(settings), calls)) == [True, True, True, False, True]


def test_an_email_is_refused_over_all_sources_when_it_is_begun_too_often(limiter: Limiter, settings: Settings) -> None:
    calls = [(HERE, JANE), (THERE, JANE), ("203.0.113.9", JANE), ("203.0.113.9", "john@example.com")]
    assert asyncio.run(admitted(limiter, begin_policy(settings), calls)) == [True, True, False, True]


def test_everybody_is_refused_when_there_are_too_many_in_all(limiter: Limiter, settings: Settings) -> None:
    calls: Sequence[tuple[str, str | None]] = [(f"192.0.2.{number}", None) for number in range(6)]
    assert asyncio.run(admitted(limiter, begin_policy(settings), calls)) == [True] * 5 + [False]


def test_failures_at_one_source_do_not_keep_an_email_out_from_another(limiter: Limiter, settings: Settings) -> None:
    """R-RL-04."""
    calls: Sequence[tuple[str, str | None]] = [(HERE, JANE)] * 3 + [(THERE, JANE)]
    assert asyncio.run(admitted(limiter, completion_policy(settings), calls)) == [True, True, False, True]


def test_what_a_narrow_limit_refuses_does_not_use_up_the_wide_one(limiter: Limiter, settings: Settings) -> None:
    flood: Sequence[tuple[str, str | None]] = [(HERE, None)] * 20 + [(THERE, None), ("203.0.113.9", None)]
    assert asyncio.run(admitted(limiter, begin_policy(settings), flood))[-2:] == [True, True]


def test_a_refusal_says_how_long_the_window_lasts(limiter: Limiter, settings: Settings, clock: FixedClock) -> None:
    policy = begin_policy(settings)
    asyncio.run(admitted(limiter, policy, [(HERE, None)] * 3))
    clock.advance(20)
    with pytest.raises(TooOften) as refusal:
        asyncio.run(limiter.admit(policy, HERE, None))
    assert refusal.value.retry_after == 40
    with pytest.raises(TooOften) as again:
        limiter.refuse_early(policy, HERE)
    assert again.value.retry_after == 40
    clock.advance(40)
    limiter.refuse_early(policy, HERE)
    asyncio.run(limiter.admit(policy, HERE, None))


def test_counters_outlive_the_process(database: Database, settings: Settings) -> None:
    """R-RL-06: another limiter on the same database goes on counting."""
    policy = begin_policy(settings)
    assert asyncio.run(admitted(Limiter(database, KEY), policy, [(HERE, None)] * 3)) == [True] * 3
    assert asyncio.run(admitted(Limiter(database, KEY), policy, [(HERE, None)])) == [False]


def test_a_burst_is_not_admitted_beyond_the_limit(limiter: Limiter, settings: Settings) -> None:
    """R-RL-02: a hundred at once against a limit of three."""

    async def burst() -> int:
        policy = begin_policy(settings)
        results = await asyncio.gather(*(admitted(limiter, policy, [(HERE, None)]) for _ in range(100)))
        return sum(result[0] for result in results)

    assert asyncio.run(burst()) == 3


def test_a_remembered_refusal_costs_no_transaction(
    limiter: Limiter, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = begin_policy(settings)
    asyncio.run(admitted(limiter, policy, [(HERE, None)] * 4))
    monkeypatch.setattr(database, "write", None)
    with pytest.raises(TooOften):
        asyncio.run(limiter.admit(policy, HERE, None))


def test_nothing_is_counted_when_limits_are_off(database: Database, settings: Settings) -> None:
    limiter = Limiter(database, KEY, is_on=False)
    policy = begin_policy(settings)
    assert asyncio.run(admitted(limiter, policy, [(HERE, JANE)] * 10)) == [True] * 10
    limiter.refuse_early(policy, HERE)
    assert database.read_now(lambda tx: tx.limits.get(policy.per_source.key_for(HERE))) is None


def test_an_address_is_counted_without_being_written_down(limiter: Limiter, database: Database) -> None:
    """D-19."""
    assert JANE not in limiter.bucket(JANE)
    assert limiter.bucket(JANE) != Limiter(database, b"x" * 32).bucket(JANE)


def test_plus_tags_share_a_bucket(limiter: Limiter) -> None:
    """R-RL-03."""
    assert limiter.bucket("jane+news@example.com") == limiter.bucket(JANE)
    assert limiter.bucket("jane@example.org") != limiter.bucket(JANE)


def test_the_memory_of_refusals_is_bounded() -> None:
    """R-RL-07."""
    remembered = Remembered(most=3)
    for number in range(10):
        remembered.add(str(number), until=100.0)
    assert [remembered.until(str(number), now=0.0) for number in range(6, 10)] == [None, 100.0, 100.0, 100.0]
    assert remembered.until("9", now=100.0) is None


def test_the_storage_answers_what_the_limits_library_asks(database: Database) -> None:
    def unit(tx: Transaction) -> tuple[object, ...]:
        storage = TransactionStorage(tx.limits)
        before = storage.get("k"), storage.get_expiry("k")
        storage.incr("k", 60, 2)
        during = storage.get("k"), storage.get_expiry("k") > 0
        storage.clear("k")
        return before, during, storage.get("k"), storage.check(), storage.reset(), storage.base_exceptions

    assert database.write_now(unit) == ((0, 0.0), (2, True), 0, True, None, ())


def test_one_source_alone_never_exhausts_the_limit_of_an_email() -> None:
    """R-RL-04: its owner can log in from elsewhere."""
    settings = load_settings(environ={})
    assert settings.rate_limit_begins_per_source_per_minute * 5 <= settings.rate_limit_begins_per_email_per_minute
