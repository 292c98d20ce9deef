"""The writer: runs every waiting unit of work in one durable transaction, each in a savepoint of its own."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from authctl.errors import AuthctlError, StorageDamaged, StorageUnavailable
from authctl.server.storage.connection import Connection
from authctl.server.storage.transaction import Transaction

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from authctl.clock import Clock
    from authctl.server.storage.connection import Driver
    from authctl.server.storage.journal import Journal

log = logging.getLogger("authctl.storage")

PATIENCE = 2.0
"""Seconds that a unit waits for a locked database before it is answered with StorageUnavailable."""
_TRIES = 3
"""How often a transaction that lost a deadlock is run."""
_PAUSE = 0.02


@dataclass(slots=True)
class Job:
    """A unit of work, who waits for it, and how it ended."""

    unit: Callable[[Transaction], Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    since: float = field(default_factory=time.monotonic)
    result: Any = None
    error: BaseException | None = None


class Writer(threading.Thread):
    """One connection, one thread, one journal. Jobs come from a queue that several writers may share."""

    def __init__(
        self, driver: Driver, queue: SimpleQueue[Job | None], journal: Journal, clock: Clock, *, most: int
    ) -> None:
        super().__init__(name="authctl-writer", daemon=True)
        self._driver = driver
        self._queue = queue
        self._journal = journal
        self._clock = clock
        self._most = most
        self._connection: Connection | None = None
        self._tx: Transaction | None = None
        self._turn = driver.make_turn()

    def run(self) -> None:
        """Serves jobs until it reads None, then closes its journal."""
        while True:
            job = self._queue.get()
            if job is None:
                break
            batch = [job]
            stop = self._take_waiting(batch)
            self._serve(batch)
            if stop:
                break
        self._close()

    def _take_waiting(self, batch: list[Job]) -> bool:
        while len(batch) < self._most:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return False
            if job is None:
                return True
            batch.append(job)
        return False

    def _serve(self, batch: list[Job]) -> None:
        try:
            lost = self._run_batch(batch)
            for attempt in range(1, _TRIES):
                if lost is not None:
                    # Who won has to get hold of the rows first, or both would meet in the same way again.
                    time.sleep(_PAUSE * attempt)
                    lost = self._run_batch(batch)
            if lost is not None:
                _fail(batch, lost)  # what the units returned is of a transaction that is gone
        except BaseException as error:  # whatever it was, nobody may wait for ever
            log.exception("the writer failed")
            _fail(batch, error)
        _deliver(batch)

    def _run_batch(self, batch: list[Job]) -> AuthctlError | None:
        """The error when the transaction lost a deadlock and should be run again."""
        try:
            tx = self._begin(batch)
            if tx is None:
                return None
            self._journal.begin_batch(tx)
            if len(batch) == 1:
                self._run_alone(batch[0], tx)
                if batch[0].error is not None:
                    self._roll_back()
                    return None
            else:
                for job in batch:
                    self._run_beside_others(job, tx)
            self._journal.before_commit(tx)
            self._script("COMMIT")
            self._turn.give_back()
        except AuthctlError as error:
            self._roll_back()
            if self._driver.is_transient(error):
                return error
            _fail(batch, error)
            return None
        except BaseException:
            self._roll_back()
            raise
        self._journal.after_commit()
        return None

    def _begin(self, batch: list[Job]) -> Transaction | None:
        """Waits for the lock as long as any unit has patience left; the others are answered at once."""
        while batch:
            may_be_stale = self._connection is not None and not self._is_lost()
            try:
                tx = self._open()
                self._driver.require_in_place()
                self._turn.take()
                self._script(self._driver.begin_write)
            except AuthctlError as error:
                self._turn.give_back()
                if may_be_stale and self._is_lost():
                    continue  # the server hung up while nothing went on: nothing was begun that could be lost
                if not self._driver.is_busy(error):
                    raise
                late = [job for job in batch if time.monotonic() - job.since > PATIENCE]
                _fail(late, error)
                _deliver(late)
                batch[:] = [job for job in batch if job not in late]
            else:
                return tx
        return None

    def _open(self) -> Transaction:
        if self._is_lost():
            self._connection = self._tx = None
        if self._tx is None or self._connection is None:
            self._connection = Connection(self._driver)
            self._tx = Transaction(self._connection, self._journal, self._clock)
        return self._tx

    def _is_lost(self) -> bool:
        return self._connection is not None and self._driver.is_lost(self._connection.raw)

    def _run_beside_others(self, job: Job, tx: Transaction) -> None:
        mark = self._journal.mark()
        self._script("SAVEPOINT unit")
        self._run_alone(job, tx)
        if job.error is not None:
            self._script("ROLLBACK TO SAVEPOINT unit")
            self._journal.restore(mark)
        self._script("RELEASE SAVEPOINT unit")

    def _run_alone(self, job: Job, tx: Transaction) -> None:
        """Without a savepoint, which would be two more round trips: what fails takes the whole transaction along."""
        tx.look_at_the_clock()
        try:
            job.result = job.unit(tx)
            job.error = None
        except BaseException as error:
            if not self._is_open() or (isinstance(error, AuthctlError) and self._driver.is_transient(error)):
                raise
            job.error = error

    def _is_open(self) -> bool:
        return self._connection is not None and self._driver.in_transaction(self._connection.raw)

    def _script(self, sql: str) -> None:
        if self._connection is None:
            raise StorageUnavailable
        self._connection.script(sql)

    def _roll_back(self) -> None:
        if self._is_open():
            try:
                self._script("ROLLBACK")
            except AuthctlError as error:
                log.warning("rollback failed: %s", error.debug)
                self._forget_connection()
        self._turn.give_back()
        self._journal.after_rollback()

    def _forget_connection(self) -> None:
        connection, self._connection, self._tx = self._connection, None, None
        if connection is not None:
            try:
                connection.close()
            except AuthctlError as error:
                log.debug("closing a broken connection: %s", error.debug)

    def _close(self) -> None:
        job = Job(self._journal.close, Future())
        if self._connection is not None:
            self._serve([job])
            if job.error is not None:
                log.warning("the audit trail was not closed: %s", job.error)
        self._forget_connection()
        self._turn.close()


def _fail(batch: list[Job], error: BaseException) -> None:
    """One cause for all whose work is gone; each gets an instance of its own, since tracebacks are kept in them."""
    for job in batch:
        if isinstance(error, StorageUnavailable | StorageDamaged):
            job.error = type(error)(error.detail, hint=error.hint, debug=error.debug)
        else:
            job.error = StorageUnavailable(debug=getattr(error, "debug", None) or repr(error))
        job.error.__cause__ = error


def _deliver(batch: list[Job]) -> None:
    """Answers everyone; one wake-up per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in batch:
        if job.loop is None:
            _settle(job)
        else:
            by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, jobs)
        except RuntimeError:  # the loop was closed: nobody waits any more
            log.debug("%d answers came too late", len(jobs))


def _settle_all(jobs: list[Job]) -> None:
    for job in jobs:
        _settle(job)


def _settle(job: Job) -> None:
    if job.future.done():  # cancelled by a client that went away
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    else:
        job.future.set_result(job.result)
