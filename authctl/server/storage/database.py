"""The database as the service sees it: units of work go in, results come out after the commit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from authctl.errors import StorageUnavailable
from authctl.server.storage.connection import Connection
from authctl.server.storage.journal import NoJournal
from authctl.server.storage.transaction import Transaction
from authctl.server.storage.writer import Job, Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.clock import Clock
    from authctl.server.storage.connection import Driver
    from authctl.server.storage.journal import Journal

    T = TypeVar("T")

MOST_IN_A_BATCH = 256
MOST_WAITING = 10_000
"""More units than this are not queued: the answer is StorageUnavailable at once."""
POSTGRES_WRITERS = 4


class Database:
    """Writes go through writer threads (one for SQLite, several for PostgreSQL), reads through a snapshot beside them.

    Units are plain functions of a `Transaction`; they are quick and do no I/O of their own. They may be run again
    after a deadlock, so they keep no state outside the transaction.
    """

    def __init__(self, driver: Driver, clock: Clock, journal_factory: Callable[[], Journal] = NoJournal) -> None:
        self.driver = driver
        self.clock = clock
        self._journal_factory = journal_factory
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._writers: list[Writer] = []
        self._reader: Transaction | None = None
        self._reader_connection: Connection | None = None
        self._lock = threading.Lock()
        self._gate = threading.Lock()
        self._is_closed = False

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Runs `unit` in a transaction; returns its result when that is durable, or raises what it raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._submit(Job(unit, future, loop))
        return await future

    def write_now(self, unit: Callable[[Transaction], T]) -> T:
        """The blocking twin of `write`."""
        future: Future[T] = Future()
        self._submit(Job(unit, future))
        return future.result()

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """Runs `unit` on a read-only snapshot, in a thread, beside the writers."""
        return await asyncio.get_running_loop().run_in_executor(None, self.read_now, unit)

    def read_now(self, unit: Callable[[Transaction], T]) -> T:
        """The blocking twin of `read`."""
        with self._lock:
            connection, tx = self._begin_read()
            try:
                return unit(tx)
            finally:
                if self.driver.in_transaction(connection.raw):
                    connection.script("ROLLBACK")

    def close(self) -> None:
        """Serves what waits, closes every journal and connection. Safe to call twice."""
        with self._gate:
            self._is_closed = True
            for _ in self._writers:
                self._queue.put(None)
        for writer in self._writers:
            writer.join()
        self._writers.clear()
        with self._lock:
            if self._reader_connection is not None:
                self._reader_connection.close()
            self._reader = self._reader_connection = None

    def _submit(self, job: Job) -> None:
        with self._gate:  # what stands behind the last writer's end in the queue would wait for ever
            if self._is_closed or self._queue.qsize() > MOST_WAITING:
                raise StorageUnavailable(debug="closed" if self._is_closed else "too many units of work are waiting")
            if not self._writers:
                self._start_writers()
            self._queue.put(job)

    def _start_writers(self) -> None:
        with self._lock:
            if self._writers:
                return
            single = self.driver.name == "sqlite"
            writers = [
                Writer(
                    self.driver,
                    self._queue,
                    self._journal_factory(),
                    self.clock,
                    # Units of one PostgreSQL transaction would hold each other's row locks.
                    most=MOST_IN_A_BATCH if single else 1,
                )
                for _ in range(1 if single else POSTGRES_WRITERS)
            ]
            for writer in writers:
                writer.start()
            self._writers = writers

    def _begin_read(self) -> tuple[Connection, Transaction]:
        known = self._reader_connection
        connection, tx = self._open_reader()
        self.driver.require_in_place()
        try:
            connection.script(self.driver.begin_read)
        except StorageUnavailable:
            if connection is not known or not self.driver.is_lost(connection.raw):
                raise
            connection, tx = self._open_reader()  # the server hung up while nobody read
            connection.script(self.driver.begin_read)
        tx.look_at_the_clock()
        return connection, tx

    def _open_reader(self) -> tuple[Connection, Transaction]:
        connection = self._reader_connection
        if connection is None or self._reader is None or self.driver.is_lost(connection.raw):
            connection = Connection(self.driver, readonly=True)
            self._reader_connection = connection
            self._reader = Transaction(connection, _ReadOnly(), self.clock)
        return connection, self._reader


class _ReadOnly(NoJournal):
    """A unit of work that records an event has no place on a read-only snapshot."""

    def append(self, tx: Transaction, event: Any) -> None:
        raise StorageUnavailable(debug="an event was recorded in a read-only unit of work")
