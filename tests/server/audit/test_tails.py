"""A start looks at the ends of the chains (R-ST-03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.errors import StorageDamaged
from authctl.server.audit.tails import require_tails
from authctl.server.storage.engine import open_database
from tests.server.audit.workbench import KEYS, Service, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.storage.database import Database


@pytest.fixture
def reader(site: Site, service: Service) -> Iterator[Database]:
    """Chains of one, two and many rows, as a process that starts finds them."""
    for count in (1, 2, 5):
        process = site.start()
        process.write(*(an_event(n) for n in range(count)))
    opened = open_database(site.url, site.clock)
    yield opened
    opened.close()


def require(reader: Database) -> None:
    reader.read_now(lambda tx: require_tails(tx, KEYS))


SHORTEST = "writer_id NOT IN (SELECT writer_id FROM audit_logs WHERE seq = 2)"
LONGEST = "writer_id = (SELECT writer_id FROM audit_logs WHERE seq = 5)"


def test_every_chain_ends_as_it_was_left_when_nobody_touched_it(site: Site, reader: Database) -> None:
    require(reader)
    site.stop()
    require(reader)
    assert site.verify().is_intact  # by the slow way too


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE audit_logs SET success = 0 WHERE seq = 5 AND {LONGEST}",
        f"UPDATE audit_logs SET personal_digest = 'text' WHERE seq = 5 AND {LONGEST}",
        f"UPDATE audit_logs SET mac = x'00' WHERE seq = 4 AND {LONGEST}",
        f"UPDATE audit_logs SET success = 0 WHERE {SHORTEST}",
        f"DELETE FROM audit_logs WHERE seq = 5 AND {LONGEST}",
        "DELETE FROM audit_logs",
        "UPDATE audit_writers SET last_mac = x'00' WHERE last_seq = 2",
        "UPDATE audit_writers SET last_seq = 4 WHERE last_seq = 5",
        "UPDATE audit_writers SET last_seq = 0 WHERE last_seq = 1",
    ],
)
def test_a_start_is_refused_when_the_end_of_a_chain_was_changed(site: Site, reader: Database, change: str) -> None:
    site.damage(change)
    with pytest.raises(StorageDamaged, match="end of the chain of writer") as caught:
        require(reader)
    assert "audit verify" in (caught.value.hint or "")
