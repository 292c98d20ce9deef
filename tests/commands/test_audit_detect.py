"""`authctl audit detect`: what it shows, in each format, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from authctl.commands._output import Format, Output
from authctl.commands.audit import _findings
from authctl.commands.audit.detect import FindingFormat, Least
from authctl.server.audit.detect.catalogue import RULES
from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import Severity, Thresholds
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record
from tests.server.audit.detect.lists import DAY, Story

if TYPE_CHECKING:
    from tests.commands.conftest import Home

HOSTILE = "a\x1b[2J\u202e=cmd@example.com"


@pytest.fixture
def attacked(home: Home) -> Home:
    """A trail with a brute force against a user, which also put escape sequences into an e-mail."""
    caller = Caller("203.0.113.66", "203.0.113.66", "curl", "r-1")

    def unit(tx: Any) -> None:
        for _ in range(12):
            failed = Event(EventType.LOGIN_COMPLETE, False, caller, "x", reason="signature_invalid", user_email=HOSTILE)
            record(tx, failed)

    with home.service() as service:
        service.database.write_now(unit)
    return home


def test_nothing_found_exits_0_and_says_what_was_looked_at(home: Home) -> None:
    result = home.run("audit", "detect")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Looked at " in result.stderr
    assert f"with {len(RULES)} rules: nothing found." in result.stderr


def test_findings_exit_1_with_what_was_seen_events_and_advice(attacked: Home) -> None:
    result = attacked.run("audit", "detect")
    assert result.exit_code == 1
    assert "MEDIUM  brute-force-address  203.0.113.66" in result.stdout
    assert "seen    12 failed logins from 203.0.113.66 against 1 account" in result.stdout
    assert " and 9 more" in result.stdout
    assert "do      Block the address" in result.stdout
    assert "3 findings" in result.stderr
    assert "hint: authctl audit show ID" in result.stderr


def test_events_behind_a_finding_are_in_the_trail(attacked: Home) -> None:
    document = json.loads(attacked.run("audit", "detect", "--format", "json").stdout)
    ids = {row.id for row in attacked.events("login_complete")}
    assert document["not_run"] == []
    assert document["rules"] == [rule.name for rule in RULES]
    for finding in document["findings"]:
        assert set(finding["events"]) <= ids
        assert finding["total_events"] == 12


@pytest.mark.parametrize("output_format", [*FindingFormat])
def test_hostile_text_is_harmless_in_every_format(output_format: str, attacked: Home) -> None:
    """R-CL-01."""
    result = attacked.run("audit", "detect", "--format", output_format)
    assert result.exit_code == 1
    assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)


def test_rows_have_the_same_members_in_csv_and_json_lines(attacked: Home) -> None:
    rows = list(csv.DictReader(io.StringIO(attacked.run("audit", "detect", "--format", "csv").stdout)))
    lines = [json.loads(line) for line in attacked.run("audit", "detect", "--format", "jsonl").stdout.splitlines()]
    assert [row["rule"] for row in rows] == [line["rule"] for line in lines]
    assert list(rows[0]) == list(lines[0])
    assert {line["severity"] for line in lines} == {"medium"}


def test_sarif_is_one_document_on_stdout(attacked: Home) -> None:
    result = attacked.run("audit", "detect", "--format", "sarif", "--rule", "brute-force-address")
    [run] = json.loads(result.stdout)["runs"]
    assert [one["ruleId"] for one in run["results"]] == ["brute-force-address"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["brute-force-address"]
    assert "Looked at" in result.stderr


def test_rules_and_severities_narrow_the_findings(attacked: Home) -> None:
    assert attacked.run("audit", "detect", "--severity", "high").exit_code == 0
    assert attacked.run("audit", "detect", "--rule", "audit-gap,many-addresses").exit_code == 0
    assert attacked.run("audit", "detect", "--rule", "brute-force-account", "--rule", "audit-gap").exit_code == 1
    assert attacked.run("audit", "detect", "--until", "1h").exit_code == 0


def test_thresholds_come_from_settings_and_options_override_them(
    attacked: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("audit", "detect", "--rule", "brute-force-address")
    monkeypatch.setenv("DETECT_ADDRESS_FAILURES", "13")
    assert attacked.run(*words).exit_code == 0
    assert attacked.run(*words, "--threshold", "address-failures=12").exit_code == 1
    assert attacked.run(*words, "--threshold", "DETECT_ADDRESS_FAILURES=12").exit_code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--threshold", "address-failure=3"), "did you mean address-failures?"),
        (("--threshold", "zzz=3"), "one of minutes, "),
        (("--threshold", "minutes"), "--threshold minutes is no NAME=VALUE"),
        (("--threshold", "minutes="), "is no NAME=VALUE"),
        (("--threshold", "minutes=ten"), "ten is no whole number"),
        (("--threshold", "minutes=0"), "DETECT_MINUTES"),
        (("--rule", "brute-force-addr"), "did you mean brute-force-address?"),
        (("--severity", "worst"), "--severity"),
        (("--format", "xml"), "--format"),
        (("--since", "1h", "--until", "2h"), "The time range is empty"),
        (("--since", "soon"), "--since soon"),
        (("--list-rules", "--format", "sarif"), "--list-rules has no SARIF form"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2(words: tuple[str, ...], said: str, home: Home) -> None:
    result = home.run("audit", "detect", *words)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_rule_that_cannot_run_is_said_and_the_others_run(attacked: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iptocc", None)
    result = attacked.run("audit", "detect", "--format", "json")
    assert result.exit_code == 1
    [missing] = json.loads(result.stdout)["not_run"]
    assert missing["rule"] == "new-country"
    assert "warning: new-country was not run: there is no database of countries" in result.stderr
    assert "hint: pip install 'authctl[geo]'" in result.stderr


def test_asking_for_a_rule_that_cannot_run_exits_2(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iptocc", None)
    result = home.run("audit", "detect", "--rule", "new-country")
    assert result.exit_code == 2
    assert "The rule new-country cannot run" in result.stderr
    assert "pip install 'authctl[geo]'" in result.stderr


def test_an_unreadable_database_of_countries_exits_2(home: Home) -> None:
    result = home.run("audit", "detect", "--threshold", "country-database=gone.mmdb")
    assert result.exit_code == 2
    assert "DETECT_COUNTRY_DATABASE gone.mmdb cannot be read" in result.stderr


def test_the_rules_are_listed_with_their_thresholds(home: Home) -> None:
    result = home.run("audit", "detect", "--list-rules", "--threshold", "minutes=7", "--format", "json")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert list(rows) == [rule.name for rule in RULES]
    assert rows["brute-force-address"]["thresholds"] == {"address-failures": 10, "minutes": 7}
    table = home.run("audit", "detect", "--list-rules")
    assert (table.exit_code, "brute-force-address" in table.stdout) == (0, True)


def test_a_folder_without_a_database_exits_5(empty_home: Home) -> None:
    assert empty_home.run("audit", "detect").exit_code == 5
    assert list(empty_home.path.iterdir()) == []


def test_findings_are_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """R-CL-01, where colours are ours and nobody else's."""
    story = Story()
    for number in range(12):
        story.fail(number, user_email=HOSTILE)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    _findings.show(detect(story.source(), DAY, Thresholds()), Output(Format.TABLE))
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert " MEDIUM   brute-force-address  203.0.113.66" in drawn
    assert "\\x1b[2J" in drawn
    assert "\x1b" not in drawn
    assert all(len(line) <= 80 for line in drawn.splitlines())


def test_a_report_that_is_cut_says_so(attacked: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authctl.server.audit.detect.detection.MOST_FINDINGS", 1)
    result = attacked.run("audit", "detect")
    assert "warning: brute-force-address found more than it tells" in result.stderr


def test_the_words_of_the_options_are_those_of_the_rules() -> None:
    assert [*Least] == [severity.value for severity in Severity]
    assert [*FindingFormat] == [*Format, "sarif"]
