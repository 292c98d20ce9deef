"""The queue of the processes that write to one file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from authctl.errors import AlreadyExists
from authctl.server.storage.engine import open_database
from authctl.server.storage.turns import FileTurn, NoTurn
from tests.server.storage.test_contract import a_user

if TYPE_CHECKING:
    from pathlib import Path


def test_one_has_the_turn_and_the_next_is_woken_when_it_is_given_back(tmp_path: Path) -> None:
    first, second = FileTurn(tmp_path / "app.db"), FileTurn(tmp_path / "app.db")
    has_it = threading.Event()

    def wait() -> None:
        second.take()
        has_it.set()

    first.take()
    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not has_it.wait(0.1)
    first.give_back()
    first.give_back()
    assert has_it.wait(10)
    waiting.join()
    second.close()
    second.close()
    first.take()
    first.close()
    assert (tmp_path / "app.db.turn").stat().st_mode & 0o777 == 0o600


def test_writing_goes_on_where_there_can_be_no_turn(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "app.db.turn").mkdir()
    database = open_database(sqlite_url, create=True)
    database.write_now(lambda tx: tx.users.add(a_user()))
    assert len(database.read_now(lambda tx: tx.users.all())) == 1
    database.close()


def test_the_turn_is_free_after_success_failure_and_close(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url, create=True)
    other = FileTurn(tmp_path / "app.db")
    database.write_now(lambda tx: tx.users.add(a_user()))
    other.take()
    other.give_back()
    with pytest.raises(AlreadyExists):
        database.write_now(lambda tx: tx.users.add(a_user()))
    other.take()
    other.give_back()
    database.close()
    other.take()
    other.close()
    assert other._descriptor is None


def test_a_database_that_queues_its_writers_has_no_turns() -> None:
    turn = NoTurn()
    turn.take()
    turn.give_back()
    turn.close()
    assert vars(turn) == {}
