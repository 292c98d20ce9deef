"""The collections of the trail give the same answers on every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from authctl.errors import AlreadyExists, AuthctlError
from authctl.server.storage.engine import open_database
from authctl.server.storage.events import COLUMNS
from authctl.server.storage.rows import make, table_of
from authctl.server.storage.tables import AuditLog, AuditWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def trail(any_url: str) -> Iterator[Database]:
    """Two chains: three rows of w1, one of w2."""
    opened = open_database(any_url, FixedClock(), create=True)

    def unit(tx: Transaction) -> None:
        for writer_id in ("w1", "w2"):
            tx.writers.add(make(AuditWriter, id=writer_id, kind="cli", generation=1, host="h", pid=1, started_at=START))
        for place, (writer_id, seq) in enumerate([("w1", 1), ("w1", 2), ("w2", 1), ("w1", 3)]):
            tx.events.add(a_row(place, writer_id, seq))

    opened.write_now(unit)
    yield opened
    opened.close()


def a_row(place: int, writer_id: str, seq: int) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    return row | {
        "id": f"e{place}",
        "event_type": "login_complete" if place % 2 else "login_begin",
        "user_email": f"user{place}@example.com",
        "target_user_id": "t" if place == 0 else None,
        "success": place % 2,
        "created_at": f"2026-01-01 0{place}:00:00.000000",
        "writer_id": writer_id,
        "seq": seq,
        "personal_digest": b"d",
        "mac": f"{writer_id}-{seq}".encode(),
    }


def test_the_columns_are_those_of_the_table() -> None:
    assert tuple(column.name for column in table_of(AuditLog).columns) == COLUMNS


def test_rows_come_by_place(trail: Database) -> None:
    row = trail.read_now(lambda tx: tx.events.at("w1", 2))
    assert row is not None
    assert (row[0], row[15], bytes(row[20])) == ("e1", 2, b"w1-2")
    assert trail.read_now(lambda tx: tx.events.at("w1", 9)) is None
    assert trail.read_now(lambda tx: tx.events.mac_at("w2", 1)) == b"w2-1"
    assert trail.read_now(lambda tx: tx.events.mac_at("w3", 1)) is None


def test_rows_come_in_the_order_of_their_chain(trail: Database) -> None:
    def unit(tx: Transaction) -> list[list[str]]:
        return [
            [row[0] for row in tx.events.between("w1", after=0, last=2, most=9)],
            [row[0] for row in tx.events.between("w1", after=1, last=9, most=1)],
            [row[0] for row in tx.events.in_chains()],
        ]

    assert trail.read_now(unit) == [["e0", "e1"], ["e1"], ["e0", "e1", "e3", "e2"]]


def test_a_chain_is_entered_at_an_event_of_any_chain(trail: Database) -> None:
    assert trail.read_now(lambda tx: tx.events.first_since("w1", "e2")) == 3
    assert trail.read_now(lambda tx: tx.events.first_since("w1", "e9")) is None


def test_one_event_and_its_kind_are_found(trail: Database) -> None:
    event = trail.read_now(lambda tx: tx.events.by_id("e2"))
    assert isinstance(event, AuditLog)
    assert (event.user_email, event.created_at) == ("user2@example.com", START.replace(hour=2))
    assert trail.read_now(lambda tx: tx.events.count_of_type("login_begin")) == 2


def test_everything_about_a_person_is_found(trail: Database) -> None:
    found = trail.read_now(lambda tx: [row.id for row in tx.events.about(email="user3@example.com", user_id="t")])
    assert found == ["e0", "e3"]


def test_a_place_in_a_chain_is_taken_once(trail: Database) -> None:
    with pytest.raises(AlreadyExists):
        trail.write_now(lambda tx: tx.events.add(a_row(9, "w1", 3)))


def test_rows_cannot_be_changed_outside_maintenance(trail: Database) -> None:
    """D-11: triggers."""

    def change(tx: Transaction) -> None:
        tx._connection.script("UPDATE audit_logs SET success = 1")

    def delete(tx: Transaction) -> None:
        tx._connection.script("DELETE FROM audit_logs")

    for unit in (change, delete):
        with pytest.raises(AuthctlError):
            trail.write_now(unit)
    assert trail.read_now(lambda tx: len(list(tx.events.in_chains()))) == 4


def test_a_writer_advances_and_closes(trail: Database) -> None:
    def unit(tx: Transaction) -> tuple[bool, bool]:
        moved = tx.writers.advance("w1", seq=3, mac=b"m", shipped=2)
        tx.writers.note_checkpoint("w1", 2)
        tx.writers.note_shipped("w1", 3)
        tx.writers.close("w1", START)
        return moved, tx.writers.advance("none", seq=1, mac=b"m", shipped=0)

    assert trail.write_now(unit) == (True, False)
    writer = trail.read_now(lambda tx: tx.writers.by_id("w1"))
    assert writer is not None
    assert (writer.last_seq, bytes(writer.last_mac), writer.shipped_seq, writer.checkpointed_seq) == (3, b"m", 3, 2)
    assert writer.closed_at == START
    assert trail.read_now(lambda tx: tx.writers.moved()) == [("w1", 3, b"m")]
    assert trail.read_now(lambda tx: tx.writers.by_id("none")) is None


def test_writers_are_found_by_their_file(trail: Database) -> None:
    trail.write_now(
        lambda tx: tx.writers.add(
            make(AuditWriter, id="w3", kind="cli", generation=1, host="h", pid=1, started_at=START, log_file="/a.log")
        )
    )
    assert [writer.id for writer in trail.read_now(lambda tx: tx.writers.feeding("/a.log"))] == ["w3"]
    assert [writer.id for writer in trail.read_now(lambda tx: tx.writers.all())] == ["w1", "w2", "w3"]


def test_the_generation_is_held_while_a_chain_is_opened(trail: Database) -> None:
    assert trail.write_now(lambda tx: tx.writers.hold_generation()) == 0
    trail.write_now(lambda tx: tx.instance.add("i", "{}"))
    assert trail.write_now(lambda tx: tx.writers.hold_generation()) == 1
