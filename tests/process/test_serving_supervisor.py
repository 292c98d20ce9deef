"""The supervisor by itself, over workers that behave in ways a service should not."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import Refused
from authctl.server.running import bind
from authctl.server.supervisor import Supervisor
from tests.process import supervised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.process


@contextmanager
def supervisor(
    target: Callable[..., None], *arguments: Any, on_started: Callable[[], None] | None = None
) -> Iterator[Supervisor]:
    with bind("127.0.0.1", 0) as listener:
        yield Supervisor(target, arguments, listener, on_started)


def signal_when(event: threading.Event, supervisor: Supervisor, *, then_again_after: float | None = None) -> None:
    """Acts as the operating system would, without endangering the process of the tests."""

    def act() -> None:
        event.wait(20)
        supervisor._on_signal(15, None)
        if then_again_after is not None:
            time.sleep(then_again_after)
            supervisor._on_signal(15, None)

    threading.Thread(target=act, daemon=True).start()


def test_a_worker_that_cannot_start_ends_everything() -> None:
    with supervisor(supervised.stillborn) as running, pytest.raises(Refused, match="could not start"):
        running.run(2)
    assert running._workers == []


def test_a_worker_that_dies_is_replaced_and_the_others_are_left_alone(tmp_path: Path) -> None:
    started = threading.Event()

    def when_replaced() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        started.set()

    threading.Thread(target=when_replaced, daemon=True).start()
    with supervisor(supervised.frail, str(tmp_path)) as running:
        signal_when(started, running)
        running.run(1)
    assert len(list(tmp_path.iterdir())) >= 2


@pytest.mark.parametrize("again", [None, 0.2])
def test_a_worker_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, again: float | None) -> None:
    monkeypatch.setattr("authctl.server.supervisor.DRAIN_SECONDS", 0.5 if again is None else 30)
    monkeypatch.setattr("authctl.server.supervisor.IMPATIENT_SECONDS", 0.1)
    started = threading.Event()
    with supervisor(supervised.stubborn, on_started=started.set) as running:
        signal_when(started, running, then_again_after=again)
        begun = time.monotonic()
        running.run(1)
    assert time.monotonic() - begun < 15
    assert running._workers == []


def test_many_wishes_to_wake_are_one() -> None:
    with supervisor(supervised.obedient) as running:
        for _ in range(100_000):
            running._wake()
        running._on_signal(15, None)
        running.run(1)
    assert running._workers == []
