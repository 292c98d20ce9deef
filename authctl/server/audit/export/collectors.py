"""Where syslog messages go: the address of a collector, and connections to it by UDP, TCP or TLS."""

from __future__ import annotations

import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from authctl.errors import UsageError
from authctl.server.audit.export.syslog import datagram, octet_counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authctl.server.audit.export.stopping import Stop

_PORTS: Final = {"syslog": 514, "syslog+udp": 514, "syslog+tcp": 514, "syslog+tls": 6514}
_HINT: Final = "such as syslog://host:514 (UDP), syslog+tcp://host:514 or syslog+tls://host:6514"
_CONNECT_SECONDS: Final = 10.0
_SLICE: Final = 0.1
_SILENCE_SECONDS: Final = 30.0
"""How long a collector may take nothing before the connection counts as lost."""


class Collector(NamedTuple):
    """Where messages go; `scheme` says how."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Collector:
        """Reads `syslog://host:514` and the like. Raises UsageError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise UsageError("--to is not an address", hint=_HINT) from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise UsageError("--to is not the address of a syslog collector", hint=_HINT)
        if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise UsageError("--to takes a host and a port and nothing else", hint=_HINT)
        return cls(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def connect(self, ca: Path | None = None) -> Connection:
        """A connection. `ca` holds the certificates that may vouch for the collector; without it, the system's.

        Raises OSError, of which ssl.SSLError is one.
        """
        if self.scheme in {"syslog", "syslog+udp"}:
            return _Datagrams(self)
        raw = socket.create_connection((self.host, self.port), timeout=_CONNECT_SECONDS)
        if self.scheme == "syslog+tcp":
            return _Stream(raw)
        try:
            context = ssl.create_default_context(cafile=None if ca is None else str(ca))
            return _Stream(context.wrap_socket(raw, server_hostname=self.host))
        except BaseException:
            raw.close()
            raise


def require_authorities(ca: Path) -> None:
    """Raises UsageError unless the file holds certificates in PEM form."""
    try:
        ssl.create_default_context(cafile=str(ca))
    except ssl.SSLError as error:
        raise UsageError(f"{ca} holds no certificate in PEM form", debug=repr(error)) from None
    except OSError as error:
        raise UsageError(f"{ca} cannot be read: {error.strerror}", debug=repr(error)) from None


class Connection:
    """An open way to a collector."""

    def deliver(self, messages: Sequence[bytes], stop: Stop) -> None:
        """Returns when the collector's machine has all of them, as far as the protocol tells.

        Raises OSError when the way is lost, and Stopped; then some may have arrived.
        """
        raise OSError

    def close(self) -> None:
        """Lets go of it."""


class _Datagrams(Connection):
    """UDP: nobody says what arrived."""

    def __init__(self, collector: Collector) -> None:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            collector.host, collector.port, type=socket.SOCK_DGRAM
        )
        self._socket = socket.socket(family, kind, protocol)
        self._socket.connect(address)

    def deliver(self, messages: Sequence[bytes], stop: Stop) -> None:
        for message in messages:
            stop.require_none()
            # A refusal (ICMP) belongs to an earlier datagram, and is told only once.
            with suppress(ConnectionRefusedError):
                self._socket.send(datagram(message))
                continue
            self._socket.send(datagram(message))

    def close(self) -> None:
        self._socket.close()


class _Stream(Connection):
    """TCP, with or without TLS: messages with their length before them, and the kernel tells what was acknowledged."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected

    def deliver(self, messages: Sequence[bytes], stop: Stop) -> None:
        self._require_listener()
        view = memoryview(b"".join(map(octet_counted, messages)))
        heard = time.monotonic()
        while view:
            try:
                sent = self._socket.send(view)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(stop, heard, is_reading=False)
            except ssl.SSLWantReadError:
                self._wait(stop, heard, is_reading=True)
            else:
                view, heard = view[sent:], time.monotonic()
        self._await_acknowledgement(stop)
        self._require_listener()

    def close(self) -> None:
        with suppress(OSError):
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.settimeout(1.0)
                self._socket.unwrap()
        self._socket.close()

    def _require_listener(self) -> None:
        """A collector says nothing; when there is something to read, it is mostly that it has hung up."""
        try:
            while heard := self._socket.recv(4096):
                del heard
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        raise ConnectionResetError("the collector has closed the connection")

    def _await_acknowledgement(self, stop: Stop) -> None:
        before, heard = -1, time.monotonic()
        while unacknowledged := _unacknowledged(self._socket):
            if unacknowledged != before:
                before, heard = unacknowledged, time.monotonic()
            _require_patience(heard)
            if stop.wait(0.002 if time.monotonic() - heard < 0.1 else 0.05):
                _last_look(self._socket, stop)
                return

    def _wait(self, stop: Stop, heard: float, *, is_reading: bool) -> None:
        stop.require_none()
        _require_patience(heard)
        own = [self._socket]
        select.select(own if is_reading else [], [] if is_reading else own, [], _SLICE)


def _last_look(connected: socket.socket, stop: Stop) -> None:
    """Somebody wants to stop: what was sent gets one more moment to arrive."""
    time.sleep(_SLICE)
    if _unacknowledged(connected):
        stop.require_none()


def _unacknowledged(connected: socket.socket) -> int:
    """Bytes in the send queue (SIOCOUTQ); raises OSError when the connection is broken."""
    if error := connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, "the connection to the collector broke")
    answer = fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int(struct.unpack("i", answer)[0])


def _require_patience(heard: float) -> None:
    if time.monotonic() - heard > _SILENCE_SECONDS:
        raise TimeoutError("the collector takes nothing")
