"""Keeps what is sent to a server and what comes back, each with the step that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from authctl.virtual_authenticator.harness.transport import Answer, Channel, Request


class Held(Exception):
    """A request was kept back, as had been asked for: nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer, or None when there was none.

    step  what it was for; empty when no step has ended since
    """

    request: Request
    answer: Answer | None
    step: str = ""


class Recorder:
    """A Channel that keeps what goes through another one; `base_url` is what paths stand below."""

    def __init__(self, channel: Channel, base_url: str) -> None:
        self.base_url = base_url
        self._channel = channel
        self._exchanges: list[Exchange] = []
        self._named = 0
        self._is_holding = False

    def __enter__(self) -> Self:
        self._channel.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.__exit__(kind, error, trace)

    def close(self) -> None:
        """Closes the other one."""
        self._channel.close()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All so far."""
        return tuple(self._exchanges)

    def name(self, step: str) -> None:
        """Says what the exchanges were for that nobody has said it of."""
        for place in range(self._named, len(self._exchanges)):
            found = self._exchanges[place]
            self._exchanges[place] = Exchange(found.request, found.answer, step)
        self._named = len(self._exchanges)

    def hold(self) -> None:
        """Sends nothing more: the next request is kept and raises Held."""
        self._is_holding = True

    def send(self, request: Request) -> Answer:
        """The answer of the other channel."""
        answer = None
        try:
            if self._is_holding:
                raise Held
            answer = self._channel.send(request)
        finally:
            self._exchanges.append(Exchange(request, answer))
        return answer
