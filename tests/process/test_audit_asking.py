"""An analyst beside a running server: questions from here and from far away, and a trail that is followed."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.builders import Visitor
from tests.process.crowd import Connected
from tests.process.site import Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.process

ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
HOSTILE: Final = "=1+1|'\u202eevil\u200b \U000e0041".encode()
SECONDS: Final = 20.0
OFTEN: Final[dict[str, object]] = {
    "authctl.commands.audit.tail._SECONDS": 0.05,
    "authctl.commands.audit.tail._SECONDS_FAR_AWAY": 0.2,
}
"""How often a follower looks: as often as a test can wait."""


@contextmanager
def with_admin(directory: Path) -> Iterator[Site]:
    """A running server with an admin, whose token is in the file `token`."""
    with site(directory) as made:
        made.start()
        admin = Visitor(Connected(made.origin), "admin@example.com")
        admin.register()
        made.done("promote", admin.email)
        (made.directory / "token").write_text(admin.log_in())
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A server for one test."""
    with with_admin(tmp_path / "site") as made:
        yield made


@pytest.fixture(scope="module")
def hostile_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for those that only ask, which a hostile client has seen."""
    with with_admin(tmp_path_factory.mktemp("asked") / "site") as made:
        be_hostile(made)
        yield made


def asked(place: Site, *words: str) -> Any:
    return place.done("audit", *words)


def far(place: Site) -> tuple[str, ...]:
    return ("--url", place.origin, "--token-file", "token")


def be_hostile(place: Site) -> None:
    """A client whose name is a formula, hidden and turned around."""
    place.call("GET", "/users/me", headers={b"user-agent": HOSTILE})


@pytest.mark.parametrize(
    "question",
    [
        ("list", "--event", "!audit_query,!checkpoint"),
        ("list", "--event", "user_access", "--failure", "--order", "oldest"),
        ("list", "--ip", "127.0.0.0/8", "--agent", "EVIL", "--count-by", "event,success"),
        ("failed-logins",),
        ("multi-ip",),
        ("denied",),
        ("user", "admin@example.com", "--event", "login_complete,role_change"),
        ("tail", "--event", "!audit_query,!checkpoint", "-n", "3"),
    ],
    ids=lambda words: words[0],
)
def test_a_service_far_away_answers_as_the_database_does(question: tuple[str, ...], hostile_place: Site) -> None:
    here, there = asked(hostile_place, *question), asked(hostile_place, *question, *far(hostile_place))
    if question[0] == "denied":  # only the database knows whose record an id is
        here = [{**row, "target_email": None} for row in here]
    assert here == there


def test_what_a_hostile_client_sent_is_harmless_on_the_way_back(hostile_place: Site) -> None:
    """R-CL-01, V-42: through the real HTTP API, from the table and over HTTP."""
    for words in (("denied",), ("list",), ("summary",), ("denied", *far(hostile_place))):
        for output_format in ("table", "json", "csv"):
            finished = hostile_place.command("audit", *words, "--format", output_format)
            assert finished.returncode == 0, finished.stderr
            assert not ACTS.search(finished.stdout.replace("\r\n", "\n"))


def test_a_refusal_of_the_service_has_its_exit_number(place: Site) -> None:
    (place.directory / "bad").write_text("a.b.c")
    assert place.command("audit", "list", "--url", place.origin, "--token-file", "bad").returncode == 4
    Visitor(Connected(place.origin), "jane@example.com").register()
    assert place.command("audit", "list", "--url", place.origin + "/docs", "--token-file", "token").returncode == 6
    place.stop()
    assert place.command("audit", "list", *far(place)).returncode == 6


class Followed:
    """`authctl audit tail -f`, and what it has said so far."""

    def __init__(self, place: Site, *options: str) -> None:
        words = ("audit", "tail", "-f", "--format", "jsonl", *options)
        self.process = place.popen(*words, constants=OFTEN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.text = ""
        self.said = ""

    def until(self, word: str) -> None:
        """Reads until a word is there, or was said to the person."""
        out, said = self.process.stdout, self.process.stderr
        assert out is not None
        assert said is not None
        end = time.monotonic() + SECONDS
        while word not in self.text + self.said:
            assert time.monotonic() < end, f"no {word} in {self.text}{self.said}"
            ready = select.select([out, said], [], [], 0.2)[0]
            if out in ready:
                self.text += os.read(out.fileno(), 65536).decode()
            if said in ready:
                self.said += os.read(said.fileno(), 65536).decode()

    def types(self) -> list[str]:
        """The events so far; those that the trail makes for itself are left out."""
        rows = [json.loads(line) for line in self.text.splitlines()]
        return [row["event_type"] for row in rows if row["event_type"] != "checkpoint"]

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; the exit number and what was said to the person."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, self.said + said.decode()


def test_a_followed_trail_survives_rotation_restarts_an_absence_and_a_reset(place: Site) -> None:
    followed = Followed(place, "-n", "1")
    followed.until("login_complete")
    (place.directory / "app.log").rename(place.directory / "app.log.1")
    be_hostile(place)
    followed.until("not_authenticated")
    place.stop()
    followed.until("server_stop")
    place.database.rename(place.directory / "elsewhere.db")
    followed.until("waiting for it")
    (place.directory / "elsewhere.db").rename(place.database)
    place.start()
    followed.until("server_start")
    assert place.command("reset", "--yes").returncode == 0
    followed.until("database_reset")
    Visitor(Connected(place.origin), "new@example.com").register()
    followed.until("registration_complete")
    number, said = followed.interrupt()
    assert number == 130
    assert said.count("waiting for it") == 1
    assert said.count("It is back.") == 1
    assert followed.types() == [
        "login_complete",
        "user_access",
        "server_stop",
        "server_start",
        "database_reset",
        "registration_begin",
        "registration_complete",
    ]
    assert len(set(followed.text.splitlines())) == len(followed.text.splitlines())


def test_a_service_far_away_is_followed_without_the_looks_of_the_follower(place: Site) -> None:
    followed = Followed(place, "-n", "1", *far(place))
    followed.until("login_complete")
    be_hostile(place)
    followed.until("not_authenticated")
    assert followed.interrupt()[0] == 130
    assert followed.types() == ["login_complete", "user_access"]


def test_a_follower_ends_when_nobody_reads_any_more(place: Site) -> None:
    followed = Followed(place, "-n", "1")
    followed.until("login_complete")
    assert followed.process.stdout is not None
    followed.process.stdout.close()
    be_hostile(place)
    assert followed.process.wait(SECONDS) == 0
    assert followed.process.stderr is not None
    followed.process.stderr.close()
