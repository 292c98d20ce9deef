"""One request and its answer on a connection: the `receive` and `send` that the application is given.

Head and first part of the body leave in one write, and what an application leaves undone becomes a problem document.
"""

from __future__ import annotations

import logging
import re
from asyncio import CancelledError, Event
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from authctl.errors import AuthctlError, StorageUnavailable
from authctl.server.http.problems import problem
from authctl.server.http.request import KEY, LARGEST_BODY

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    Fields = Iterable[tuple[bytes, bytes]]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)

STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_NO_BODY: Final = frozenset({204, 304})
_LINE: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+: [\t -~\x80-\xff]*\r\n")


class Flow(Protocol):
    """Whether the transport takes more, and gives more."""

    write_paused: bool

    async def drain(self) -> None:
        """Waits until it takes more."""
        ...

    def resume_reading(self) -> None:
        """Lets it give more."""
        ...


class Owner(Protocol):
    """The connection, told of what happens to the answer."""

    def response_started(self) -> None:
        """The head has been written."""
        ...

    def response_finished(self, cycle: Cycle) -> None:
        """The last byte has been written."""
        ...


class Cycle:
    """Made by a connection when the head of a request is complete.

    is_persistent  whether the connection may be used again after this answer
    more_body      whether the request is still incomplete
    """

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        transport: Transport,
        flow: Flow,
        owner: Owner,
        server_fields: Fields,
        *,
        is_continue_expected: bool,
        is_persistent: bool,
    ) -> None:
        self.scope = scope
        self.keep_alive = is_persistent
        self.message_event = Event()
        self.body = bytearray()
        self.more_body = True
        self.disconnected = self.response_started = self.response_complete = False
        self._transport = transport
        self._flow = flow
        self._owner = owner
        self._server_fields = server_fields
        self._is_continue_expected = is_continue_expected
        self._head = b""
        self._has_written = False
        self._length: int | None = None

    async def run_asgi(self, app: Application) -> None:
        """Runs the application on this request; the connection survives whatever it does."""
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:
            # A cancellation is the end of a drain: it is answered like a failure, and swallowed with the task.
            await self._give_up(error)
        else:
            if not self.response_complete and not self.disconnected:
                await self._give_up(RuntimeError("the application returned without a whole answer"))

    async def receive(self) -> Message:
        """The next part of the body, or that the client has left."""
        if self._is_continue_expected and not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._is_continue_expected = False
        if not self.disconnected and not self.response_complete:
            self._flow.resume_reading()
            await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        message = {"type": "http.request", "body": bytes(self.body), "more_body": self.more_body}
        self.body = bytearray()
        return message

    async def send(self, message: Message) -> None:
        """Takes the two kinds of messages that make an answer, in their order."""
        if self._flow.write_paused and not self.disconnected:
            await self._flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self.response_started and not self.response_complete:
            self._continue(message.get("body", b""), has_more=message.get("more_body", False))
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")

    def _begin(self, status: int, fields: Fields) -> None:
        self.response_started = True
        self._is_continue_expected = False
        if self.more_body and not self._is_rest_bounded():
            self.keep_alive = False
        lines = [STATUS_LINES[status]]
        for name, value in (*self._server_fields, *fields):
            if name == b"content-length":
                self._length = int(value)
            elif name == b"connection":
                self.keep_alive = self.keep_alive and value != b"close"
                continue
            lines.append(b"%s: %s\r\n" % (name, value))
        if not all(map(_LINE.fullmatch, lines[1:])):
            raise RuntimeError("a header field of the answer is not valid")
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        if self._length is None and status not in _NO_BODY and self.scope["method"] != "HEAD":
            lines.append(b"transfer-encoding: chunked\r\n")
        elif status in _NO_BODY or self.scope["method"] == "HEAD":
            self._length = 0
        lines.append(b"\r\n")
        self._head = b"".join(lines)
        self._owner.response_started()

    def _continue(self, body: bytes, *, has_more: bool) -> None:
        if self.scope["method"] == "HEAD":
            body = b""
        if self._length is None:
            body = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            body += b"" if has_more else b"0\r\n\r\n"
        else:
            self._length -= len(body)
            if self._length < 0 or (self._length and not has_more):
                raise RuntimeError("the body has another length than was announced")
        self._transport.write(self._head + body)
        self._head = b""
        self._has_written = True
        if not has_more:
            self.response_complete = True
            self.message_event.set()
            self._owner.response_finished(self)

    def _is_rest_bounded(self) -> bool:
        """Whether the part of the body that nobody will read is worth waiting for."""
        lengths = [value for name, value in self.scope["headers"] if name == b"content-length"]
        return bool(lengths) and int(lengths[0]) <= LARGEST_BODY

    async def _give_up(self, error: BaseException) -> None:
        failure = _failure(error)
        if self.disconnected or self.response_complete:
            return
        if self._has_written:
            self._transport.abort()
            return
        self.response_started, self._length, self.keep_alive = False, None, False
        request = self.scope.get(KEY)
        answer = problem(failure, request.id if request else "")
        fields = (*answer.fields, (b"content-type", answer.content_type or b""), _length(answer.body))
        self._begin(answer.status, fields)
        self._continue(answer.body, has_more=False)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)


def _failure(error: BaseException) -> AuthctlError:
    if isinstance(error, CancelledError):
        logger.warning("a request was cut off: the server had to stop")
        return StorageUnavailable(debug="the server stops")
    logger.error("the application failed", exc_info=error)
    return AuthctlError()
