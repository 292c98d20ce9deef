"""The routes that are about the service itself: pointer, description, health, and the two redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.errors import StorageUnavailable
from authctl.server.http.answers import JSON, TEXT, Answer, json_answer

if TYPE_CHECKING:
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request

_POINTER: Final = json_answer(
    {
        "service": "authctl: passwordless login with passkeys",
        "description": "/openapi.json",
        "health": ["/healthz", "/readyz"],
        "try": "authctl simulate register --url <the address of this page>",
    }
)
_LIVE: Final = json_answer({"status": "live"})
_READY: Final = json_answer({"status": "ready"})


async def pointer(request: Request, edge: Edge) -> Answer:
    """Where to go from here."""
    return _POINTER


async def description(request: Request, edge: Edge) -> Answer:
    """The API description."""
    return Answer(200, edge.description, JSON)


async def live(request: Request, edge: Edge) -> Answer:
    """Whether this process answers; touches nothing, so that a slow database cannot make it look dead."""
    return _LIVE


async def ready(request: Request, edge: Edge) -> Answer:
    """Whether the service can do its work. The reason why not is in the operational log."""
    readiness = await edge.service.health.ready()
    if not readiness.is_ready:
        raise StorageUnavailable(debug=f"not ready: {readiness}")
    return _READY


async def to_registration(request: Request, edge: Edge) -> Answer:
    """Sends the caller on with method and body, to a path that no header can change."""
    return _redirect(b"/register/begin")


async def to_login(request: Request, edge: Edge) -> Answer:
    """Sends the caller on with method and body, to a path that no header can change."""
    return _redirect(b"/login/begin")


def _redirect(location: bytes) -> Answer:
    return Answer(307, b"See " + location + b"\n", TEXT, ((b"location", location),))
