"""Keeps slow, idle and numerous connections from starving honest ones: deadlines, and a place that has to be earned.

A connection waits as long as it holds no whole request. When there are too many, the one that has waited longest goes:
refusing the newest instead would let a thousand silent connections shut everybody out.
"""

from __future__ import annotations

import math
import resource
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from authctl.server.http.client_address import parse_address, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Address, IPv6Address

NEVER: Final = math.inf
RESERVED_FILES: Final = 64
"""File handles kept for the database, the audit file and whatever else the process needs."""


def most_connections() -> int:
    """As many connections as the limit on open files leaves room for, and no more than 4096."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 4096
    return max(16, min(4096, soft - RESERVED_FILES))


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Sizes in bytes, times in seconds, numbers of connections.

    hurried_seconds  what a second signal leaves for closing in order, before the process ends as it is
    """

    head_bytes: int = 16 * 1024
    head_fields: int = 100
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    request_seconds: float = 30.0
    idle_seconds: float = 60.0
    stalled_seconds: float = 20.0
    linger_seconds: float = 2.0
    linger_bytes: int = 1024 * 1024
    drain_grace_seconds: float = 1.0
    drain_seconds: float = 7.0
    hurried_seconds: float = 0.9
    per_source: int = 50
    total: int = field(default_factory=most_connections)


class Limited(Protocol):
    """What the register needs of a connection."""

    peer: str | None

    @property
    def due(self) -> float:
        """When the nearest deadline of the connection passes, on the clock of its event loop."""
        ...

    def expire(self, now: float) -> None:
        """Called when that moment has come."""
        ...

    def drop(self) -> None:
        """Called when the connection has to make room."""
        ...


class Register:
    """All open connections of a process. Those that wait for a request stand in the order in which they began to.

    entered  how many connections there have been
    """

    def __init__(self, limits: ConnectionLimits, is_shared: Callable[[str], bool]) -> None:
        self._limits = limits
        self._is_shared = is_shared
        self._waiting: dict[Limited, None] = {}
        self._open: dict[Limited, str] = {}
        self._of_source: Counter[str] = Counter()
        self.entered = 0

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def enter(self, connection: Limited) -> None:
        """A new connection; it or an older one that only waits is dropped when there are too many."""
        source = source_of(connection.peer).network
        self.entered += 1
        self._open[connection] = source
        self._of_source[source] += 1
        self._waiting[connection] = None
        if len(self._open) > self._limits.total:
            self._make_room(iter(self._waiting), connection)
        elif self._of_source[source] > self._limits.per_source and not self._is_shared(connection.peer or ""):
            self._make_room((other for other in self._waiting if self._open[other] == source), connection)

    def leave(self, connection: Limited) -> None:
        """The connection is gone."""
        source = self._open.pop(connection, None)
        self._waiting.pop(connection, None)
        if source is not None:
            self._of_source[source] -= 1
            if not self._of_source[source]:
                del self._of_source[source]

    def serve(self, connection: Limited) -> None:
        """The connection has sent a whole request."""
        self._waiting.pop(connection, None)

    def wait(self, connection: Limited) -> None:
        """The connection has been answered."""
        if connection in self._open:
            self._waiting[connection] = None

    def enforce(self, now: float) -> None:
        """Tells every connection whose deadline has passed."""
        for connection in [connection for connection in self._open if connection.due <= now]:
            connection.expire(now)

    def _make_room(self, waiting: Iterable[Limited], newest: Limited) -> None:
        oldest = next(iter(waiting), newest)
        self.leave(oldest)
        oldest.drop()


def is_shared_address(is_trusted: Callable[[IPv4Address | IPv6Address], bool]) -> Callable[[str], bool]:
    """Tells addresses that many clients share: listed proxies, and this machine, where one may run unlisted."""

    def is_shared(peer: str) -> bool:
        address = parse_address(peer)
        return address is None or address.is_loopback or is_trusted(address)

    return is_shared
