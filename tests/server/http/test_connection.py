"""R-IN-01, R-IN-02, R-ER-02: what the server itself refuses, byte by byte on real sockets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from authctl.server.connection_limits import ConnectionLimits
from authctl.settings import load_settings
from tests.server.http.raw import GET, HEAD, Echo, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.http.raw import Running

KIB = 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = load_settings(environ={}, cwd=tmp_path_factory.mktemp("server"))
    with running(Echo(), settings, ConnectionLimits(linger_seconds=0.3)) as server:
        yield server


def post(path: bytes, body: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (path, len(body), body)


def chunked(path: bytes, chunks: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%s" % (path, chunks)


def test_a_request_is_answered_on_a_connection_that_stays_open(server: Running) -> None:
    with server.client() as client:
        for number in range(3):
            client.send(post(b"/%d" % number, b"body"))
            reply = client.reply()
            assert (reply.status, reply.body) == (200, b"POST /%d body" % number)
            assert "connection" not in reply.fields


def test_answers_do_not_name_the_server(server: Running) -> None:
    """R-ER-01."""
    reply = server.ask(GET)
    assert "server" not in reply.fields
    assert "date" in reply.fields


def test_a_request_is_answered_when_it_comes_byte_by_byte(server: Running) -> None:
    with server.client() as client:
        for byte in post(b"/x", b"ab"):
            client.send(bytes([byte]))
        assert client.reply().body == b"POST /x ab"


def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    with server.client() as client:
        client.send(post(b"/1", b"a") + post(b"/2", b"b") + GET + post(b"/stream", b"c"))
        bodies = [client.reply().body for _ in range(4)]
    assert bodies == [b"POST /1 a", b"POST /2 b", b"GET / ", b"POST /stream c"]


def test_the_connection_ends_after_the_answer_when_the_client_asks_for_it(server: Running) -> None:
    with server.client() as client:
        client.send(HEAD + b"Connection: close\r\n\r\n")
        assert client.reply().fields["connection"] == "close"
        assert client.is_closed()


def test_the_connection_ends_after_the_answer_when_the_version_is_old(server: Running) -> None:
    with server.client() as client:
        client.send(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert client.reply().status == 200
        assert client.is_closed()


def test_a_client_is_answered_when_it_has_closed_its_half(server: Running) -> None:
    with server.client() as client:
        client.send(post(b"/half-closed", b"x"))
        client.socket.shutdown(1)
        assert client.reply().body == b"POST /half-closed x"
        assert client.is_closed()


def test_a_chunked_body_is_put_together(server: Running) -> None:
    reply = server.ask(chunked(b"/c", b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n"))
    assert reply.body == b"POST /c abcde"


TRAILER = b"1\r\nx\r\n0\r\nX-Forwarded-For: 192.0.2.66\r\nAuthorization: Bearer x\r\nHost: evil\r\n\r\n"


def test_a_trailer_is_not_taken_for_a_part_of_the_head(server: Running) -> None:
    """R-CF-05: the last line of X-Forwarded-For would be believed, and proxies pass trailers on unseen."""
    with server.client() as client:
        client.send(chunked(b"/head", TRAILER) + GET)
        assert client.reply().body == b"host transfer-encoding"
        assert client.reply().body == b"GET / "


def test_an_endless_trailer_is_refused(server: Running) -> None:
    """R-IN-02."""
    with server.client() as client:
        client.send(chunked(b"/", b"0\r\n"))
        with suppress(ConnectionError):
            for _ in range(300):
                client.send(b"X-Field: %s\r\n" % (b"x" * 100))
        assert client.reply().status == 431
        assert client.is_closed()


def test_the_client_is_told_to_go_on_when_it_waits_for_that(server: Running) -> None:
    with server.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.file.readline() == b"HTTP/1.1 100 Continue\r\n"
        client.file.readline()
        client.send(b"ok")
        assert client.reply().body == b"POST / ok"


def test_the_answer_to_head_has_no_body(server: Running) -> None:
    with server.client() as client:
        client.send(GET.replace(b"GET", b"HEAD") + GET)
        assert client.reply(to="HEAD").status == 200
        assert client.reply().body == b"GET / "


@pytest.mark.parametrize("body", [b"", b"hello"])
def test_a_wish_for_another_protocol_is_ignored(server: Running, body: bytes) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    with server.client() as client:
        client.send(post(b"/u", body).replace(b"\r\n\r\n", b"\r\n" + upgrade + b"\r\n", 1) + GET)
        assert client.reply().body == b"POST /u " + body
        assert client.reply().body == b"GET / "


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x1bb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX y: a\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /#x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET /\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\xff" * 100,
    ],
)
def test_a_message_is_refused_when_it_is_not_clearly_one_request(server: Running, head: bytes) -> None:
    with server.client() as client:
        client.send(head)
        reply = client.reply()
        assert reply.status == 400
        assert reply.problem["instance"] == reply.fields["x-request-id"]
        assert reply.fields["connection"] == "close"
        assert reply.fields["x-content-type-options"] == "nosniff"
        assert client.is_closed()


def test_heads_are_accepted_up_to_their_limit_and_refused_beyond(server: Running) -> None:
    """F-18."""
    padding = 16 * KIB - len(b"/") - len(b"Hostlocalhost") - len(b"X") - 8
    assert server.ask(HEAD + b"X: " + b"a" * padding + b"\r\n\r\n").status == 200
    reply = server.ask(HEAD + b"X: " + b"a" * (padding + 1) + b"\r\n\r\n")
    assert (reply.status, reply.problem["title"]) == (431, "Request header fields too large")


@pytest.mark.parametrize("count", [100, 101])
def test_a_hundred_fields_are_accepted_and_no_more(server: Running, count: int) -> None:
    reply = server.ask(HEAD + b"".join(b"X%d: 1\r\n" % number for number in range(count - 1)) + b"\r\n")
    assert reply.status == (200 if count == 100 else 431)


@pytest.mark.parametrize(
    "start",
    [HEAD + b"X: ", HEAD + b"X", b"GET /", HEAD + b"X: 1\r\n" * 5000, b"G"],
    ids=["value", "name", "target", "fields", "method"],
)
def test_an_endless_head_is_refused_while_it_comes(server: Running, start: bytes) -> None:
    with server.client() as client:
        client.send(start)
        sent = 0
        try:
            while sent < 4 * KIB * KIB:
                client.send(b"a" * 4 * KIB)
                sent += 4 * KIB
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 4 * KIB * KIB


def test_an_unfinished_head_is_refused_with_an_answer(server: Running) -> None:
    with server.client() as client:
        client.send(HEAD + b"X: " + b"a" * 10 * KIB)
        client.send(b"a" * 10 * KIB)
        assert client.reply().status == 431


def test_a_large_body_and_the_head_behind_it_are_not_taken_for_a_large_head(server: Running) -> None:
    with server.client() as client:
        client.send(post(b"/1", b"x" * 60 * KIB) + HEAD)
        assert client.reply().status == 200
        client.send(b"\r\n")
        assert client.reply().body == b"GET / "


def test_chunk_extensions_are_refused_when_they_go_on_for_ever(server: Running) -> None:
    """A-10."""
    with server.client() as client:
        client.send(chunked(b"/", b"1;"))
        for _ in range(100):
            client.send(b"x" * 4 * KIB)
        assert client.reply().status == 400
        assert client.is_closed()


def test_one_byte_chunks_are_accepted(server: Running) -> None:
    body = b"1\r\nx\r\n" * 20_000
    assert len(server.ask(chunked(b"/", body + b"0\r\n\r\n")).body) == 20_000 + len(b"POST / ")


def test_requests_before_a_malformed_one_are_answered(server: Running) -> None:
    with server.client() as client:
        client.send(GET + b"\x00garbage")
        assert client.reply().status == 200
        assert client.is_closed()


def test_an_early_answer_to_a_small_body_keeps_the_connection(server: Running) -> None:
    with server.client() as client:
        client.send(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        assert client.reply().body == b"POST /early "
        client.send(b"12345" + GET)
        assert client.reply().body == b"GET / "


@pytest.mark.parametrize(
    "length", [b"Content-Length: 100000000", b"Transfer-Encoding: chunked"], ids=["declared", "chunked"]
)
def test_an_early_answer_to_a_large_body_reaches_the_client_and_ends_the_connection(
    server: Running, length: bytes
) -> None:
    """R-IN-01: the answer is not lost to a reset although the client is still sending."""
    with server.client() as client:
        client.send(b"POST /early HTTP/1.1\r\nHost: localhost\r\n" + length + b"\r\n\r\n")
        client.send(b"5\r\nxxxxx\r\n" * 1000)
        reply = client.reply()
        assert (reply.status, reply.fields["connection"]) == (200, "close")
        assert client.is_closed()


@pytest.mark.parametrize("path", [b"/raise", b"/nothing"])
def test_an_application_that_fails_is_answered_for(server: Running, path: bytes) -> None:
    with server.client() as client:
        client.send(HEAD.replace(b"/", path, 1) + b"\r\n")
        reply = client.reply()
        assert (reply.status, reply.problem["title"]) == (500, "Internal server error")
        assert client.is_closed()


def test_an_answer_that_has_begun_is_cut_off_when_the_rest_of_the_question_is_malformed(server: Running) -> None:
    with server.client() as client:
        client.send(chunked(b"/talk", b"1\r\nx\r\n"))
        assert client.file.readline().startswith(b"HTTP/1.1 200")
        client.send(b"zz\r\n")
        assert b"400" not in client.rest()


def test_a_conversation_is_possible(server: Running) -> None:
    with server.client() as client:
        client.send(chunked(b"/talk", b"1\r\nx\r\n"))
        assert client.file.readline().startswith(b"HTTP/1.1 200")
        client.send(b"0\r\n\r\n")
        rest = client.rest()
        assert b"so far" in rest
        assert b"POST /talk x" in rest


def test_an_answer_is_cut_off_when_the_application_fails_within(server: Running) -> None:
    with server.client() as client:
        client.send(HEAD.replace(b"/", b"/half", 1) + b"\r\n")
        assert client.file.readline().startswith(b"HTTP/1.1 200")
        assert not client.rest().endswith(b"0\r\n\r\n")
