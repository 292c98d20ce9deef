"""Questions beside the service's work: on threads, few at a time, and never longer than they may."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import TYPE_CHECKING

import pytest

from authctl.errors import StorageError, StorageMissing, StorageUnavailable, UsageError
from authctl.server.audit import bounded_reading
from authctl.server.audit.bounded_reading import LANES, MOST_WAITING, BoundedReading, TookTooLong
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import EventFilter, Sql
from authctl.server.storage.reader import Reader, open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.server.audit.sources import DatabaseSource

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(300)",
}
SOON = 0.2
EVERYTHING = EventFilter()


class Desk:
    """A database that is asked, and the readers that were opened for it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[Reader] = []
        self.made: list[BoundedReading] = []

    def reading(self, seconds: float = 10.0) -> BoundedReading:
        """Something to ask by; closed at the end."""
        self.made.append(BoundedReading(self.open, seconds))
        return self.made[-1]

    def open(self) -> Reader:
        """One more reader."""
        self.opened.append(open_reader(self.url))
        return self.opened[-1]


@pytest.fixture
def desk(any_url: str) -> Iterator[Desk]:
    """A desk over each kind of database."""
    open_database(any_url, create=True).close()
    made = Desk(any_url)
    yield made
    for reading in made.made:
        reading.close()


def count(source: DatabaseSource) -> int:
    """How many events there are."""
    return len(list(source.events(EVERYTHING)))


def endless(source: DatabaseSource) -> int:
    """A question that no database comes to the end of."""
    reader = source._asked
    reader.all(Sql(ENDLESS[reader.dialect], {}, reader.dialect))
    return 0


def is_closed(reader: Reader) -> bool:
    """Whether a reader answers no more."""
    try:
        reader.all(Sql("SELECT 1", {}, reader.dialect))
    except StorageError:
        return True
    return False


def test_a_question_is_answered_and_its_connection_kept_for_the_next(desk: Desk) -> None:
    reading = desk.reading()
    assert desk.opened == []

    async def ask_twice() -> list[int]:
        return [await reading.ask(count), await reading.ask(count)]

    assert asyncio.run(ask_twice()) == [0, 0]
    assert len(desk.opened) == 1


def test_connections_serve_one_event_loop_after_the_other(desk: Desk) -> None:
    reading = desk.reading()
    assert [asyncio.run(reading.ask(count)) for _ in range(3)] == [0, 0, 0]
    assert len(desk.opened) == 1


def test_an_endless_question_is_stopped_and_the_next_one_answered(desk: Desk) -> None:
    reading = desk.reading(SOON)
    before = time.monotonic()
    with pytest.raises(TookTooLong):
        asyncio.run(reading.ask(endless))
    assert time.monotonic() - before < 5
    assert is_closed(desk.opened[0])
    reading.seconds = 30.0  # a busy machine may take its time for a new connection
    assert asyncio.run(reading.ask(count)) == 0
    assert len(desk.opened) == 2


def test_the_event_loop_goes_on_while_the_trail_is_asked(desk: Desk) -> None:
    reading = desk.reading(SOON)

    async def watch() -> int:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        heart = asyncio.create_task(beat())
        with pytest.raises(TookTooLong):
            await reading.ask(endless)
        heart.cancel()
        return beats

    assert asyncio.run(watch()) >= 3


def test_a_question_is_stopped_when_nobody_waits_for_it_any_more(desk: Desk) -> None:
    reading = desk.reading()

    async def leave() -> None:
        asking = asyncio.create_task(reading.ask(endless))
        await asyncio.sleep(SOON)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(leave())
    assert is_closed(desk.opened[0])


def test_a_connection_that_was_lost_meanwhile_is_replaced(desk: Desk) -> None:
    reading = desk.reading()

    def fail_once(source: DatabaseSource) -> int:
        if len(desk.opened) == 1:
            raise StorageUnavailable(debug="the server hung up")
        return count(source)

    assert asyncio.run(reading.ask(count)) == 0
    assert asyncio.run(reading.ask(fail_once)) == 0
    assert is_closed(desk.opened[0])
    assert len(desk.opened) == 2


def test_a_new_connection_that_fails_is_not_tried_again(desk: Desk) -> None:
    reading = desk.reading()

    def fail(_: DatabaseSource) -> int:
        raise StorageUnavailable(debug="the server hung up")

    with pytest.raises(StorageUnavailable):
        asyncio.run(reading.ask(fail))
    assert len(desk.opened) == 1


def test_a_question_that_is_refused_leaves_its_connection_and_nothing_else(desk: Desk) -> None:
    """Not even until the next look of the garbage collector, which may be a while: answers are large."""
    reading = desk.reading()
    kept: list[weakref.ref[set[int]]] = []

    def refuse(_: DatabaseSource) -> int:
        rows = {1, 2, 3}
        kept.append(weakref.ref(rows))
        raise UsageError("too many")

    async def ask() -> None:
        with pytest.raises(UsageError):
            await reading.ask(refuse)

    gc.disable()
    try:
        asyncio.run(ask())
        end = time.monotonic() + 5
        while kept[0]() is not None and time.monotonic() < end:
            time.sleep(0.01)  # the thread has a few steps to go after its answer is there
        assert kept[0]() is None
    finally:
        gc.enable()
    assert asyncio.run(reading.ask(count)) == 0
    assert len(desk.opened) == 1


def test_a_database_that_cannot_be_opened_is_said_so() -> None:
    def open_nothing() -> Reader:
        raise StorageMissing

    reading = BoundedReading(open_nothing)
    with pytest.raises(StorageMissing):
        asyncio.run(reading.ask(count))
    reading.close()


@pytest.fixture
def held(desk: Desk) -> Iterator[tuple[BoundedReading, Callable[[DatabaseSource], int], threading.Event]]:
    """A reading, a question that waits, and the word it waits for."""
    free = threading.Event()

    def wait(source: DatabaseSource) -> int:
        free.wait(10)
        return count(source)

    yield desk.reading(), wait, free
    free.set()


def test_questions_wait_for_their_turn_and_too_many_are_refused(
    desk: Desk, held: tuple[BoundedReading, Callable[[DatabaseSource], int], threading.Event]
) -> None:
    """So many threads and no more, however many ask: the memory of the answers is bounded too."""
    reading, wait, free = held

    async def crowd() -> list[int | BaseException]:
        asking = [asyncio.create_task(reading.ask(wait)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(SOON)
        with pytest.raises(StorageUnavailable) as caught:
            await reading.ask(count)
        assert caught.value.debug == "too many questions to the trail are waiting"
        free.set()
        return list(await asyncio.gather(*asking))

    assert asyncio.run(crowd()) == [0] * MOST_WAITING
    assert len(desk.opened) <= LANES


def test_a_question_that_waited_too_long_is_never_put(
    desk: Desk, held: tuple[BoundedReading, Callable[[DatabaseSource], int], threading.Event]
) -> None:
    reading, wait, free = held
    was_put = threading.Event()

    async def crowd() -> None:
        asking = [asyncio.create_task(reading.ask(wait)) for _ in range(LANES)]
        await asyncio.sleep(SOON)
        reading.seconds = SOON
        with pytest.raises(TookTooLong):
            await reading.ask(lambda _: was_put.set())
        free.set()
        await asyncio.gather(*asking)

    asyncio.run(crowd())
    assert not was_put.is_set()


def test_a_stop_between_two_statements_is_felt_before_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the statement that begins a moment after the call to stop runs on."""
    monkeypatch.setattr(bounded_reading, "_SECONDS_BETWEEN_STOPS", 0.05)
    reading = desk.reading(SOON)

    def pause_and_ask(source: DatabaseSource) -> int:
        time.sleep(2 * SOON)
        return endless(source)

    with pytest.raises(TookTooLong):
        asyncio.run(reading.ask(pause_and_ask))
    assert is_closed(desk.opened[0])


def test_closing_stops_what_is_being_asked(desk: Desk) -> None:
    reading = desk.reading()

    async def close_meanwhile() -> None:
        asking = asyncio.create_task(reading.ask(endless))
        await asyncio.sleep(SOON)
        reading.close()
        with pytest.raises(StorageUnavailable):
            await asking

    asyncio.run(close_meanwhile())
    assert all(map(is_closed, desk.opened))


def test_nothing_is_answered_after_the_end(desk: Desk) -> None:
    reading = desk.reading()
    assert asyncio.run(reading.ask(count)) == 0
    reading.close()
    reading.close()
    assert is_closed(desk.opened[0])
    with pytest.raises(StorageUnavailable):
        asyncio.run(reading.ask(count))
