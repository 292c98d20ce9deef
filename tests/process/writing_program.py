"""Writes events like a service under load: `writing_program.py NAME COUNT` in a folder with a database."""

from __future__ import annotations

import sys
import time

from authctl.server.assembly import open_service
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record
from authctl.settings import load_settings


def main(name: str, count: int) -> None:
    """Leaves `count` logins of people whose e-mails begin with `name`."""
    caller = Caller("192.0.2.1", "192.0.2.1", "pytest/9", "r1")
    service = open_service(load_settings(), kind="server")
    for number in range(count):
        event = Event(EventType.LOGIN_COMPLETE, True, caller, "A login", user_email=f"{name}{number}@example.com")
        service.database.write_now(lambda tx, event=event: record(tx, event))  # type: ignore[misc]
        time.sleep(0.002)
    service.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
