"""Measures what a server takes to answer, for each thread by itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from authctl.errors import AuthctlError, ServerUnreachable
from authctl.virtual_authenticator.errors import ConnectionDropped
from authctl.virtual_authenticator.harness.recipe.rules import is_busy
from authctl.virtual_authenticator.harness.steps import retry_after

if TYPE_CHECKING:
    from types import TracebackType

    from authctl.virtual_authenticator.harness.transport import Answer, Channel, Request


@dataclass(slots=True)
class Meter:
    """What one thread has waited for since it was last read.

    status  of the last answer; 0 when there was none
    pause   seconds that the last answer asks to stay away; None when it does not
    error   why there was no answer
    """

    seconds: float = 0.0
    dropped: int = 0
    status: int = 0
    pause: float | None = None
    error: AuthctlError | None = None

    def read(self) -> float:
        """The seconds, which begin again."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


class Metered:
    """A Channel that measures another one."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._own = threading.local()
        self._is_closed = False

    def __enter__(self) -> Self:
        self._channel.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        self._channel.__exit__(kind, error, trace)

    def close(self) -> None:
        """Closes the other one."""
        self._is_closed = True
        self._channel.close()

    @property
    def meter(self) -> Meter:
        """That of this thread."""
        found: Meter | None = getattr(self._own, "meter", None)
        if found is None:
            found = self._own.meter = Meter()
        return found

    def send(self, request: Request) -> Answer:
        """Sends, and notes how long that took and what came of it."""
        meter = self.meter
        meter.status, meter.pause, meter.error = 0, None, None
        if self._is_closed:
            raise ServerUnreachable("The load is over")
        started = time.perf_counter()
        try:
            answer = self._channel.send(request)
        except AuthctlError as error:
            meter.error = error
            meter.dropped += isinstance(error, ConnectionDropped)
            raise
        finally:
            meter.seconds += time.perf_counter() - started
        meter.status = answer.status
        meter.pause = retry_after(replace(answer, status=429) if is_busy(answer) else answer)
        return answer
