"""Who takes the events of a feed: a program at the other end of a pipe, or a syslog collector."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import stat
import termios
from typing import TYPE_CHECKING, Final, Protocol

from authctl.errors import ServerUnreachable
from authctl.server.audit.export.syslog import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from authctl.server.audit.export.collectors import Collector, Connection
    from authctl.server.audit.export.interface import Format
    from authctl.server.audit.export.stopping import Stop
    from authctl.server.audit.records import EventRecord

_SLICE_MS: Final = 100
_LONGEST_PAUSE: Final = 30.0


class TakerLeft(Exception):  # not an error: `head` has seen enough
    """The program that takes the events has closed its end."""


class Taker(Protocol):
    """Takes events, at least once each."""

    def begin(self) -> None:
        """To be called once, before the first event."""
        ...

    def take(self, records: Sequence[EventRecord], stop: Stop) -> None:
        """Returns when all of them were taken. Raises Stopped or TakerLeft when it is not known of all."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class DescriptorTaker:
    """Standard output: a pipe counts as emptied when its reader has read everything, a file when it is on the disk."""

    def __init__(self, descriptor: int, chosen: Format) -> None:
        self._descriptor = descriptor
        self._format = chosen
        mode = os.fstat(descriptor).st_mode
        self._is_pipe, self._is_file = stat.S_ISFIFO(mode), stat.S_ISREG(mode)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._head = b""

    def begin(self) -> None:
        """What stands before the first event goes with it."""
        self._head = self._format.head()

    def take(self, records: Sequence[EventRecord], stop: Stop) -> None:
        """Writes the events and waits until they were read."""
        view = memoryview(self._head + self._format.lines(records))
        while view:
            # When poll says that a pipe has room, it has room for a page: the write cannot block.
            self._await_room(stop)
            view = view[self._write(view[: select.PIPE_BUF]) :]
        self._head = b""
        if self._is_file:
            os.fsync(self._descriptor)
        while self._is_pipe and self._unread():
            self._require_reader()
            if stop.wait(0.002) and self._unread():
                stop.require_none()

    def close(self) -> None:
        """It is not ours to close."""

    def _await_room(self, stop: Stop) -> None:
        while self._is_pipe:
            events = dict(self._poll.poll(_SLICE_MS)).get(self._descriptor, 0)
            if events & select.POLLERR:
                raise TakerLeft
            if events & select.POLLOUT:
                return
            stop.require_none()

    def _require_reader(self) -> None:
        if dict(self._poll.poll(0)).get(self._descriptor, 0) & select.POLLERR:
            raise TakerLeft

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except BrokenPipeError:
            raise TakerLeft from None

    def _unread(self) -> int:
        found = array.array("i", [0])
        fcntl.ioctl(self._descriptor, termios.FIONREAD, found)
        return found[0]


class SyslogTaker:
    """A collector. A lost connection is made again, and what was not acknowledged goes once more."""

    def __init__(
        self, collector: Collector, chosen: Format, tell: Callable[[str], None], *, ca: Path | None = None
    ) -> None:
        self._collector = collector
        self._format = chosen
        self._tell = tell
        self._ca = ca
        self._connection: Connection | None = None

    def begin(self) -> None:
        """Connects. Raises ServerUnreachable: an address that never worked is more likely a slip than an outage."""
        try:
            self._connection = self._collector.connect(self._ca)
        except OSError as error:
            hint = "--ca FILE names who vouches for it" if self._collector.scheme == "syslog+tls" else None
            raise ServerUnreachable(f"{self._collector} cannot be reached: {_cause(error)}", hint=hint) from error

    def take(self, records: Sequence[EventRecord], stop: Stop) -> None:
        """Sends the events until the collector's machine has them."""
        messages = [message(record, self._format.lines([record]).rstrip(b"\r\n")) for record in records]
        pause, is_lost = 0.5, False
        while True:
            try:
                if self._connection is None:
                    self._connection = self._collector.connect(self._ca)
                self._connection.deliver(messages, stop)
            except OSError as error:
                self.close()
                if not is_lost:
                    self._tell(f"{self._collector} does not take events: {_cause(error)}; trying again")
                is_lost = True
                stop.wait(pause)
                stop.require_none()
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                break
        if is_lost:
            self._tell(f"{self._collector} takes events again")

    def close(self) -> None:
        """Closes the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _cause(error: OSError) -> str:
    reason = getattr(error, "verify_message", None) or error.strerror or str(error)
    return reason or errno.errorcode.get(error.errno or 0, type(error).__name__)
