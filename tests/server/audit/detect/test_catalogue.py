"""What has to be complete: the list of rules, their thresholds, and the reasons that they judge by."""

from __future__ import annotations

from pathlib import Path

import pytest

from authctl.errors import UsageError
from authctl.server.audit.detect import rules
from authctl.server.audit.detect.catalogue import RULES, rules_named
from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import MOST_FINDINGS, Severity, Thresholds, Window
from authctl.server.audit.detect.reasons import HONEST, OWN_FAULT, PROBING
from authctl.server.reasons import KNOWN_REASONS
from authctl.settings import Settings
from tests.server.audit.detect.lists import DAY, NOON, Story


def test_the_list_of_rules_is_the_folder() -> None:
    files = {path.stem for path in Path(rules.__path__[0]).glob("*.py")} - {"__init__"}
    assert {rule.name.replace("-", "_") for rule in RULES} == files
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_rule_says_what_it_finds_and_what_to_do() -> None:
    for rule in RULES:
        assert rule.title
        assert rule.description.endswith(".")
        assert rule.advice.endswith(".")


def test_every_threshold_is_a_setting_with_the_same_default_and_belongs_to_a_rule() -> None:
    for name, field in Thresholds.__dataclass_fields__.items():
        assert Settings.model_fields[f"detect_{name}"].default == field.default
        assert any(name in rule.thresholds for rule in RULES)
    settings = {name.removeprefix("detect_") for name in Settings.model_fields if name.startswith("detect_")}
    assert settings == set(Thresholds.__dataclass_fields__)
    assert {name for rule in RULES for name in rule.thresholds} <= settings


def test_every_reason_is_judged_once() -> None:
    judged = [*HONEST, *PROBING, *OWN_FAULT]
    assert sorted(judged) == sorted(KNOWN_REASONS)


def test_rules_are_found_by_their_names_in_the_order_of_the_list() -> None:
    assert rules_named(()) == RULES
    assert [rule.name for rule in rules_named(["audit-gap", "many-addresses"])] == ["many-addresses", "audit-gap"]


@pytest.mark.parametrize(
    ("typed", "hint"), [("brute-force-addres", "did you mean brute-force-address?"), ("zzz", "one of brute-force-")]
)
def test_an_unknown_rule_is_answered_with_the_nearest(typed: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        rules_named([typed])
    assert (caught.value.hint or "").startswith(hint)


def test_the_worst_comes_first_and_the_same_trail_gives_the_same_report() -> None:
    story = Story()
    for number in range(10):
        story.fail(number, ip_address=f"203.0.113.{number}")
    story.log_in(50, ip_address="203.0.113.5")
    story.add(0, "audit_gap", reason="file_deleted")
    first, second = (detect(story.source(), DAY, Thresholds()) for _ in range(2))
    assert first == second
    assert [one.severity for one in first.findings] == [Severity.CRITICAL, Severity.HIGH]


def test_less_severe_findings_are_left_out_when_asked() -> None:
    story = Story()
    for number in range(10):
        story.fail(number)
    report = detect(story.source(), DAY, Thresholds(), least=Severity.HIGH)
    assert report.findings == ()


def test_a_rule_that_finds_too_much_is_named() -> None:
    story = Story()
    for number in range(MOST_FINDINGS + 5):
        story.add(number, "credential_clone_suspected", user_email=f"p{number}@example.com")
    report = detect(story.source(), DAY, Thresholds(), rules=rules_named(["clone-suspected"]))
    assert (len(report.findings), report.overflow) == (MOST_FINDINGS, ("clone-suspected",))


def test_a_window_at_the_beginning_of_the_calendar_reaches_no_further_back() -> None:
    first = NOON.replace(year=1, month=1, day=1, hour=0)
    assert Window(first, NOON).reaching_back(Thresholds().span) == first
