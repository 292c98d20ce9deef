"""What an application may send, and what becomes of it when it does not keep to the rules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from authctl.server.http_cycle import Cycle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Application = Callable[[Any, Any, Any], Awaitable[None]]

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
BODY: dict[str, Any] = {"type": "http.response.body", "body": b"text"}


class Wire:
    """Transport, flow control and connection in one: keeps what is written and what is told."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.told: list[str] = []
        self.write_paused = False
        self.is_aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True

    async def drain(self) -> None:
        self.told.append("drained")
        self.write_paused = False

    def resume_reading(self) -> None:
        self.told.append("reading")

    def response_started(self) -> None:
        self.told.append("started")

    def response_finished(self, cycle: Cycle) -> None:
        self.told.append("finished")


def run(app: Application, wire: Wire | None = None, method: str = "GET", **changes: Any) -> tuple[Wire, Cycle]:
    """Runs an application on a request that is whole."""
    wire = wire or Wire()

    async def live() -> Cycle:
        scope = {"type": "http", "method": method, "headers": []}
        cycle = Cycle(scope, wire, wire, wire, [], is_continue_expected=False, is_persistent=True)  # type: ignore[arg-type]  # a wire is all three
        cycle.more_body = False
        for name, value in changes.items():
            setattr(cycle, name, value)
        await cycle.run_asgi(app)
        return cycle

    return wire, asyncio.run(live())


def sending(*messages: dict[str, Any]) -> Application:
    """An application that sends these messages."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def test_head_and_body_leave_in_one_write() -> None:
    wire, cycle = run(sending({**START, "headers": [(b"content-length", b"4"), (b"x", b"y")]}, BODY))
    assert wire.written == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx: y\r\n\r\ntext"]
    assert wire.told == ["started", "finished"]
    assert cycle.keep_alive


def test_a_body_of_unknown_length_is_chunked() -> None:
    wire, _ = run(sending(START, {**BODY, "more_body": True}, {"type": "http.response.body"}))
    assert b"".join(wire.written).endswith(b"transfer-encoding: chunked\r\n\r\n4\r\ntext\r\n0\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_is_not_chunked(status: int) -> None:
    wire, _ = run(sending({**START, "status": status}, {"type": "http.response.body"}))
    assert b"chunked" not in b"".join(wire.written)


def test_an_answer_to_head_has_its_length_and_no_body() -> None:
    wire, _ = run(sending({**START, "headers": [(b"content-length", b"4")]}, BODY), method="HEAD")
    assert wire.written == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"]


@pytest.mark.parametrize(("value", "is_kept"), [(b"close", False), (b"keep-alive", True)])
def test_an_application_may_end_the_connection(value: bytes, is_kept: bool) -> None:
    wire, cycle = run(sending({**START, "headers": [(b"connection", value)]}, BODY))
    assert cycle.keep_alive is is_kept
    assert b"".join(wire.written).count(b"connection: close") == (not is_kept)


def test_a_sender_waits_while_the_client_does_not_read() -> None:
    wire = Wire()
    wire.write_paused = True
    run(sending(START, BODY), wire)
    assert wire.told == ["drained", "started", "finished"]


def test_nothing_is_sent_to_a_client_that_has_left() -> None:
    wire, _ = run(sending(START, BODY), disconnected=True)
    assert wire.written == []


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (START,),
        (BODY,),
        (START, START),
        ({"type": "websocket.accept"},),
        ({**START, "headers": [(b"content-length", b"3")]}, BODY),
        ({**START, "headers": [(b"content-length", b"5")]}, BODY),
        ({**START, "headers": [(b"x", b"a\r\nb: c")]}, BODY),
        ({**START, "headers": [(b"X y", b"a")]}, BODY),
        ({**START, "headers": [(b"", b"a")]}, BODY),
    ],
)
def test_an_answer_against_the_rules_becomes_a_problem(messages: tuple[dict[str, Any], ...]) -> None:
    wire, cycle = run(sending(*messages))
    (written,) = wire.written
    head, _, body = written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert orjson.loads(body)["detail"] == "Something went wrong"
    assert not cycle.keep_alive
    assert cycle.response_complete


@pytest.mark.parametrize(
    "messages",
    [
        (START, {**BODY, "more_body": True}),
        (START, {**BODY, "more_body": True}, START),
    ],
)
def test_an_answer_against_the_rules_is_cut_off_when_some_of_it_has_left(messages: tuple[dict[str, Any], ...]) -> None:
    wire, cycle = run(sending(*messages))
    assert wire.is_aborted
    assert not cycle.response_complete


def test_what_comes_after_the_answer_changes_nothing() -> None:
    wire, cycle = run(sending(START, BODY, BODY))
    assert len(wire.written) == 1
    assert cycle.response_complete
    assert not wire.is_aborted


def test_a_cancelled_application_is_answered_for_with_503() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    wire, _ = run(app)
    assert wire.written[0].startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 2\r\n" in wire.written[0]


def test_a_receiver_is_told_that_the_answer_is_done() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await sending(START, BODY)(scope, receive, send)
        seen.append(await receive())

    run(app)
    assert seen == [{"type": "http.disconnect"}]
