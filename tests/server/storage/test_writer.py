"""The writer when something goes wrong around it: nobody waits for ever, nothing is half done."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.errors import AuditUnavailable, StorageUnavailable
from authctl.server.storage import database as database_module
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.engine import open_database
from authctl.server.storage.journal import NoJournal
from tests.server.storage.test_contract import a_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction


class Diary(NoJournal):
    """A journal that writes down what it is told and fails where it is asked to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.state = 0
        self.fail_at: str | None = None
        self.error: Exception = AuditUnavailable(hint="the trail is full")

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if self.fail_at == name:
            raise self.error

    def begin_batch(self, tx: Transaction) -> None:
        self._note("begin")

    def mark(self) -> object:
        return self.state

    def restore(self, mark: object) -> None:
        assert isinstance(mark, int)
        self.state = mark
        self._note("restore")

    def append(self, tx: Transaction, event: Any) -> None:
        self.state += 1
        self._note("append")

    def before_commit(self, tx: Transaction) -> None:
        self._note("before")

    def after_commit(self) -> None:
        self._note("after")

    def after_rollback(self) -> None:
        self._note("rollback")

    def close(self, tx: Transaction) -> None:
        self._note("close")


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def kept(any_url: str, diary: Diary) -> Iterator[Database]:
    opened = open_database(any_url, FixedClock(), lambda: diary, create=True)
    yield opened
    opened.close()


def add(email: str) -> Any:
    def unit(tx: Transaction) -> None:
        tx.users.add(a_user(email))
        tx.journal.append(tx, email)

    return unit


def test_the_journal_hears_of_everything_in_order(kept: Database, diary: Diary) -> None:
    kept.write_now(add("a@example.com"))
    assert diary.calls == ["begin", "append", "before", "after"]
    kept.close()
    assert "close" in diary.calls


def failing(tx: Transaction) -> None:
    add("never@example.com")(tx)
    raise LookupError


def emails(store: Database) -> set[str]:
    return {user.email for user in store.read_now(lambda tx: tx.users.all())}


def test_a_lone_unit_takes_its_transaction_along_when_it_fails(kept: Database, diary: Diary) -> None:
    with pytest.raises(LookupError):
        kept.write_now(failing)
    assert diary.calls == ["begin", "append", "rollback"]
    kept.write_now(add("a@example.com"))
    assert emails(kept) == {"a@example.com"}


def test_a_unit_takes_nobody_along_when_it_fails_beside_others(sqlite_url: str, diary: Diary) -> None:
    store = open_database(sqlite_url, FixedClock(), lambda: diary, create=True)
    gate = threading.Event()

    async def main() -> list[Any]:
        first = asyncio.ensure_future(store.write(lambda tx: gate.wait(5)))
        await asyncio.sleep(0.05)
        units = (add("a@example.com"), failing, add("b@example.com"))
        rest = [asyncio.ensure_future(store.write(unit)) for unit in units]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    outcomes = asyncio.run(main())
    assert [type(outcome) for outcome in outcomes] == [bool, type(None), LookupError, type(None)]
    assert emails(store) == {"a@example.com", "b@example.com"}
    assert (diary.state, diary.calls.count("restore"), diary.calls.count("before")) == (2, 1, 2)
    store.close()


def test_a_journal_goes_back_together_with_an_attempt(kept: Database, diary: Diary) -> None:
    def half(tx: Transaction) -> None:
        add("c@example.com")(tx)
        with pytest.raises(LookupError), tx.attempt():
            failing(tx)

    kept.write_now(half)
    assert (diary.state, diary.calls[-3:]) == (1, ["restore", "before", "after"])
    assert emails(kept) == {"c@example.com"}


@pytest.mark.parametrize("point", ["begin", "append", "before"])
def test_nothing_changes_when_the_trail_cannot_be_written(kept: Database, diary: Diary, point: str) -> None:
    """R-LG-01: 503 and nothing changed."""
    diary.fail_at = point
    with pytest.raises(AuditUnavailable) as caught:
        kept.write_now(add("a@example.com"))
    assert caught.value.hint == "the trail is full"
    diary.fail_at = None
    assert kept.read_now(lambda tx: tx.users.all()) == []
    kept.write_now(add("a@example.com"))
    assert len(kept.read_now(lambda tx: tx.users.all())) == 1


def test_a_fault_of_the_program_is_answered_and_the_writer_lives_on(kept: Database, diary: Diary) -> None:
    diary.fail_at, diary.error = "before", ZeroDivisionError("bug")
    with pytest.raises(StorageUnavailable) as caught:
        kept.write_now(add("a@example.com"))
    assert "bug" in (caught.value.debug or "")
    diary.fail_at = None
    kept.write_now(add("a@example.com"))
    assert diary.calls.count("rollback") == 1


def test_a_failed_last_event_does_not_keep_the_database_from_closing(kept: Database, diary: Diary) -> None:
    kept.write_now(add("a@example.com"))
    diary.fail_at = "close"
    kept.close()
    assert diary.calls[-2:] == ["before", "after"] or diary.calls[-1] == "rollback"


class SlowQueue(SimpleQueue[Any]):
    """Takes its time with a unit of work, and says so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_putting = threading.Event()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is not None:
            self.is_putting.set()
            time.sleep(0.1)
        super().put(item)


def test_a_unit_is_served_when_the_database_is_closed_while_it_is_handed_in(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = SlowQueue()
    monkeypatch.setattr(database_module, "SimpleQueue", lambda: queue)
    store = open_database(sqlite_url, FixedClock(), create=True)
    store.write_now(lambda tx: None)
    queue.is_putting.clear()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(store.write_now, lambda tx: "done")
        assert queue.is_putting.wait(5)
        store.close()
        assert answer.result(5) == "done"


def test_waiting_units_share_one_transaction_on_sqlite(sqlite_url: str, diary: Diary) -> None:
    """Group commit: what waits is durable together."""
    store = open_database(sqlite_url, FixedClock(), lambda: diary, create=True)
    gate = threading.Event()

    async def main() -> None:
        first = asyncio.ensure_future(store.write(lambda tx: gate.wait(5)))
        await asyncio.sleep(0.05)
        rest = [asyncio.ensure_future(store.write(add(f"{index}@example.com"))) for index in range(20)]
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(first, *rest)

    asyncio.run(main())
    assert diary.calls.count("before") == 2
    assert diary.calls.count("append") == 20
    store.close()


def test_a_client_that_went_away_disturbs_nobody(kept: Database) -> None:
    gate = threading.Event()

    async def main() -> None:
        blocked = asyncio.ensure_future(kept.write(lambda tx: gate.wait(5)))
        gone = asyncio.ensure_future(kept.write(add("gone@example.com")))
        await asyncio.sleep(0.05)
        gone.cancel()
        gate.set()
        await blocked
        await kept.write(add("here@example.com"))

    asyncio.run(main())
    assert len(kept.read_now(lambda tx: tx.users.all())) == 2


def test_answers_to_a_closed_loop_are_dropped(kept: Database) -> None:
    gate = threading.Event()

    async def main() -> None:
        task = asyncio.ensure_future(kept.write(lambda tx: gate.wait(5)))
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(main())
    gate.set()
    kept.write_now(add("a@example.com"))
    assert len(kept.read_now(lambda tx: tx.users.all())) == 1


def test_more_units_than_may_wait_are_refused_at_once(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_database(sqlite_url, FixedClock(), create=True)
    monkeypatch.setattr(database_module, "MOST_WAITING", 3)
    gate = threading.Event()

    async def main() -> list[BaseException | None]:
        tasks = [asyncio.ensure_future(store.write(lambda tx: gate.wait(5)))]
        await asyncio.sleep(0.05)
        tasks += [asyncio.ensure_future(store.write(lambda tx: True)) for _ in range(10)]
        await asyncio.sleep(0.05)
        gate.set()
        return [error for error in await asyncio.gather(*tasks, return_exceptions=True) if error is not True]  # type: ignore[misc]

    refused = asyncio.run(main())
    assert {type(error) for error in refused} == {StorageUnavailable}
    assert 0 < len(refused) < 10
    store.close()


@pytest.mark.postgres
def test_a_transaction_that_lost_a_deadlock_is_run_again(postgres_url: str) -> None:
    store = open_database(postgres_url, FixedClock(), create=True)
    users = [a_user("a@example.com"), a_user("b@example.com")]
    for user in users:
        store.write_now(lambda tx, user=user: tx.users.add(user))  # type: ignore[misc]
    meet = threading.Barrier(2, timeout=5)
    runs: list[str] = []

    def crossing(first: str, second: str) -> Any:
        def unit(tx: Transaction) -> None:
            runs.append(first)
            tx.users.set_role(first, "admin")
            if len(runs) <= 2:
                meet.wait()
            tx.users.set_role(second, "admin")

        return unit

    async def main() -> None:
        ids = [user.id for user in users]
        await asyncio.gather(store.write(crossing(*ids)), store.write(crossing(*reversed(ids))))

    asyncio.run(main())
    assert len(runs) == 3
    assert store.write_now(lambda tx: tx.users.count_admins()) == 2
    store.close()


def test_a_unit_is_refused_when_its_transaction_loses_every_deadlock(
    kept: Database, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-LG-01, R-ER-03: what a unit returned counts for nothing when it was never committed."""
    monkeypatch.setattr(kept.driver, "is_transient", lambda error: True)
    diary.fail_at, diary.error = "before", StorageUnavailable(debug="deadlock detected")
    with pytest.raises(StorageUnavailable) as caught:
        kept.write_now(lambda tx: "done")
    assert caught.value.debug == "deadlock detected"
    assert diary.calls.count("begin") == 3
    diary.fail_at = None
    assert kept.write_now(lambda tx: "done") == "done"


@pytest.mark.postgres
def test_nobody_notices_a_server_that_hung_up_while_nothing_went_on(postgres_url: str, diary: Diary) -> None:
    """F-11."""
    store = open_database(postgres_url, FixedClock(), lambda: diary, create=True)
    store.write_now(add("a@example.com"))
    store.read_now(lambda tx: tx.users.all())
    other = choose_driver(postgres_url).connect(readonly=False)
    other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    other.close()
    for index in range(12):
        store.write_now(add(f"{index}@example.com"))
    assert len(store.read_now(lambda tx: tx.users.all())) == 13
    store.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StorageUnavailable) as caught:
        open_database("postgresql+psycopg://nobody:secret@127.0.0.1:1/none", create=True)
    assert "secret" not in f"{caught.value} {caught.value.hint} {caught.value.debug}"
