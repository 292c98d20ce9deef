"""The forms that a run takes for other tools and for people."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.harness.attack.ledger import Change, Entry
from authctl.virtual_authenticator.harness.attack.report import Report, row_of, verdict
from authctl.virtual_authenticator.harness.reports.junit import junit_attacks
from authctl.virtual_authenticator.harness.reports.markdown import markdown_attacks
from authctl.virtual_authenticator.harness.reports.sarif import sarif_attacks
from tests.virtual_authenticator.harness.attack.scripted import (
    CANNOT_BE,
    CANNOT_TELL,
    HAS_CRASHED,
    WAS_ACCEPTED,
    result,
)

RESULTS = (
    result("good"),
    result("prudent", played=WAS_ACCEPTED, force="hardening"),
    result("hole", played=WAS_ACCEPTED, known=("CVE-2022-0001",), layer=Layer.SIGNATURE),
    result("crash", played=HAS_CRASHED, tier="extended"),
    result("outside", "accept"),
    result("choice", "either", WAS_ACCEPTED),
    result("unclear", played=CANNOT_TELL),
    result("elsewhere", played=CANNOT_BE),
)
REPORT = Report("http://localhost:3000", "simplewebauthn", "l3", 8, RESULTS, 2.5)
CHANGES = (Change("hole", "now accepted", Entry("refused", 400, "no"), Entry("accepted", 200, "")),)


def suite_of(report: Report) -> Xml.Element:
    return Xml.fromstring(junit_attacks("attacks", report))[0]  # noqa: S314  # our own text


def run_of(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sarif_attacks(report))["runs"][0]
    return found


def test_findings_come_with_what_the_standard_demands_first() -> None:
    assert [one.case.name for one in REPORT.findings] == ["hole", "prudent", "crash"]


ONE_OF_8 = "1 of 8 cases under profile l3 in 2.5 s."
WHOLE = "2 wrongly accepted and 1 crashed: 8 cases, 2 of them without a verdict, under profile l3 in 2.5 s."


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (REPORT, WHOLE),
        (
            replace(REPORT, results=RESULTS[:1], total=1),
            "Nothing was wrongly accepted, and nothing crashed: 1 case under profile l3 in 2.5 s.",
        ),
        (
            replace(REPORT, results=RESULTS[6:7], total=1),
            "Nothing could be tested: 1 case, 1 of them without a verdict, under profile l3 in 2.5 s.",
        ),
        (
            replace(REPORT, results=RESULTS[7:], total=1),
            "Nothing could be tested: 1 case, 1 of them without a verdict, under profile l3 in 2.5 s.",
        ),
        (
            replace(REPORT, results=RESULTS[3:4], stopped="interrupted"),
            "1 crashed: 1 of 8 cases under profile l3 in 2.5 s. Stopped before the end: interrupted.",
        ),
        (
            replace(REPORT, results=RESULTS[:1], stopped="no time"),
            f"Nothing was wrongly accepted so far, and nothing crashed: {ONE_OF_8} Stopped before the end: no time.",
        ),
    ],
)
def test_a_run_is_told_in_a_sentence(report: Report, sentence: str) -> None:
    assert verdict(report) == sentence


def test_a_run_is_complete_when_something_was_found_out_and_nothing_kept_the_rest_from_being_played() -> None:
    assert REPORT.is_complete
    assert not replace(REPORT, stopped="interrupted").is_complete
    assert not replace(REPORT, results=RESULTS[6:]).is_complete
    assert not replace(REPORT, results=()).is_conclusive


def test_a_row_tells_everything() -> None:
    row = row_of(RESULTS[2])
    assert (row["case"], row["mark"], row["known"]) == ("hole", "wrongly accepted", ["CVE-2022-0001"])
    assert row["seconds"] == 0.25
    assert json.dumps(row)


def test_junit_has_a_case_for_each_case() -> None:
    suite = suite_of(REPORT)
    numbers = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")}
    assert numbers == {
        "name": "attacks",
        "tests": "8",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
        "time": "2.000000",
    }
    tags = {case.get("name"): case[0].tag for case in suite}
    assert tags["hole"] == "failure"
    assert tags["crash"] == "error"
    assert tags["unclear"] == tags["elsewhere"] == "skipped"
    assert tags["good"] == tags["outside"] == tags["choice"] == "system-out"
    hole = next(case for case in suite if case.get("name") == "hole")
    assert hole.get("classname") == "attacks.signature"
    assert hole[0].get("type") == "wrongly-accepted"
    assert hole[0].text == "Somebody gets in.\nStandard: §7.1 step 3\nKnown: CVE-2022-0001"


def test_junit_says_that_a_run_was_stopped() -> None:
    last = suite_of(replace(REPORT, stopped="Nobody", results=RESULTS[:1]))[-1]
    assert (last.get("name"), last[0].tag) == ("the run", "error")
    assert last[0].get("message") == "stopped after 1 of 8 cases: Nobody"


def test_sarif_has_a_result_for_what_is_wrong() -> None:
    run = run_of(REPORT)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["hole", "prudent", "crash", "outside"]
    levels = {found["ruleId"]: found["level"] for found in run["results"]}
    assert levels == {"hole": "error", "prudent": "warning", "crash": "error", "outside": "error"}
    assert [found["ruleIndex"] for found in run["results"]] == [0, 1, 2, 3]
    assert "CVE-2022-0001" in run["tool"]["driver"]["rules"][0]["properties"]["tags"]
    assert run["invocations"][0]["executionSuccessful"] is True
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [note["message"]["text"] for note in notes] == ["unclear: nothing came of it"]


def test_sarif_says_that_a_run_was_stopped_and_keeps_braces_and_brackets_harmless() -> None:
    odd = replace(RESULTS[2], reason="{0} [a](http://x) \\")
    run = run_of(replace(REPORT, results=(odd,), stopped="interrupted"))
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["level"] == "error"
    assert run["results"][0]["message"]["text"].endswith("(200 {{0}} \\[a\\](http://x) \\\\)")


def test_sarif_of_the_same_findings_is_recognised_again() -> None:
    again = replace(REPORT, server="http://localhost:4000", seconds=9.0)
    prints = [[found["partialFingerprints"] for found in run_of(one)["results"]] for one in (REPORT, again)]
    assert prints[0] == prints[1]


def test_markdown_says_first_what_is_wrong() -> None:
    text = markdown_attacks(replace(REPORT, changes=CHANGES)).decode()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Attacks on http\\://localhost\\:3000",
        "## Wrongly accepted: 2",
        "## Crashed: 1",
        "## Wrongly refused (nobody gets in, but somebody stays out): 1",
        "## By layer",
        "## By tier",
        "## Since the last run: 1",
        "## Up to the server: 1",
        "## Inconclusive: 1",
        "## Not applicable: 1",
    ]
    assert "| `hole` | now accepted | refused, 400 no | accepted, 200 |" in text
    assert "| signature |  | 1 |" in text
    assert "| no such login | 1 | `elsewhere` |" in text


def test_markdown_says_that_nothing_has_changed() -> None:
    text = markdown_attacks(replace(REPORT, results=RESULTS[:1], changes=())).decode()
    assert text.endswith("## Since the last run\n\nNothing has changed.\n")
    assert "Since" not in markdown_attacks(REPORT).decode()
    assert "By layer" not in markdown_attacks(replace(REPORT, results=())).decode()


def test_markdown_takes_no_markup_from_a_server() -> None:
    odd = replace(RESULTS[2], reason="</table> ![x](http://x) @all\n# `b` | " + "y" * 400)
    line = next(
        line for line in markdown_attacks(replace(REPORT, results=(odd,))).decode().splitlines() if "yyyy" in line
    )
    assert "\\<" in line
    assert "\\!\\[x\\]\\(http" in line
    assert "\\@all \\# \\`b\\` \\|" in line
    assert "…" in line
    assert "y" * 301 not in line
