"""Asking something that goes on for ever to come to a clean end."""

from __future__ import annotations

import time

_SLICE = 0.1


class Stopped(Exception):  # not an error: somebody asked for it
    """What was under way was given up because of a request to stop; nothing of it counts as done."""


class Stop:
    """A request to stop, made by a signal handler: a flag and nothing that could block."""

    __slots__ = ("is_asked",)

    def __init__(self) -> None:
        self.is_asked = False

    def ask(self, *_: object) -> None:
        """Makes the request; fits as a signal handler."""
        self.is_asked = True

    def wait(self, seconds: float) -> bool:
        """Waits, but not longer than until the request; whether there is one."""
        until = time.monotonic() + seconds
        while not self.is_asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))
        return self.is_asked

    def require_none(self) -> None:
        """Raises Stopped when there is a request."""
        if self.is_asked:
            raise Stopped
