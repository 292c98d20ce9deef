"""Asks the trail beside the service's own work: few questions at a time, each on a thread and within a time limit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from authctl.errors import StorageError, StorageUnavailable
from authctl.server.audit.sources import DatabaseSource
from authctl.server.audit.stepwise import StepwiseSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from authctl.server.storage.reader import Reader

    T = TypeVar("T")
    Question = Callable[[DatabaseSource], T]

SECONDS: Final = 10.0
"""Less than the server gives a whole request, more than any question needs that the indices help with."""
LANES: Final = 2
"""One expensive question does not keep others waiting; two of them leave the machine to the logins."""
MOST_WAITING: Final = 8
_SECONDS_BETWEEN_STOPS: Final = 0.2


class TookTooLong(StorageUnavailable):
    """The question was stopped, because its answer was not there in time."""

    slug = "took-too-long"


class BoundedReading:
    """Connections are opened when the first question needs them and kept for the next ones.

    open_reader  opens one more connection, on whatever thread asks
    seconds      how long a question may take, waiting for its turn included
    """

    def __init__(self, open_reader: Callable[[], Reader], seconds: float = SECONDS) -> None:
        self._open_reader = open_reader
        self.seconds = seconds
        self._threads = ThreadPoolExecutor(LANES, thread_name_prefix="trail-reader")
        self._idle: list[Reader] = []
        self._asked: dict[_Asking, Future[Any]] = {}

    async def ask(self, question: Question[T]) -> T:
        """What the question returns; it has to take from the source all that it wants.

        Raises TookTooLong, and StorageUnavailable when too many wait already; the question is stopped when nobody
        waits for it any more.
        """
        if len(self._asked) >= MOST_WAITING:
            raise StorageUnavailable(debug="too many questions to the trail are waiting")
        asking = _Asking()
        try:
            future = self._threads.submit(self._answer, question, asking)
        except RuntimeError as error:
            raise StorageUnavailable(debug="the trail is asked after its end") from error
        self._asked[asking] = future
        try:
            async with asyncio.timeout(self.seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise TookTooLong from None
        finally:
            del self._asked[asking]
            if not future.done():
                # On a thread, because PostgreSQL is stopped by way of another connection.
                asyncio.get_running_loop().run_in_executor(None, asking.stop)
            del future  # with its error it would be a circle, which keeps half an answer in memory

    def close(self) -> None:
        """Stops what is being asked and closes every connection. Safe to call twice."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for asking, future in tuple(self._asked.items()):
            if not future.done():
                asking.stop()
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()

    def _answer(self, question: Question[T], asking: _Asking) -> T:
        try:
            kept = self._take_kept()
            if kept is not None:
                try:
                    return self._put(question, asking, kept)
                except StorageError:
                    if asking.is_stopped:
                        raise
                    # Kept for long, the connection may have been lost meanwhile: a new one tells.
            return self._put(question, asking, self._open_reader())
        finally:
            asking.end()

    def _take_kept(self) -> Reader | None:
        try:
            return self._idle.pop()
        except IndexError:  # asking first and taking then would be a race between the threads
            return None

    def _put(self, question: Question[T], asking: _Asking, reader: Reader) -> T:
        is_usable = True
        try:
            asking.begin(reader)
            return question(StepwiseSource(reader) if reader.dialect == "sqlite" else DatabaseSource(reader))
        except StorageError:
            is_usable = False
            raise
        finally:
            asking.let_go()
            if is_usable and not asking.is_stopped:  # a stop on its way would hit the next question
                self._idle.append(reader)
            else:
                reader.close()


class _Asking:
    """One question on its thread, and the way to stop it from another."""

    def __init__(self) -> None:
        self.is_stopped = False
        self._reader: Reader | None = None
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def begin(self, reader: Reader) -> None:
        """Says which connection the question is put to. Raises TookTooLong when nobody waits for it any more."""
        with self._lock:
            self._reader = reader
        if self.is_stopped:
            raise TookTooLong

    def let_go(self) -> None:
        """The connection is free again; whoever stops is done with it."""
        with self._lock:
            self._reader = None

    def end(self) -> None:
        """The question is over, one way or another."""
        self._is_over.set()

    def stop(self) -> None:
        """Returns when the question is over. One call to stop can come a moment too early, and is repeated."""
        self.is_stopped = True
        while not self._is_over.is_set():
            with self._lock:
                if self._reader is not None:
                    self._reader.interrupt()
            self._is_over.wait(_SECONDS_BETWEEN_STOPS)
