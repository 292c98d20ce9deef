"""R-IN-02: a head that can be read in two ways is refused."""

from __future__ import annotations

import pytest

from authctl.errors import BadRequest
from authctl.server.http.framing import check_head

HOST = (b"host", b"localhost:8000")


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"/", (b"/", b"")),
        (b"/users/me?a=b?c", (b"/users/me", b"a=b?c")),
        (b"//evil.example/x", (b"//evil.example/x", b"")),
        (b"/%2e%2e/x", (b"/%2e%2e/x", b"")),
        (b"http://localhost:8000", (b"/", b"")),
        (b"HTTP://LOCALHOST:8000/users?x", (b"/users", b"x")),
        (b"http://localhost:8000?x", (b"/", b"x")),
    ],
)
def test_a_target_is_split_into_path_and_query(target: bytes, parts: tuple[bytes, bytes]) -> None:
    assert check_head("GET", target, [HOST], "1.1") == parts


def test_an_asterisk_is_a_target_of_options_alone() -> None:
    assert check_head("OPTIONS", b"*", [HOST], "1.1") == (b"*", b"")
    with pytest.raises(BadRequest):
        check_head("GET", b"*", [HOST], "1.1")


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"users",
        b"/a#b",
        b"/caf\xc3\xa9",
        b"/a b",
        b"/\x7f",
        b"http://evil.example/",
        b"ftp://localhost:8000/",
        b"localhost:8000",
    ],
)
def test_a_target_is_refused_when_it_is_no_path_of_this_host(target: bytes) -> None:
    with pytest.raises(BadRequest):
        check_head("GET", target, [HOST], "1.1")


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [HOST, HOST],
        [(b"host", b"")],
        [(b"host", b"localhost/path")],
        [(b"host", b"user@localhost")],
        [(b"host", b"localhost:port")],
        [(b"host", b"local host")],
        [(b"host", b"localhost, evil.example")],
        [(b"host", b"localhost:123456")],
        [(b"host", b"[::1")],
    ],
)
def test_a_request_is_refused_when_it_has_not_exactly_one_proper_host(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadRequest, match="Host"):
        check_head("GET", b"/", fields, "1.1")


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:1", b"127.0.0.1:8000", b"[::1]:8000", b"a-b.example"])
def test_a_proper_host_is_accepted(host: bytes) -> None:
    assert check_head("GET", b"/", [(b"host", host)], "1.1") == (b"/", b"")


@pytest.mark.parametrize(
    "fields",
    [
        [(b"content-length", b"1"), (b"content-length", b"1")],
        [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"+1")],
        [(b"content-length", b"1, 1")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"9" * 20)],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"identity")],
    ],
)
def test_a_request_is_refused_when_the_length_of_its_body_is_not_clear(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadRequest):
        check_head("POST", b"/", [HOST, *fields], "1.1")


def test_a_chunked_body_is_refused_when_the_version_knows_none() -> None:
    chunked = (b"transfer-encoding", b"Chunked")
    assert check_head("POST", b"/", [HOST, chunked], "1.1")
    with pytest.raises(BadRequest):
        check_head("POST", b"/", [HOST, chunked], "1.0")


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0"])
def test_another_version_is_refused(version: str) -> None:
    with pytest.raises(BadRequest, match="version"):
        check_head("GET", b"/", [HOST], version)


def test_a_tunnel_is_refused() -> None:
    with pytest.raises(BadRequest, match="proxy"):
        check_head("CONNECT", b"localhost:8000", [HOST], "1.1")
