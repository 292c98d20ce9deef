"""Findings as SARIF 2.1.0, the exchange format of analysis tools (OASIS, sarif-v2.1.0)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from authctl import __version__
from authctl.server.audit.detect.interface import Severity
from authctl.server.audit.detect.sentences import at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.detect.detection import NotRun, Report
    from authctl.server.audit.detect.interface import Finding, Rule

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
SCORES: Final = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.5"}
"""`security-severity` of rules, by which several consumers sort: a number of CVSS in text."""


def to_sarif(report: Report, rules: Sequence[Rule]) -> dict[str, Any]:
    """The document of one run; `rules` are those that were asked for. The same trail gives the same document."""
    places = {rule.name: place for place, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "authctl audit detect",
                "version": __version__,
                "rules": [_descriptor(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": "authctl/audit-detect/"},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolConfigurationNotifications": [
                    *(_not_run(one, places[one.rule]) for one in report.not_run),
                    *(_overflow(name, places[name]) for name in report.overflow),
                ],
            }
        ],
        "columnKind": "utf16CodeUnits",
        "properties": {
            "since": at(report.window.since),
            "until": at(report.window.until),
            "leastSeverity": report.least.value,
        },
        "results": [_result(finding, places[finding.rule]) for finding in report.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def plain_message(text: str) -> str:
    """Text as a message: braces would be placeholders (section 3.11.5), square brackets a link (section 3.11.6)."""
    return text.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}").replace("[", "\\[").replace("]", "\\]")


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.name,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.description},
        "help": {"text": rule.advice},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "security-severity": SCORES[rule.severity],
            "tags": ["security", "audit"],
            "thresholds": list(rule.thresholds),
        },
    }


def _result(finding: Finding, place: int) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {"text": plain_message(finding.sentence)},
        "locations": [
            {
                "logicalLocations": [
                    {
                        "name": finding.subject,
                        "fullyQualifiedName": f"{finding.kind}/{finding.subject}",
                        "kind": finding.kind.value,
                    }
                ]
            }
        ],
        "occurrenceCount": finding.count,
        "partialFingerprints": _fingerprints(finding),
        "properties": {
            "severity": finding.severity.value,
            "security-severity": SCORES[finding.severity],
            "first": at(finding.first),
            "last": at(finding.last),
            "events": list(finding.events),
            "totalEvents": finding.total_events,
            "advice": finding.advice,
        },
    }


def _fingerprints(finding: Finding) -> dict[str, str]:
    """Who it is about stays the same from run to run; which attack it is, as long as its beginning is in the span."""
    return {
        "subject/v1": _digest(finding.rule, finding.kind, finding.subject),
        "incident/v1": _digest(finding.rule, finding.kind, finding.subject, finding.events[0]),
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _not_run(one: NotRun, place: int) -> dict[str, Any]:
    return _notification("rule-not-run", one.rule, place, f"The rule {one.rule} was not run: {one.why}. {one.hint}")


def _overflow(rule: str, place: int) -> dict[str, Any]:
    return _notification("rule-overflow", rule, place, f"The rule {rule} found more than it tells")


def _notification(identifier: str, rule: str, place: int, text: str) -> dict[str, Any]:
    return {
        "descriptor": {"id": identifier},
        "associatedRule": {"id": rule, "index": place},
        "level": "warning",
        "message": {"text": plain_message(text)},
    }
