"""`authctl simulate attack`: the catalogue shown, and played against our own service and against hardly any server."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.commands._output import Format, Output
from authctl.commands.simulate.attack import _aiming, _live
from authctl.errors import ServerUnreachable
from authctl.testing import root_certificate
from authctl.virtual_authenticator.faults.cases import read_cases
from authctl.virtual_authenticator.harness.attack.events import Began, CaseBegan, CaseEnded
from authctl.virtual_authenticator.harness.attack.verdicts import NOT_TAKEN
from tests.virtual_authenticator.harness.attack.scripted import (
    CANNOT_TELL,
    HAS_CRASHED,
    WAS_ACCEPTED,
    WAS_REFUSED,
    Party,
    case,
    result,
)
from tests.virtual_authenticator.harness.listening import listening_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from authctl.virtual_authenticator.faults.cases import Case

QUICK = ("--only", "reg.env.id-*,auth.env.id-missing,auth.state.replay")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTHCTL_DEBUG", raising=False)
    return tmp_path


def run(*words: str, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, ["simulate", "attack", *words])
    assert result.exit_code == expected, result.output
    assert "Traceback" not in result.output
    return result


def answer(*words: str, expected: int = 0) -> Any:
    return json.loads(run(*words, "--format", "json", expected=expected).stdout)


@pytest.fixture
def party(monkeypatch: pytest.MonkeyPatch) -> Party:
    """A server in the place of our own that does what it is told."""
    host = Party()
    monkeypatch.setattr(_aiming.Aim, "_own", classmethod(lambda cls: cls("a party", "none", host.target)))
    return host


def catalogue(monkeypatch: pytest.MonkeyPatch, *cases: Case) -> None:
    monkeypatch.setattr("authctl.virtual_authenticator.faults.catalogue.cases", lambda: cases)


# The catalogue.


def test_the_list_can_be_narrowed() -> None:
    rows = answer("list", "--force", "must", "--layer", "signature", "--ceremony", "authentication", "--max-cases", "3")
    assert len(rows) == 3
    assert {(row["force"], row["layer"], row["ceremony"]) for row in rows} == {("must", "signature", "authentication")}
    assert {row["expected"] for row in rows} == {"refuse"}
    assert len(answer("list")) == len(read_cases())
    lines = run("list", "--only", "reg.env.id-missing").stdout.splitlines()
    assert lines[0].split() == ["Attack", "Force", "Tier", "Layer", "Owed", "What", "is", "wrong"]
    assert lines[1].startswith("reg.env.id-missing")


def test_a_case_is_shown_with_what_it_needs() -> None:
    shown = answer("show", "reg.key.rsa-e3")
    assert shown["why"]
    assert shown["standard"].startswith("§")
    assert "the algorithm RS256" in shown["needs"]
    text = run("show", "reg.env.id-missing").stdout
    assert [line.split()[0] for line in text.splitlines()][:4] == ["attack", "ceremony", "layer", "wrong"]


def test_an_id_shows_all_its_variants() -> None:
    several = next(one.id for one in read_cases() if one.variant)
    assert len(answer("show", several)) > 1
    assert "\n\n" in run("show", several).stdout
    assert len(run("show", several, "--format", "jsonl").stdout.splitlines()) > 1


@pytest.mark.parametrize("words", [["show", "reg.key.rsa-e33"], ["run", "--only", "reg.key.rsa-e33"]])
def test_the_nearest_names_are_told_when_there_is_no_such_attack(words: list[str]) -> None:
    assert "Did you mean reg.key.rsa-e3" in run(*words, expected=3).stderr


# Our own service.


def test_our_own_service_is_clean_in_the_core(place: Path) -> None:
    """SPEC §16.7, R-WA-20: whatever has to be refused is refused, whatever can be accepted is, and nothing crashes."""
    document = answer("--tier", "core", "--ledger", str(place / "ledger.json"))
    assert document["verdict"].startswith("Nothing was wrongly accepted, and nothing crashed")
    assert set(document["counts"]) <= {"good", "told", "not applicable"}
    for row in document["cases"]:
        if row["owed"] in {"refuse", "one"} and row["mark"] == "not applicable":
            assert row["reason"] == NOT_TAKEN or row["reason"].startswith(
                ("not known of this server", "None of", "The ")
            )
    assert len(json.loads((place / "ledger.json").read_text())["cases"]) == document["total"]


def test_bare_is_run_and_a_second_run_changes_nothing(place: Path) -> None:
    ledger = str(place / "ledger.json")
    first = run(*QUICK, "--ledger", ledger)
    assert first.stdout.startswith("Nothing was wrongly accepted, and nothing crashed: ")
    assert "Nothing has changed" in first.stderr
    before = (place / "ledger.json").read_bytes()
    again = run("run", *QUICK, "--ledger", ledger, "--jobs", "2")
    assert "Nothing has changed since the last run." in again.stderr
    assert (place / "ledger.json").read_bytes() == before
    assert [one.name for one in place.iterdir()] == ["ledger.json"]


@pytest.mark.parametrize(
    "name",
    [
        "reg.state.challenge-expired",
        "auth.id.deleted-credential",
        "auth.id.disabled-user",
        "auth.id.id-swap-after-sign",
    ],
)
def test_our_own_service_is_changed_from_behind_when_a_case_needs_it(name: str) -> None:
    assert set(answer("--only", name)["counts"]) == {"good"}


def test_a_case_gets_a_service_with_its_settings() -> None:
    needy = [one.name for one in read_cases() if one.needs.settings and one.force == "must"][:2]
    document = answer("--only", ",".join(needy))
    assert document["counts"] == {"good": len(needy)}


# A server that does what it is told.


def test_what_is_wrong_comes_first_and_the_exit_number_says_so(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue(
        monkeypatch,
        case("reg.good"),
        case("reg.hole", played=WAS_ACCEPTED),
        case("reg.crash", played=HAS_CRASHED),
        case("reg.outside", "accept"),
        case("reg.unclear", played=CANNOT_TELL),
    )
    result = run(expected=1)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("1 wrongly accepted and 1 crashed: 5 cases under profile l3")
    assert [line.split()[0] for line in lines[2:5]] == ["Attack", "reg.hole", "reg.crash"]
    assert any(line.startswith("reg.outside") for line in lines)
    assert any(line.split() == ["Layer", "Good", "Wrongly", "accepted", "Crashed", "Wrongly", "refused", "Inconclusive"]
               for line in lines)  # fmt: skip
    assert "reg.hole: registration, no id: wrongly accepted (200)" in result.stderr
    assert "authctl simulate attack show reg.hole" in result.stderr


def test_a_build_fails_only_on_what_the_ledger_does_not_have_when_told_so(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue(monkeypatch, case("a"), case("hole", played=WAS_ACCEPTED))
    run("--ledger", "kept", expected=1)
    words = ("run", "--ledger", "kept", "--new-only")
    assert "0 of 1 findings are not in the ledger" in run(*words).stderr
    catalogue(monkeypatch, case("a", played=WAS_ACCEPTED), case("hole", played=HAS_CRASHED))
    assert "2 of 2 findings are not in the ledger" in run(*words, expected=1).stderr
    assert "--new-only needs --ledger" in run("run", "--new-only", expected=2).stderr


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([case("a"), case("b", "accept")], 0),
        ([case("a", "either", WAS_ACCEPTED), case("b", played=CANNOT_TELL)], 0),
        ([case("a", played=WAS_ACCEPTED, force="hardening")], 1),
        ([case("a", "either", HAS_CRASHED)], 1),
        ([case("a", played=CANNOT_TELL)], 2),
    ],
)
def test_the_exit_number_tells_how_it_went(
    party: Party, monkeypatch: pytest.MonkeyPatch, cases: list[Case], expected: int
) -> None:
    catalogue(monkeypatch, *cases)
    run(expected=expected)


def test_all_reports_are_written(party: Party, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    catalogue(monkeypatch, case("reg.hole", played=WAS_ACCEPTED))
    (place / "l").write_text(json.dumps({
        "kind": "authctl-attack-ledger", "version": 1,
        "cases": {"reg.hole": {"outcome": "refused", "status": 400, "reason": "no"}},
    }))  # fmt: skip
    words = ("--junit", "j", "--sarif", "s", "--markdown", "m", "--ledger", "l")
    document = answer(*words, expected=1)
    assert document["changes"] == [
        {"case": "reg.hole", "what": "now accepted", "before": "refused, 400 no", "now": "accepted, 200"}
    ]
    assert Xml.parse(place / "j").getroot()[0].get("failures") == "1"  # noqa: S314  # our own text
    assert json.loads((place / "s").read_text())["runs"][0]["results"][0]["ruleId"] == "reg.hole"
    assert (place / "m").read_text().startswith("# Attacks on a party\n\n1 wrongly accepted")
    assert json.loads((place / "l").read_text())["cases"]["reg.hole"]["outcome"] == "accepted"


def test_rows_come_one_by_one(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue(monkeypatch, case("a"), case("b", played=WAS_ACCEPTED))
    lines = [json.loads(line) for line in run("--format", "jsonl", expected=1).stdout.splitlines()]
    assert [(line["case"], line["mark"]) for line in lines] == [("a", "good"), ("b", "wrongly accepted")]
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv", expected=1).stdout)))
    assert [(row["case"], row["status"]) for row in rows] == [("a", "400"), ("b", "200")]


@pytest.mark.parametrize("option", ["junit", "sarif", "markdown", "ledger"])
def test_nothing_is_sent_when_a_report_has_no_place(party: Party, option: str, place: Path) -> None:
    party.begin = AssertionError("it was asked")
    assert "its directory does not exist" in run(f"--{option}", "none/file", expected=2).stderr
    assert "it is a directory" in run(f"--{option}", str(place), expected=2).stderr


def test_it_is_told_when_a_report_cannot_be_written(party: Party, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    def spoil(_: Any) -> Any:
        (place / "j").mkdir()
        return WAS_REFUSED

    catalogue(monkeypatch, case(played=spoil))
    assert "j cannot be written" in run("--junit", "j", expected=2).stderr


def test_an_interrupt_ends_the_run_with_what_it_has(party: Party, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    def interrupt(_: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return WAS_REFUSED

    catalogue(monkeypatch, case("a"), case("b", played=interrupt), *(case(f"c{number}") for number in range(500)))
    result = run("--ledger", "l", "--delay", "0.01", expected=130)
    assert "stopped after" in result.stderr
    assert {"a", "b"} <= set(json.loads((place / "l").read_text())["cases"])


def test_a_second_interrupt_ends_it_at_once(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    def hang(_: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        free.wait(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        free.wait(30)
        return WAS_REFUSED

    catalogue(monkeypatch, case(played=hang))
    run(expected=130)
    free.set()


def test_a_run_says_how_far_it_is(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authctl.commands.simulate.attack._live._EVERY_SECONDS", -1.0)
    catalogue(monkeypatch, case("a"), case("b"))
    assert "2 of 2 cases" in run().stderr


class Terminal(io.StringIO):
    """Where a person looks."""

    def isatty(self) -> bool:
        return True


def test_findings_are_drawn_above_the_progress_when_a_person_looks_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    results = [result("a"), result("hole\x1b[2J", played=WAS_ACCEPTED)]
    with _live.watched(Output(Format.TABLE), 2) as watch:
        watch(Began("party", 2))
        for one in results:
            watch(CaseBegan(one.case))
            watch(CaseEnded(one))
    drawn = terminal.getvalue()
    assert "2/2" in drawn
    assert "1 wrongly accepted" in drawn
    assert "hole\\x1b[2J: registration, no id: wrongly accepted (200)" in drawn


def test_the_run_ends_as_unreachable_when_the_server_goes_away(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: Any) -> Any:
        party.begin = ServerUnreachable("Nobody")
        return CANNOT_TELL

    catalogue(monkeypatch, *(case(f"c{number}", played=leave) for number in range(9)))
    assert "stopped after 5 of 9 cases: Nobody" in run(expected=6).stderr


# What the options say.


@pytest.mark.parametrize(
    ("words", "expected", "message"),
    [
        (["--can", "framming"], 2, "did you mean framing?"),
        (["--can", "nonsense-x"], 2, "one of usernameless"),
        (["--can", "expiry"], 2, "only a recipe can describe"),
        (["--can", "expiry"], 2, "[capabilities] expiry = [{ url = … }]"),
        (["--can", "related-origin"], 2, "[capabilities] related-origin = "),
        (["--can", "trusted-root"], 2, "--trusted-root TEXT"),
        (["--trusted-root", "x"], 2, "that --url or --target names"),
        (["root", "--seed", ""], 2, "The seed is empty"),
        (["--url", "ftp://x"], 2, "is not the address of a server"),
        (["--url", "http://example.com"], 2, "--i-am-allowed-to-test example.com"),
        (["--target", "simplewebauthm", "--url", "http://localhost:1"], 2, "Did you mean simplewebauthn?"),
        (["--tier", "core", "--force", "policy", "--layer", "certificate"], 2, "No attack is like that"),
        (["--tier", "cor"], 2, "cor"),
        (["nonsense"], 2, "No such command"),
        (["--url", "http://localhost:1"], 6, "Nothing answers"),
    ],
)
def test_an_option_that_makes_no_sense_is_explained(words: list[str], expected: int, message: str) -> None:
    assert message in run(*words, expected=expected).stderr


def test_the_root_is_the_same_for_the_same_seed() -> None:
    printed = run("root", "--seed", "my tests").stdout
    assert printed == run("root", "--seed", "my tests").stdout == root_certificate("my tests").decode()
    assert printed.startswith("-----BEGIN CERTIFICATE-----\n")


def test_help_is_given_for_the_group() -> None:
    text = run("--help").stdout
    assert "run" in text
    assert "list" in text


# Servers that hardly are any.


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


def test_signals_are_left_as_they_were(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue(monkeypatch, case())
    before = signal.getsignal(signal.SIGINT)
    run()
    assert signal.getsignal(signal.SIGINT) is before
