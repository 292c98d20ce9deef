"""`authctl simulate attack run`: the catalogue played against our own service, and against one that obeys."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pytest

from authctl.commands._output import Format, Output
from authctl.commands.simulate.attack import _aiming, _live
from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.faults.cases import read_cases
from authctl.virtual_authenticator.faults.played import Played
from authctl.virtual_authenticator.harness.attack.events import Began, CaseBegan, CaseEnded
from authctl.virtual_authenticator.harness.attack.verdicts import NOT_TAKEN
from tests.commands.attacking import QUICK, answer, catalogue, run
from tests.virtual_authenticator.harness.attack.scripted import (
    CANNOT_TELL,
    HAS_CRASHED,
    WAS_ACCEPTED,
    WAS_REFUSED,
    Party,
    case,
    result,
)

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.virtual_authenticator.faults.cases import Case


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTHCTL_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def party(monkeypatch: pytest.MonkeyPatch) -> Party:
    """A server in the place of our own that does what it is told."""
    host = Party()
    monkeypatch.setattr(_aiming.Aim, "_own", classmethod(lambda cls: cls("a party", "none", host.target)))
    return host


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
    assert "The ledger is new" in first.stderr
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
    assert lines[0].startswith("1 wrongly accepted and 1 crashed: 5 cases, 1 of them without a verdict, under")
    assert [line.split()[0] for line in lines[2:5]] == ["Attack", "reg.hole", "reg.crash"]
    assert any(line.startswith("reg.outside") for line in lines)
    assert any(line.split() == ["Layer", "Good", "Wrongly", "accepted", "Crashed", "Wrongly", "refused", "Inconclusive"]
               for line in lines)  # fmt: skip
    assert "reg.hole: registration, no id: wrongly accepted (200)" in result.stderr
    assert "authctl simulate attack show reg.hole" in result.stderr


@pytest.mark.parametrize("played", [Played(not_applicable="cannot be had"), CANNOT_TELL])
def test_the_exit_number_says_that_nothing_was_tested_when_no_case_has_a_verdict(
    played: Played, party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue(monkeypatch, case("reg.one", played=played), case("reg.two", played=played))
    result = run(expected=2)
    assert result.stdout.startswith("Nothing could be tested: 2 cases, 2 of them without a verdict,")


def test_the_exit_number_says_that_a_run_is_not_whole_when_its_time_ends(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_: object) -> Played:
        clock.append(3600.0)
        return WAS_REFUSED

    clock: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda honest=time.monotonic: honest() + sum(clock))
    catalogue(monkeypatch, case("reg.one", played=late), *(case(f"reg.{number}", played=late) for number in range(50)))
    result = run("--time-limit", "60", "--delay", "5", expected=2)
    assert result.stdout.startswith("Nothing was wrongly accepted so far, and nothing crashed: 1 of 51 cases under")
    assert "Stopped before the end: the time for the run is over." in result.stdout
    assert "stopped after 1 of 51 cases: the time for the run is over" in result.stderr


def test_the_first_run_with_a_ledger_says_that_there_was_none(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue(monkeypatch, case("reg.good"))
    first = run("--ledger", "new")
    assert "The ledger is new: the next run is compared with this one." in first.stderr
    assert "since the last run" not in first.output
    assert "Nothing has changed since the last run." in run("--ledger", "new").output


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


def test_signals_are_left_as_they_were(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue(monkeypatch, case())
    before = signal.getsignal(signal.SIGINT)
    run()
    assert signal.getsignal(signal.SIGINT) is before
