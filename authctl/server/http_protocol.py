"""The server's side of a connection: uvicorn's httptools protocol with limits, deadlines and answers of our own.

Everything that is refused before a request reaches the application is refused here, with a problem document: heads that
are too large or ambiguous, and requests that do not arrive in time.
"""

from __future__ import annotations

import logging
import secrets
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from authctl.errors import AuthctlError, BadRequest, HeadersTooLarge, RequestTimeout, StorageUnavailable
from authctl.server.connection_limits import NEVER, ConnectionLimits, Register
from authctl.server.http.framing import check_head
from authctl.server.http.problems import problem
from authctl.server.http_cycle import STATUS_LINES, Cycle

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn.config import Config

logger = logging.getLogger(__name__)

CHUNK_OVERHEAD = 16 * 1024
"""Bytes of chunk framing that come free; beyond, framing may be eight times the data: one-byte chunks stay below."""


class Connections(ServerState):
    """uvicorn's state of a server, with the register of connections and the fields of the answers given here."""

    def __init__(
        self, limits: ConnectionLimits, is_shared: Callable[[str], bool], fields: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__()
        self.limits = limits
        self.register = Register(limits, is_shared)
        self.fields = fields


class Reading(Enum):
    """What the parser is in the middle of."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class Connection(HttpToolsProtocol):
    """One client. Whole requests without an answer are counted in `_unanswered`: several under pipelining."""

    server_state: Connections
    cycle: Cycle | None  # type: ignore[assignment]  # ours instead of uvicorn's, with the same attributes

    def __init__(
        self,
        config: Config,
        server_state: Connections,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.peer: str | None = None
        self.read_by = self.answer_by = self.write_by = NEVER
        self._limits = server_state.limits
        self._register = server_state.register
        self._reading = Reading.NOTHING
        self._unanswered = 0
        self._fault: AuthctlError | None = None
        self._begun = self._head_size = self._fed_to_head = self._framing = self._discarded = 0
        self._is_upgrading = self._is_draining = self._is_discarding = False

    @property
    def due(self) -> float:
        """When the nearest deadline passes."""
        return min(self.read_by, self.answer_by, self.write_by)

    # What the transport tells.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A new connection has as long for its first head as any other for its next."""
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else None
        self.read_by = self.loop.time() + self._limits.head_seconds
        self._register.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever caused it."""
        self._register.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, whose callbacks follow below."""
        if self._is_discarding:
            self._discard(len(data))
            return
        begun_before, was_reading = self._begun, self._reading
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse_to_read(self._fault or BadRequest("The request is not valid HTTP", debug=str(error)))
            return
        if self._reading is Reading.HEAD:
            self._bound_unfinished_head(len(data), was_reading, self._begun - begun_before)
        elif self._reading is Reading.BODY and was_reading is Reading.BODY:
            self._bound_framing(len(data))

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's closes in any case
        """A client that closes its half after a whole request still gets its answer."""
        if self._is_discarding or not self._unanswered:
            return False
        self._end_keep_alive()
        return True

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self.write_by = self.loop.time() + self._limits.stalled_seconds

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self.write_by = NEVER

    # What the parser tells.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._begun += 1
        self._reading = Reading.HEAD
        self._head_size = self._fed_to_head = 0
        if not self._unanswered:
            self.read_by = self.loop.time() + self._limits.head_seconds

    def on_url(self, url: bytes) -> None:
        """Some of the target."""
        super().on_url(url)
        self._bound_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field of the head, or of the trailer, which is not merged into the head.

        What the head says was judged by us and by proxies before us; RFC 9110 section 6.5.1 has good reasons.
        """
        if self._reading is not Reading.BODY:
            super().on_header(name, value)
        self._bound_head(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """Starts the application on a request whose head is acceptable."""
        method = self.parser.get_method().decode("ascii")
        if self.parser.should_upgrade() and method != "CONNECT":
            self._is_upgrading = True
            return
        version = self.parser.get_http_version()
        try:
            path, query = check_head(method, self.url, self.headers, version)
        except BadRequest as error:
            self._fault = error
            raise
        self._reading = Reading.BODY
        self._framing = 0
        self.read_by = self.loop.time() + self._limits.body_seconds
        text = path.decode("ascii")
        self.scope["method"] = method
        self.scope["http_version"] = version
        self.scope["path"] = unquote(text) if "%" in text else text
        self.scope["raw_path"] = path
        self.scope["query_string"] = query
        self._begin_cycle(is_persistent=version != "1.0" and self.parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._framing -= 9 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._is_upgrading:
            return
        self._reading = Reading.NOTHING
        self.read_by = NEVER
        if self.cycle is not None and self.cycle.response_complete:
            self._rest()
            return
        self._unanswered += 1
        self._register.serve(self)
        super().on_message_complete()

    # What the answer in progress tells.

    def response_started(self) -> None:
        """From here on the reader's pace is judged, not ours."""
        self.answer_by = NEVER

    def response_finished(self, cycle: Cycle) -> None:
        """Goes on with the next request, or waits for one."""
        self.server_state.total_requests += 1
        if not cycle.more_body:
            self._unanswered -= 1
        if self.transport.is_closing():
            return
        if not cycle.keep_alive:
            self._close(linger=cycle.more_body or self._is_discarding)
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start(self.pipeline.pop()[0])  # type: ignore[arg-type]  # only cycles of ours stand there
        elif not self._unanswered:
            self._rest()

    # What the server and the register tell.

    def shutdown(self) -> None:
        """The server drains: whole requests are answered, half-sent ones have a moment to arrive."""
        self._is_draining = True
        self._end_keep_alive()
        if self._unanswered or self._is_discarding:
            return
        if self._reading is Reading.NOTHING:
            self._close()
        else:
            self.read_by = min(self.read_by, self.loop.time() + self._limits.drain_grace_seconds)

    def expire(self, now: float) -> None:
        """A deadline has passed."""
        if self.write_by <= now or self._is_discarding:
            self.transport.abort()
        elif self.answer_by <= now:
            self._answer_instead(StorageUnavailable(debug="the request took too long"))
        elif self._reading is Reading.NOTHING or self._is_draining:
            self._close()
        else:
            self._refuse_to_read(RequestTimeout())

    def drop(self) -> None:
        """Makes room for another connection."""
        self.transport.abort()

    # Within.

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as pause:
                # No other protocol is spoken here, and RFC 9110 section 7.8 lets a server go on with this one. The
                # parser would take the body for the other protocol, so it gets the head again without the wish.
                data = self._head_without_upgrade() + data[pause.args[0] :]
                self._is_upgrading = False
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        start = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        fields = (b"%s: %s\r\n" % field for field in self.headers if field[0] != b"upgrade")
        return b"".join((start, *fields, b"\r\n"))

    def _begin_cycle(self, *, is_persistent: bool) -> None:
        before = self.cycle
        self.cycle = Cycle(
            self.scope,  # type: ignore[arg-type]  # a TypedDict is a mapping to ASGI applications
            self.transport,
            self.flow,
            self,
            self.server_state.default_headers,
            is_continue_expected=self.expect_100_continue,
            is_persistent=is_persistent and not self._is_draining,
        )
        if before is None or before.response_complete:
            self._start(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))  # type: ignore[arg-type]  # ours instead of uvicorn's

    def _start(self, cycle: Cycle) -> None:
        self.answer_by = self.loop.time() + self._limits.request_seconds
        self._start_asgi_task(cycle, self.app)  # type: ignore[arg-type]  # ours instead of uvicorn's

    def _rest(self) -> None:
        """Nothing is left to answer: the connection waits for the rest of a request, or for another one."""
        if self._is_draining and self._reading is Reading.NOTHING:
            self._close()
            return
        self._register.wait(self)
        seconds = {
            Reading.NOTHING: self._limits.idle_seconds,
            Reading.HEAD: self._limits.head_seconds,
            Reading.BODY: self._limits.body_seconds,
        }[self._reading]
        self.read_by = self.loop.time() + seconds

    def _end_keep_alive(self) -> None:
        for cycle in (self.cycle, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None:
                cycle.keep_alive = False

    def _bound_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._limits.head_bytes or len(self.headers) > self._limits.head_fields:
            self._fault = HeadersTooLarge()
            raise self._fault

    def _bound_unfinished_head(self, size: int, was_reading: Reading, begun: int) -> None:
        # Bytes of a field that is not complete have not been counted yet. What came together with the end of another
        # request cannot be told apart and is let pass once: a single read is bounded.
        if was_reading is not Reading.BODY and begun <= 1:
            self._fed_to_head += size
        if self._fed_to_head > self._limits.head_bytes:
            self._refuse_to_read(HeadersTooLarge())

    def _bound_framing(self, size: int) -> None:
        # Chunk extensions carry no data and could go on for ever.
        self._framing += size
        if self._framing > CHUNK_OVERHEAD:
            self._refuse_to_read(BadRequest("The chunks of the body are not acceptable"))

    def _refuse_to_read(self, error: AuthctlError) -> None:
        """What is being read will not become a request; those before it are still answered."""
        if self._unanswered:
            self._end_keep_alive()
            self._is_discarding = True
            self.read_by = NEVER
        else:
            self._answer_instead(error)

    def _answer_instead(self, error: AuthctlError) -> None:
        """Answers in place of the application."""
        cycle = self.cycle
        if self.transport.is_closing():
            return
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        elif self._reading is Reading.BODY:
            self._close()  # it has its answer; only the body that nobody needs is still missing
            return
        logger.debug("refused a request: %s (%s)", error.detail, error.debug)
        self.transport.write(self._own_answer(error))
        self._close(linger=True)

    def _own_answer(self, error: AuthctlError) -> bytes:
        request_id = secrets.token_hex(16)
        answer = problem(error, request_id)
        fields = (
            *self.server_state.default_headers,
            *self.server_state.fields,
            *(field for field in answer.fields if field[0] != b"connection"),
            (b"x-request-id", request_id.encode("ascii")),
            (b"content-type", answer.content_type or b""),
            (b"content-length", b"%d" % len(answer.body)),
            (b"connection", b"close"),
        )
        lines = (b"%s: %s\r\n" % field for field in fields)
        return b"".join((STATUS_LINES[answer.status], *lines, b"\r\n", answer.body))

    def _close(self, *, linger: bool = False) -> None:
        """Closes when what was written has left.

        linger  the client may still be sending: closing at once would reset the connection and destroy the answer on
                its way, so what comes is thrown away for a moment (RFC 9112 section 9.6)
        """
        now = self.loop.time()
        self.answer_by = NEVER
        if linger and self.transport.can_write_eof():
            self._is_discarding = True
            self.flow.resume_reading()
            self.transport.write_eof()
            self.read_by = now + self._limits.linger_seconds
            return
        self.read_by = NEVER
        self.write_by = now + self._limits.stalled_seconds
        self.transport.close()

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > self._limits.linger_bytes:
            self.transport.abort()
