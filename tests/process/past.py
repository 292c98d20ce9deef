"""Events of long ago, as a process that has ended would have left them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from authctl.clock import FixedClock
from authctl.server.assembly import open_service
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record
from authctl.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.storage.transaction import Transaction

REQUEST: Final = "r1"
"""The request that all of them come from."""
_AT_ONCE: Final = 500
_CALLER: Final = Caller("192.0.2.1", "192.0.2.1", "curl/8", REQUEST)


def _an_event(number: int) -> Event:
    """A login of one of fifty people, the tenth of which fails."""
    email = f"user{number % 50}@example.com"
    return Event(EventType.LOGIN_COMPLETE, number % 10 != 0, _CALLER, f"login {number}", user_email=email)


def live_through(directory: Path, events: int) -> None:
    """Leaves so many events, a hundred days old, in a folder in which a server will start."""
    directory.mkdir(parents=True, exist_ok=True)
    clock = FixedClock(datetime.now(UTC) - timedelta(days=100))
    service = open_service(load_settings(environ={}, cwd=directory), kind="cli", clock=clock, create=True)

    def unit(tx: Transaction) -> None:
        for number in range(_AT_ONCE):
            record(tx, _an_event(number))

    try:
        for _ in range(events // _AT_ONCE):
            service.database.write_now(unit)
            clock.advance(60)
    finally:
        service.close()
