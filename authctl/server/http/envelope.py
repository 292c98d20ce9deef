"""The outermost middleware: each request gets an id, each answer its header fields, each error its problem document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.logs import request_id
from authctl.server.http.answers import send_answer
from authctl.server.http.problems import problem
from authctl.server.http.request import KEY, ClientLeft, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from authctl.server.http.answers import Fields
    from authctl.server.http.client_address import ClientAddresses

FIELDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer that has none of its own of that name, also on those that the server itself gives before a request
reaches the application."""

STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")


def response_fields(origins: Sequence[str]) -> Fields:
    """The fields of every answer; browsers are bound to https once the service says that it is reached so."""
    return (*FIELDS, STRICT_TRANSPORT) if any(origin.startswith("https:") for origin in origins) else FIELDS


class Envelope:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, addresses: ClientAddresses, origins: Sequence[str]) -> None:
        self._app = app
        self._addresses = addresses
        self._fields = response_fields(origins)
        self._names = frozenset(name for name, _ in self._fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whatever happens inside."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = scope[KEY] = Request(scope, receive, self._addresses)
        has_started = False

        async def send_with_fields(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                identity = (b"x-request-id", request.id.encode("ascii"))
                given = message["headers"]
                message["headers"] = [*given, *self._usual(given), identity, *request.response_fields]
            await send(message)

        context = request_id.set(request.id)
        try:
            await self._app(scope, receive, send_with_fields)
        except ClientLeft:
            return
        except Exception as error:
            if has_started:
                raise
            await send_answer(problem(error, request.id), scope, send_with_fields)
        finally:
            request_id.reset(context)

    def _usual(self, given: Iterable[tuple[bytes, bytes]]) -> Fields:
        """The fields of every answer without those that this one has of its own: a page has a policy of its own."""
        own = {name for name, _ in given}
        return (
            self._fields if self._names.isdisjoint(own) else tuple(item for item in self._fields if item[0] not in own)
        )
