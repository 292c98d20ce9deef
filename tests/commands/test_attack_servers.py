"""`authctl simulate attack` against servers that hardly are any."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from tests.commands.attacking import QUICK, run
from tests.virtual_authenticator.harness.listening import listening_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("reply", "expected", "message"),
    [
        ((200, {"content-type": "text/html"}, b"<title>Hello</title>"), 2, "came to no end"),
        ((302, {"location": "http://localhost/login"}, b""), 2, "redirected"),
        ((500, {"content-type": "text/plain"}, b"oops"), 2, "500"),
        ((200, {"content-type": "application/json"}, b'{"publicKey": 7}'), 2, "came to no end"),
        ((200, {"content-type": "application/json"}, b'{"publicKey": {"challenge": "AAAA", "rp": []}}'), 2, "no end"),
        ((200, {"content-type": "application/json"}, b"[" * 5000), 2, "came to no end"),
        ((429, {"retry-after": "3600"}, b""), 2, "limits the rate"),
    ],
)
def test_a_server_whose_options_are_none_cannot_be_tested(reply: Any, expected: int, message: str) -> None:
    with listening_server() as (fake, url):
        fake.answers["/register/begin"] = reply
        assert message in run("--url", url, *QUICK, expected=expected).stderr


@contextmanager
def socket_that(act: Any) -> Iterator[str]:
    """A server that does something to each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                act(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in kept:
            connection.close()


def test_a_server_that_hangs_up_is_out_of_reach() -> None:
    with socket_that(lambda connection: connection.close()) as url:
        assert "closed the connection" in run("--url", url, *QUICK, expected=6).stderr


def test_a_server_that_says_nothing_is_out_of_reach() -> None:
    with socket_that(lambda _: None) as url:
        assert "did not answer within 0.3 seconds" in run("--url", url, "--timeout", "0.3", expected=6).stderr


def test_a_server_that_speaks_authctls_language_is_attacked() -> None:
    """The fake keeps one challenge until the next one, also when it was used."""
    with listening_server() as (_, url):
        result = CliRunner().invoke(
            app, ["simulate", "attack", "--url", url, "--only", "cd.origin-*", "--format", "json"]
        )
    document = json.loads(result.stdout)
    assert (document["recipe"], document["server"]) == ("authctl", url)
    assert document["played"] == document["total"]
    assert result.exit_code == (1 if document["findings"] else 0)
