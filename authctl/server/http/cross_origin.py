"""What pages of other origins may do: exact origins by CORS, no change of state from another site (Fetch Metadata)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.errors import AccessDenied
from authctl.server.http.request import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from authctl.server.http.request import Request

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"600"),
)
_EXPOSED: Final = (b"access-control-expose-headers", b"retry-after, www-authenticate, x-request-id")


class CrossOrigin:
    """Origins are compared as whole strings. Credentials are never allowed: bearer tokens need none."""

    def __init__(self, app: ASGIApp, cors_origins: Sequence[str], own_origins: Sequence[str]) -> None:
        self._app = app
        self._allowed = frozenset(origin.encode("ascii") for origin in cors_origins)
        self._welcome = self._allowed | {origin.encode("ascii") for origin in own_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds CORS fields to the answer; raises AccessDenied for a change asked for by a foreign site."""
        if scope["type"] == "http":
            request: Request = scope[KEY]
            self._judge(request)
        await self._app(scope, receive, send)

    def _judge(self, request: Request) -> None:
        lines = request.lines(b"origin")
        origin = lines[0] if len(lines) == 1 else None
        if self._allowed:
            request.response_fields.append((b"vary", b"origin"))
            if origin in self._allowed:
                request.response_fields.append((b"access-control-allow-origin", origin))
                is_preflight = request.method == "OPTIONS" and request.field(b"access-control-request-method")
                request.response_fields.extend(_PREFLIGHT if is_preflight else (_EXPOSED,))
        is_foreign = request.field(b"sec-fetch-site") == b"cross-site" and origin not in self._welcome
        if is_foreign and request.method not in READING:
            raise AccessDenied("Requests from pages of other sites are not accepted")
