"""What SIGTERM does to a command: by itself it would end the process before anything is cleaned up."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def on_signals(handler: Callable[..., None], *numbers: signal.Signals) -> Iterator[None]:
    """Has the handler called for these signals inside the block."""
    before: dict[signal.Signals, Any] = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def interrupt(*_: object) -> None:
    """A handler that ends a command as Ctrl-C does."""
    raise KeyboardInterrupt
