"""One HTTP request as endpoints and middleware see it: header fields, caller, body."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import BodyTooLarge, UnsupportedMediaType
from authctl.server.audit.events import Caller
from authctl.server.http.client_address import source_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from authctl.server.http.client_address import ClientAddresses

LARGEST_BODY: Final = 64 * 1024
LONGEST_USER_AGENT: Final = 512
KEY: Final = "authctl.request"
"""Where the scope holds the Request."""

_PLAIN_JSON: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)


class ClientLeft(Exception):
    """The client closed the connection before its request was whole."""


class Request:
    """Wraps a scope; made once per request by the outermost middleware and found in the scope by everybody else.

    id               made here; a client's own X-Request-ID is not believed, for it would choose the words of our logs
    response_fields  header fields that middleware adds to whatever the answer will be
    """

    __slots__ = ("_addresses", "_caller", "_fields", "_receive", "id", "method", "path", "response_fields", "scope")

    def __init__(self, scope: Scope, receive: Receive, addresses: ClientAddresses) -> None:
        self.scope = scope
        self.id = secrets.token_hex(16)
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.response_fields: list[tuple[bytes, bytes]] = []
        self._receive = receive
        self._addresses = addresses
        self._fields: dict[bytes, list[bytes]] = {}
        self._caller: Caller | None = None
        for name, value in scope["headers"]:
            self._fields.setdefault(name, []).append(value)

    def lines(self, name: bytes) -> list[bytes]:
        """All lines of a header field, in order; `name` is in lower case."""
        return self._fields.get(name, [])

    def field(self, name: bytes) -> bytes | None:
        """The value of a field that may stand once; its first line when it stands more often."""
        lines = self._fields.get(name)
        return lines[0] if lines else None

    @property
    def path_params(self) -> dict[str, Any]:
        """What the route took from the path."""
        params: dict[str, Any] = self.scope.get("path_params", {})
        return params

    @property
    def caller(self) -> Caller:
        """Who asks, as audit trail and limits know them."""
        if self._caller is None:
            client = self.scope.get("client")
            peer = client[0] if client else None
            source = self._addresses.resolve(peer, self.lines(b"x-forwarded-for"))
            agent = self.field(b"user-agent")
            self._caller = Caller(
                address=source.address,
                peer_address=source_of(peer).address,
                user_agent=None if agent is None else agent.decode("utf-8", "replace")[:LONGEST_USER_AGENT],
                request_id=self.id,
                network=source.network,
            )
        return self._caller

    async def json_body(self) -> bytes:
        """The whole body, which has to be declared as JSON in UTF-8.

        Raises UnsupportedMediaType, BodyTooLarge over 64 KB (by what was declared before anything is read, by what has
        come otherwise), and ClientLeft.
        """
        self._require_json()
        declared = self.field(b"content-length")
        if declared is not None and (not declared.isdigit() or int(declared[:20]) > LARGEST_BODY):
            raise BodyTooLarge
        message = await self._receive()
        body: bytes = message.get("body", b"")
        chunks = [body]
        size = len(body)
        while message["type"] == "http.request" and size <= LARGEST_BODY and message.get("more_body", False):
            message = await self._receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        if message["type"] == "http.disconnect":
            raise ClientLeft
        if size > LARGEST_BODY:
            raise BodyTooLarge
        return b"".join(chunks) if len(chunks) > 1 else body

    def _require_json(self) -> None:
        lines = self.lines(b"content-type")
        if len(lines) == 1 and (lines[0] in _PLAIN_JSON or _is_json_in_utf8(lines[0])):
            return
        raise UnsupportedMediaType


def _is_json_in_utf8(content_type: bytes) -> bool:
    media_type, *parameters = (part.strip(b" \t").lower() for part in content_type.split(b";"))
    charsets = (b"charset=utf-8", b'charset="utf-8"')
    return media_type == b"application/json" and all(parameter in charsets for parameter in parameters if parameter)
