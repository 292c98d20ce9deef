"""On PostgreSQL several threads write chains of their own at once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit.findings import Status
from authctl.server.audit.tails import require_tails
from tests.server.audit.workbench import KEYS, Site, an_event, reset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.clock import FixedClock
    from authctl.server.storage.transaction import Transaction

pytestmark = pytest.mark.postgres


@pytest.fixture
def site(tmp_path: Path, postgres_url: str, clock: FixedClock) -> Iterator[Site]:
    made = Site(tmp_path, postgres_url, clock)
    yield made
    made.stop()


@pytest.mark.parametrize("policy", ["db", "all"])
def test_chains_of_many_threads_and_instances_make_one_intact_trail(site: Site, policy: Any) -> None:
    services = [site.start(policy=policy) for _ in range(2)]

    def work(number: int) -> None:
        for step in range(10):
            services[number % 2].write(an_event(number * 100 + step))
        services[number % 2].checkpoint()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(services[0].trail.checkpoint_if_due())
    assert site.verify().findings == ()
    services[0].database.read_now(lambda tx: require_tails(tx, KEYS))
    site.stop()
    verdict = site.verify()
    assert verdict.findings == ()
    assert verdict.counts.rows == verdict.counts.lines
    assert verdict.counts.writers > 2


def test_a_reset_waits_for_chains_that_are_just_being_opened(site: Site) -> None:
    service, other = site.start(), site.start()
    service.write(an_event(1))

    threads = [threading.Thread(target=other.write) for _ in range(4)]
    for thread in threads:
        thread.start()
    service.database.write_now(reset)
    for thread in threads:
        thread.join()
    other.write(an_event(2))
    site.stop()
    assert site.verify(file=False).findings == ()


def test_a_changed_row_is_named(site: Site) -> None:
    service = site.start()
    service.write(an_event(1), an_event(2))
    site.stop()

    def change(tx: Transaction) -> None:
        tx.instance.set_maintenance(True)
        tx._connection.script("UPDATE audit_logs SET details = 'nothing' WHERE user_id = 'id-1'")

    site.start().database.write_now(change)
    assert site.verify(file=False).status is Status.ALTERED
