"""The shape of a ceremony: a generator that yields requests and steps, driven by whoever has a transport."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeAlias, TypeVar

from authctl.errors import AuthctlError
from authctl.virtual_authenticator.harness.transport import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")

PATIENCE_SECONDS: Final = 30.0
"""How long one ceremony waits altogether when the server asks it to come back later."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, or that failed when `error` is there; `facts` are plain values for a report."""

    ceremony: str
    name: str
    summary: str
    seconds: float
    facts: Mapping[str, object] = field(default_factory=dict)
    error: AuthctlError | None = None


@dataclass(frozen=True, slots=True)
class Done(Generic[_T]):
    """What a step achieved: a value for the next one, a sentence and facts for the report."""

    value: _T
    summary: str
    facts: Mapping[str, object] = field(default_factory=dict)


Ceremony: TypeAlias = Generator[Request | Step, Answer | None, _T]
"""Yields Request, to be sent its Answer, and Step, to be shown; returns its result or raises AuthctlError."""


class Sender(Protocol):
    """Whoever gets requests to a server and answers back: a Transport, or a stand-in for one."""

    def send(self, request: Request) -> Answer:
        """The server's answer, whatever its status."""
        ...


def ask(request: Request) -> Ceremony[Answer]:
    """The answer to a request, within a ceremony."""
    answer = yield request
    if answer is None:
        raise TypeError("a ceremony was driven without the answer to its request")
    return answer


def step(ceremony: str, name: str, work: Ceremony[Done[_T]]) -> Ceremony[_T]:
    """Does the work as one step, which is reported whether it succeeds or fails."""
    started = time.perf_counter()
    try:
        done = yield from work
    except AuthctlError as error:
        yield Step(ceremony, name, error.detail, time.perf_counter() - started, error=error)
        raise
    yield Step(ceremony, name, done.summary, time.perf_counter() - started, done.facts)
    return done.value


def drive(
    ceremony: Ceremony[_T],
    transport: Sender,
    *,
    on_step: Callable[[Step], None],
    patience: float = PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> _T:
    """Runs a ceremony to its result, handing each step to `on_step` as it ends; raises what the ceremony raises.

    An answer 429 is waited for as its Retry-After says, as long as patience lasts.
    """
    patient = _Patient(transport, on_step, patience, sleep)
    try:
        item = next(ceremony)
        while True:
            if isinstance(item, Step):
                on_step(item)
                item = next(ceremony)
                continue
            try:
                answer = patient.send(item)
            except AuthctlError as error:
                # The ceremony knows which step this belongs to.
                item = ceremony.throw(error)
            else:
                item = ceremony.send(answer)
    except StopIteration as end:
        result: _T = end.value
        return result


class _Patient:
    def __init__(
        self, transport: Sender, on_step: Callable[[Step], None], patience: float, sleep: Callable[[float], None]
    ) -> None:
        self._transport = transport
        self._on_step = on_step
        self._patience = patience
        self._sleep = sleep

    def send(self, request: Request) -> Answer:
        while True:
            answer = self._transport.send(request)
            pause = retry_after(answer)
            if pause is None or pause > self._patience:
                return answer
            self._patience -= pause
            self._on_step(Step("", "wait", f"the server limits the rate: waiting {pause:g} s", pause))
            self._sleep(pause)


def retry_after(answer: Answer) -> float | None:
    """The seconds to wait before the request may be repeated, at least one; None when the answer is no 429."""
    if answer.status != 429:
        return None
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return max(1.0, float(text[:9]))
    try:
        return max(1.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 1.0
