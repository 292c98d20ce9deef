"""Messages as commands for a shell (SPEC §11): a shell takes every word as it stands, and secrets are marked."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from authctl.virtual_authenticator.harness.curl import Ending, script
from authctl.virtual_authenticator.harness.transcript import Exchange, Held, Recorder
from authctl.virtual_authenticator.harness.transport import Answer, Request

URL = "http://localhost:8000"


def exchange(
    request: Request,
    body: bytes = b"{}",
    *,
    status: int = 200,
    cookies: tuple[str, ...] = (),
    step: str = "login: begin",
) -> Exchange:
    answer = Answer(request, status, {"content-type": "application/json"}, body, 0.01, cookies)
    return Exchange(request, answer, step)


def words_of(lines: list[str]) -> list[list[str]]:
    """What each curl of a script is called with, as bash has it."""
    shim = "curl() { printf '%s\\0' \"$@\"; printf '\\1'; }\n"
    done = subprocess.run(["bash", "-c", shim + "\n".join(lines)], capture_output=True, check=True, timeout=20)
    assert done.stderr == b""
    calls = done.stdout.decode(errors="surrogateescape").split("\1")[:-1]
    return [call.split("\0")[:-1] for call in calls]


@pytest.mark.parametrize(
    "content",
    [
        b'{"name":"O\'Brien"}',
        b'{"name":"$(touch /tmp/x) `id` \\n !! \\"x\\""}',
        '{"name":"Zoë 日本 \u202e\'\\\\"}'.encode(),
        b"a=1&b=\x02\x7f",
        b"line\nline\r\n\t'",
        b"@/etc/passwd",
        b"",
    ],
)
def test_a_shell_takes_a_body_as_it_stands(content: bytes) -> None:
    request = Request("POST", "/login/begin", headers={"Content-Type": "text/plain"}, content=content)
    (words,) = words_of(script([exchange(request)], URL))
    assert words[words.index("--data-raw") + 1].encode(errors="surrogateescape") == content
    assert words[: words.index("-X") + 3][-2:] == ["POST", f"{URL}/login/begin"]
    assert "Content-Type: text/plain" in words


def test_nothing_in_a_script_acts_on_a_terminal() -> None:
    request = Request("POST", "/x?q='", {"name": "\x1b[31m\u202e\n"})
    lines = script([exchange(request, b"\x1b]0;x\x07\n<html>\n$(id)")], URL)
    assert all(line.split(" ")[0] == "#" or line.isascii() for line in lines)
    assert "\n" not in "".join(lines)
    (words,) = words_of(lines)
    assert words[words.index("--data-raw") + 1] == '{"name":"\\u001b[31m\\u202e\\n"}'


def test_a_token_is_a_variable_and_stands_nowhere_else() -> None:
    """R-CL: secrets are marked."""
    begun = Request("POST", "/login/complete", {"assertion": {}})
    answer = (
        b'{"access_token":"ey.J.x","token_type":"bearer","user":{"refresh_token":"ey.J.x"},'
        b'"all":[{"tokens":["ey.J.x"]}]}'
    )
    read = Request("GET", "/users/me", headers={"Authorization": "Bearer ey.J.x"})
    again = Request("GET", "/users/1", headers={"authorization": "Bearer ey.J.x"})
    lines = script([exchange(begun, answer), exchange(read), exchange(again)], URL)
    assert [line for line in lines if "ey.J.x" in line] == [
        "token=ey.J.x  # secret: whoever has it is this person until it expires"
    ]
    assert '"token_type":"bearer"' in "\n".join(lines)
    assert [words[-1] for words in words_of(lines)[1:]] == [
        "Authorization: Bearer ey.J.x",
        "authorization: Bearer ey.J.x",
    ]


def test_cookies_go_through_a_jar() -> None:
    begun = exchange(Request("POST", "/begin", {}), cookies=("sid=1",))
    completed = exchange(Request("POST", f"{URL}/complete", {}, headers={"Cookie": "sid=1"}))
    lines = script([begun, completed], URL)
    assert lines[2] == "jar=$(mktemp)  # secret: the cookies of this browser"
    for words in words_of(["jar=here", *lines[3:]]):
        assert (words[words.index("-b") + 1], words[words.index("-c") + 1]) == ("here", "here")
        assert not [word for word in words if word.startswith("Cookie")]


def test_an_answer_is_told_as_a_remark_however_it_looks() -> None:
    request = Request("DELETE", "https://elsewhere.example/x")
    long = script([exchange(request, b"x" * 5000, step="")], URL)
    assert long[3] == "# request"
    assert len(max(long, key=len)) < 700
    assert script([Exchange(request, None)], URL)[-1] == "# no answer"
    assert script([exchange(request, b"", status=204)], URL)[-1] == "# 204 application/json"
    assert words_of(long)[0][-3:] == ["https://elsewhere.example/x", "-H", "Accept: application/json"]


@pytest.mark.parametrize(
    ("ending", "calls"),
    [
        (Ending(), 1),
        (Ending(("a", "0", "it's")), 1),
        (Ending(("access_token",), Request("GET", "/me", headers={"Authorization": "Bearer any"})), 2),
    ],
)
def test_what_was_held_is_the_only_thing_that_is_sent(ending: Ending, calls: int) -> None:
    held = Request("POST", "/login/complete", {"assertion": "x"}, headers={"Cookie": "sid=a b; x=y"})
    lines = script([exchange(Request("POST", "/login/begin", {})), Exchange(held, None)], URL, ending)
    assert [line for line in lines if line.startswith(("curl", "token=$(curl"))]
    assert sum(line.lstrip("token=$(").startswith("curl") for line in lines) == calls
    assert "# login: begin: POST http://localhost:8000/login/begin" in lines
    printf = [line for line in lines if line.startswith("printf")]
    assert printf[0].endswith("localhost FALSE / FALSE 0 sid 'a b' >> \"$jar\"")
    assert printf[1].endswith('localhost FALSE / FALSE 0 x y >> "$jar"')
    checked = subprocess.run(["bash", "-n", "-c", "\n".join(lines)], capture_output=True, check=False, timeout=20)
    assert (checked.returncode, checked.stderr) == (0, b"")


class Echo:
    """A Channel that answers everything."""

    def __init__(self) -> None:
        self.is_open = False

    def __enter__(self) -> Echo:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.is_open = False

    def send(self, request: Request) -> Answer:
        if request.path == "/broken":
            raise OSError
        return Answer(request, 200, {}, b"", 0.0)


def test_a_recorder_keeps_what_was_sent_with_what_it_was_for() -> None:
    echo = Echo()
    with Recorder(echo, URL) as recorder:
        assert echo.is_open
        recorder.send(Request("GET", "/a"))
        recorder.send(Request("GET", "/b"))
        recorder.name("begin")
        with pytest.raises(OSError, match=r"^$"):
            recorder.send(Request("GET", "/broken"))
        recorder.name("complete")
        recorder.hold()
        with pytest.raises(Held):
            recorder.send(Request("GET", "/c"))
    assert not echo.is_open
    told: list[Any] = [(each.request.path, each.step, each.answer is None) for each in recorder.exchanges]
    assert told == [
        ("/a", "begin", False),
        ("/b", "begin", False),
        ("/broken", "complete", True),
        ("/c", "", True),
    ]
    recorder.close()
