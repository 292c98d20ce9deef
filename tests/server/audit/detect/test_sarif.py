"""Findings as SARIF, held against what sections 3.13 to 3.58 of the standard ask for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from authctl.server.audit.detect.catalogue import RULES
from authctl.server.audit.detect.detection import NotRun, detect
from authctl.server.audit.detect.interface import Thresholds
from authctl.server.audit.detect.sarif import plain_message, to_sarif
from tests.server.audit.detect.lists import DAY, Story

LEVELS = {"none", "note", "warning", "error"}


def story(email: str = "ada@example.com") -> Story:
    made = Story()
    for number in range(10):
        made.fail(number, user_email=email, ip_address=f"203.0.113.{number}")
    made.add(0, "audit_gap", reason="file_deleted")
    return made


def run_of(told: Story) -> dict[str, Any]:
    document = to_sarif(detect(told.source(), DAY, Thresholds()), RULES)
    document = json.loads(json.dumps(document))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("/sarif-schema-2.1.0.json")
    [run] = document["runs"]
    return dict(run)


def test_the_tool_and_its_rules_are_described() -> None:
    driver = run_of(story())["tool"]["driver"]
    assert driver["name"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.name for rule in RULES]
    for rule in driver["rules"]:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["name"])
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
        assert 0 < float(rule["properties"]["security-severity"]) <= 10


def test_every_result_has_its_rule_level_message_place_and_fingerprints() -> None:
    run = run_of(story())
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["kind"] == "fail"
        assert result["message"]["text"]
        [location] = result["locations"]
        [place] = location["logicalLocations"]
        assert place["fullyQualifiedName"] == f"{place['kind']}/{place['name']}"
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in result["partialFingerprints"].values())
        assert result["occurrenceCount"] >= 1
        assert result["properties"]["events"]


def test_severities_become_levels() -> None:
    told = story()
    told.log_in(20, ip_address="203.0.113.5")
    levels = {result["properties"]["severity"]: result["level"] for result in run_of(told)["results"]}
    assert levels == {"critical": "error", "high": "error"}


def test_fingerprints_stay_the_same_from_run_to_run_while_the_attack_goes_on() -> None:
    told = story()
    before = run_of(told)["results"]
    told.fail(300, ip_address="203.0.113.99")
    after = run_of(told)["results"]
    assert [one["partialFingerprints"] for one in before] == [one["partialFingerprints"] for one in after]
    assert before != after
    fingerprints = [value for one in after for value in one["partialFingerprints"].values()]
    assert len(set(fingerprints)) == len(fingerprints)


def test_rules_that_were_not_run_or_not_told_in_full_are_notifications() -> None:
    report = detect(story().source(), DAY, Thresholds())
    report = replace(report, not_run=(NotRun("new-country", "nothing to ask", "install it"),), overflow=("audit-gap",))
    [invocation] = to_sarif(report, RULES)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is True
    notes = invocation["toolConfigurationNotifications"]
    assert [note["associatedRule"]["id"] for note in notes] == ["new-country", "audit-gap"]
    assert all(RULES[note["associatedRule"]["index"]].name == note["associatedRule"]["id"] for note in notes)
    assert "install it" in notes[0]["message"]["text"]


def test_hostile_text_is_neither_a_placeholder_nor_a_link() -> None:
    """Sections 3.11.5 and 3.11.6."""
    assert plain_message("{0} [here](https://x) \\") == "{{0}} \\[here\\](https://x) \\\\"
    [_, result] = run_of(story("{0}[x](y)@example.com"))["results"]
    assert "{{0}}\\[x\\](y)@example.com" in result["message"]["text"]


def test_the_span_is_said() -> None:
    assert run_of(story())["properties"] == {
        "since": "2026-03-01 00:00:00Z",
        "until": "2026-03-02 00:00:00Z",
        "leastSeverity": "low",
    }
