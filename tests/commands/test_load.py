"""`simulate load`: what is asked for, what is shown, and how it ends (SPEC §11)."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.commands._output import Format, Output
from authctl.commands.simulate.load import _live, _own_process, _showing
from authctl.commands.simulate.load._aiming import Aim
from authctl.commands.simulate.load._loading import load
from authctl.errors import Refused
from authctl.virtual_authenticator.harness.load import runner
from authctl.virtual_authenticator.harness.load.events import Ended, Event, Preparing, Running
from authctl.virtual_authenticator.harness.load.gauge import ClientCost
from authctl.virtual_authenticator.harness.load.plan import Operation, Plan
from authctl.virtual_authenticator.harness.load.recording import Failure, Kind, Recording, Sample, Snapshot
from authctl.virtual_authenticator.harness.load.report import Report
from tests.virtual_authenticator.harness.load.quick_server import QuickServer, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

QUICK = ("--count", "8", "--users", "3", "-c", "2", "--seed", "a")
HTML = (200, {"content-type": "text/html"}, b"<title>Welcome \x1b[2J</title>")
FREE = ClientCost(0.1, 10.0)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHCTL_DEBUG", "AUTHCTL_PASSKEYS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def quick() -> QuickServer:
    return QuickServer()


@pytest.fixture
def url(quick: QuickServer) -> Iterator[str]:
    with listening(quick) as address:
        yield address


def run(*words: str, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, ["simulate", "load", *words])
    assert result.exit_code == expected, result.output
    assert "Traceback" not in result.output
    return result


def answer(*words: str, expected: int = 0) -> Any:
    return json.loads(run(*words, "--format", "json", expected=expected).stdout)


# The answer.


def test_our_own_service_is_loaded_in_a_process_of_its_own() -> None:
    shown = answer(*QUICK, "--mix", "login=2,register=1,read=1")
    assert shown["server"] == "authctl's own service for this load, as a process of its own and without limits"
    assert (shown["succeeded"], shown["failed"], shown["model"]) == (8, 0, "closed")
    assert {row["operation"] for row in shown["operations"]} == {"all", "login", "register", "read"}
    assert shown["client"]["cpu_share"] > 0
    assert shown["server_cpu_ms_per_operation"] >= 0
    assert sum(bar["count"] for bar in shown["histogram"]) == 8


def test_a_person_is_told_how_fast_and_how(url: str) -> None:
    result = run("--url", url, *QUICK)
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"[\d.]+ operations per second for [\d.]+ s: 8 succeeded, none failed", lines[0])
    assert lines[1].startswith("Closed model: 2 at a time")
    assert lines[3].split() == [*("Operation", "OK", "Failed", "Per", "s", "p50", "p90", "p95", "p99", "p99.9", "max")]
    assert lines[4].split()[:3] == ["login", "8", "0"]
    assert [line[:14].rstrip() for line in lines[5:8]] == ["  begin", "  sign (own)", "  complete"]
    assert re.match(r"Client: \d+% of one core, [\d.]+ ms per operation; lag [\d.]+ ms", lines[-1])


def test_rows_are_written_for_programs(url: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--url", url, *QUICK, "--format", "csv").stdout)))
    assert [(row["operation"], row["step"], row["is_client"]) for row in rows] == [
        ("login", "", "false"),
        ("login", "begin", "false"),
        ("login", "sign", "true"),
        ("login", "complete", "false"),
    ]
    assert all(float(row["p99.9_ms"]) > 0 for row in rows)
    assert len(run("--url", url, *QUICK, "--format", "jsonl").stdout.splitlines()) == 4


def test_people_are_kept_in_a_private_file_when_one_is_named(quick: QuickServer, url: str, place: Path) -> None:
    """R-CL-05: what logs in is for its owner alone."""
    file = place / "people.json"
    run("--url", url, *QUICK, "--passkeys", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert quick.asked["/register/complete"] == 3
    run("--url", url, *QUICK, "--passkeys", str(file))
    assert quick.asked["/register/complete"] == 3
    run("--url", url, "--count", "4", "-c", "2", "--passkeys", str(file), "--users", "5")
    assert quick.asked["/register/complete"] == 5
    quick.passkeys = dict.fromkeys(quick.passkeys, "AAAA")
    told = run("--url", url, *QUICK, "--passkeys", str(file), expected=1).stderr
    assert "Are the passkeys that were kept those of this server?" in told
    file.chmod(0o644)
    assert "chmod" in run("--url", url, *QUICK, "--passkeys", str(file), expected=5).stderr


def test_another_makers_server_is_loaded_by_its_recipe(url: str, place: Path) -> None:
    recipe = place / "mine.toml"
    run_recipe = CliRunner().invoke(app, ["simulate", "recipe", "show", "authctl"])
    recipe.write_text(run_recipe.stdout)
    shown = answer("--target", str(recipe), "--url", url, *QUICK, "--mix", "read=1")
    assert [row["operation"] for row in shown["operations"]] == ["read"]
    lines = [line for line in run_recipe.stdout.splitlines() if not line.startswith("profile")]
    recipe.write_text("\n".join(lines))
    words = ("--target", str(recipe), "--url", url, *QUICK, "--mix", "login=1,read=1")
    assert "profile = { url" in run(*words, expected=2).stderr


# What goes wrong.


@pytest.mark.parametrize(
    ("words", "expected", "message"),
    [
        (["--mix", "logins=1"], 2, "'logins' is none of login, register, read"),
        (["--users", "3"], 2, "--users 10"),
        (["--passkeys", "people.json"], 2, "--url names one that stays"),
        (["--url", "ftp://x"], 2, "is not the address of a server"),
        (["--url", "http://example.com"], 2, "--i-am-allowed-to-test example.com"),
        (["--target", "simplewebauthm"], 2, "Did you mean simplewebauthn?"),
        (["--concurrency", "0"], 2, "--concurrency"),
        (["--rate", "0"], 2, "--rate"),
        (["--url", "http://localhost:1"], 6, "Nothing answers"),
    ],
)
def test_an_option_that_makes_no_sense_is_explained(words: list[str], expected: int, message: str) -> None:
    assert message in run(*words, expected=expected).stderr


@pytest.mark.parametrize(
    ("reply", "expected", "message"),
    [
        (HTML, 1, "There are no options"),
        ((302, {"location": "/login"}, b""), 1, "redirected"),
        ((500, {}, b"oops"), 1, "answered 500 oops"),
        ((403, {}, b'{"code": "no"}'), 1, "answered 403 no"),
        ((429, {"retry-after": "3600"}, b""), 1, "limits the rate"),
        ((0, {}, b""), 6, "closed the connection"),
    ],
)
def test_a_server_that_accepts_nobody_is_told(
    quick: QuickServer, url: str, reply: Any, expected: int, message: str
) -> None:
    quick.instead = lambda path, _: reply if path == "/register/begin" else None
    assert message in run("--url", url, *QUICK, expected=expected).stderr


def test_a_server_that_hangs_is_out_of_reach(quick: QuickServer, url: str) -> None:
    gate = threading.Event()
    quick.instead = lambda *_: gate.wait(10) and None  # type: ignore[assignment]
    assert "did not answer within 0.2 seconds" in run("--url", url, "--timeout", "0.2", expected=6).stderr
    gate.set()


def test_failures_are_told_with_the_first_of_each(quick: QuickServer, url: str) -> None:
    quick.instead = lambda path, number: HTML if path == "/login/complete" and number > 4 else None
    result = run("--url", url, *QUICK, expected=1)
    assert "3 succeeded, 5 failed" in result.stdout
    (told,) = [line for line in result.stdout.splitlines() if line.startswith("inconclusive")]
    assert told.split()[:3] == ["inconclusive", "5", "complete"]
    assert "Welcome \\x1b[2J" in told


def test_limits_are_told_with_the_way_out(quick: QuickServer, url: str) -> None:
    limited = (429, {"retry-after": "1"}, b"")
    quick.instead = lambda path, number: limited if path == "/login/complete" and number == 9 else None
    assert "RATE_LIMITS=off" in run("--url", url, *QUICK, expected=1).stderr


def test_a_server_that_dies_in_the_middle_is_out_of_reach(
    quick: QuickServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_GONE_SECONDS", 0.2)
    quick.instead = lambda path, number: (0, {}, b"") if path.startswith("/login") and number > 4 else None
    result = run("--url", url, "--duration", "60", "-c", "2", "--users", "2", "--timeout", "1", expected=6)
    assert "stopped: nothing answers any more" in result.stderr
    assert "crashed" in result.stdout


def test_nothing_measured_is_no_success(quick: QuickServer, url: str) -> None:
    shown = run(
        "--url", url, "--users", "1", "-c", "1", "--rate", "0.01", "--ramp", "1", "--duration", "0.1", expected=2
    )
    assert "nothing was measured" in shown.stderr
    assert "0.0 operations per second" in shown.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_is_interrupted_tells_what_it_has(quick: QuickServer, url: str, number: signal.Signals) -> None:
    def instead(path: str, asked: int) -> None:
        if path == "/login/complete" and asked == 20:
            os.kill(os.getpid(), number)

    quick.instead = instead
    result = run("--url", url, "--duration", "60", expected=130)
    assert "stopped: interrupted" in result.stderr
    assert "succeeded, none failed" in result.stdout


def test_a_load_that_is_interrupted_before_it_begins_says_so(quick: QuickServer, url: str) -> None:
    quick.instead = lambda path, _: os.kill(os.getpid(), signal.SIGINT) if path == "/register/complete" else None
    assert "stopped: interrupted" in run("--url", url, "--duration", "60", expected=130).stderr


def test_whoever_interrupts_twice_does_not_wait(quick: QuickServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_HURRIED_SECONDS", 60.0)
    gate = threading.Event()

    def instead(path: str, asked: int) -> None:
        if path == "/login/complete" and asked == 5:
            # Two of them at once would be one.
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                gate.wait(0.3)
            gate.wait(10)

    quick.instead = instead
    assert run("--url", url, "--duration", "60", expected=130).stdout == ""
    gate.set()


# The service of our own.


def test_a_service_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_own_process, "_SETTINGS", {"RATE_LIMITS": "nonsense"})
    with (
        pytest.raises(Refused, match=r"did not start: .*RATE_LIMITS"),
        _own_process.own_service(threading.Event()),
    ):
        """Never gets here."""


def test_what_a_service_has_used_is_told_where_the_system_knows(tmp_path: Path) -> None:
    used = _own_process.OwnService("http://x", os.getpid()).cpu
    assert used is not None
    assert used() > 0
    assert _own_process.OwnService("http://x", 2**30).cpu is None
    assert _own_process._cpu_seconds(tmp_path / "gone") == 0.0


def test_nobody_waits_for_a_service_when_interrupted() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(KeyboardInterrupt), _own_process.own_service(stop):
        """Never gets here."""


# What is seen while it runs.


def snapshot(number: int = 3, *, failed: bool = False) -> Snapshot:
    recording = Recording(0.0)
    failure = Failure(Kind.REFUSED, "complete", "why") if failed else None
    for place in range(number):
        recording.record(Sample(Operation.LOGIN, 0.0, 0.01 * (place + 1), (("begin", 0.01),), failure))
    return recording.snapshot()


EVENTS: tuple[Event, ...] = (
    Preparing(1, 2),
    Running(Snapshot({}, unmeasured=7), 0.0),
    Running(snapshot(), 1.0),
    Running(snapshot(5), 2.0),
    Running(snapshot(2, failed=True), 3.0),
    Ended(Report(Plan(), Snapshot({}), 0.0, FREE)),
)


def test_a_line_is_said_now_and_then_where_nobody_draws(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(_live, "_EVERY_SECONDS", 0.0)
    with _live.watched(Output(Format.TABLE), Plan()) as watch:
        for event in EVENTS[:5]:
            watch(event)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "set-up: 1 of 2 people are ready"
    assert lines[1] == "growing: 7 operations"
    assert re.fullmatch(r"1 s  3\.0/s  p50 20\.\d ms  p95 30\.0 ms  p99 30\.0 ms  3 succeeded, none failed", lines[2])
    assert lines[3].startswith("2 s  2.0/s")
    assert lines[4].endswith("0 succeeded, 2 failed")
    monkeypatch.setattr(_live, "_EVERY_SECONDS", 1000.0)
    with _live.watched(Output(Format.TABLE), Plan()) as watch:
        watch(EVENTS[0])
    with _live.watched(Output(Format.JSON), Plan()) as watch:
        watch(EVENTS[0])
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("plan", [Plan(), Plan(seconds=None, count=10)])
def test_the_load_is_drawn_for_a_person(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "100"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    with _live.watched(Output(Format.TABLE), plan) as watch:
        for event in EVENTS:
            watch(event)
    drawn = terminal.getvalue()
    assert "Latency of all operations" in drawn or "2 failed" in drawn


def test_the_answer_is_drawn_with_a_histogram_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    _showing.show(Report(Plan(rate=5.0), snapshot(), 1.0, FREE, unmade=2, unfinished=1), "x", Output(Format.TABLE))
    shown = terminal.getvalue()
    assert "Open model: 5 begin each second, and latency counts from then; 2 not at all: nobody was free" in shown
    assert "Latency of all operations" in shown
    assert "1 operations without an end" in shown


def test_a_figure_that_is_the_clients_limit_says_so(capsys: Any) -> None:
    recording = Recording(0.0)
    recording.record(Sample(Operation.LOGIN, 0.0, 1.0, (), late=1.0, retries=2))
    whole = Report(Plan(rate=5.0), recording.snapshot(), 1.0, ClientCost(0.99, 1.0))
    _showing.show(whole, "x", Output(Format.TABLE))
    said = capsys.readouterr()
    assert "this figure is the client's limit and not the server's: the client used 99%" in said.err
    assert "1 began late" in said.out
    assert "2 requests sent twice" in said.out
    on_time = Report(Plan(rate=5.0), snapshot(), 1.0, ClientCost(0.1, 10.0, server_cpu=0.6))
    _showing.show(on_time, "x", Output(Format.TABLE))
    told = capsys.readouterr().out
    assert "all of them began in time" in told
    assert "Service: 200 ms of a processor per operation" in told


def test_a_load_without_an_end_is_an_interruption(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authctl.commands.simulate.load._loading.run", lambda *_, **__: iter(()))
    aim = Aim(url, None, None, 1.0, ())
    with pytest.raises(KeyboardInterrupt):
        load(aim, Plan(), Output(), None)


def test_a_port_that_nobody_listens_on_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "Nothing answers" in run("--url", f"http://localhost:{port}", expected=6).stderr
