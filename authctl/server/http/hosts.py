"""Refuses requests for another host: a name that is not ours is an attack by DNS rebinding or a misrouted request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from authctl.errors import BadRequest
from authctl.server.http.framing import AUTHORITY
from authctl.server.http.request import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from authctl.server.http.request import Request

LOOPBACK_NAMES: Final = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})


def own_names(origins: Sequence[str], bind_host: str) -> frozenset[bytes]:
    """The names a service goes by: the hosts of its origins, the host it listens on, and the loopback names."""
    hosts = [urlsplit(origin).hostname or "" for origin in origins]
    names = {f"[{host}]" if ":" in host else host for host in (*hosts, bind_host) if host}
    return LOOPBACK_NAMES | {name.lower().encode("ascii") for name in names}


class HostCheck:
    """Lets a request pass whose Host is one of ours, on any port: proxies and port mappings change it."""

    def __init__(self, app: ASGIApp, names: frozenset[bytes]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises BadRequest for any other host, for none and for two."""
        if scope["type"] == "http":
            request: Request = scope[KEY]
            lines = request.lines(b"host")
            if len(lines) != 1 or not self._is_ours(lines[0], scope):
                raise BadRequest("The Host header does not name this service")
        await self._app(scope, receive, send)

    def _is_ours(self, host: bytes, scope: Scope) -> bool:
        match = AUTHORITY.match(host.lower())
        if match is None:
            return False
        # The address that the connection came in on cannot be rebound; probes of an orchestrator use it.
        return match[1] in self._names or match[1] == _arrived_on(scope)


def _arrived_on(scope: Scope) -> bytes:
    server = scope.get("server")
    if not server or server[1] is None:
        return b""
    address: str = server[0]
    return (f"[{address}]" if ":" in address else address).encode("ascii")
