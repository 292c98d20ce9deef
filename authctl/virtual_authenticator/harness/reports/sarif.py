"""Writes the findings of an attack as SARIF 2.1.0, which code scanning services take in (OASIS, sarif-v2.1.0)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from authctl import __version__
from authctl.virtual_authenticator.harness.attack.report import sentence
from authctl.virtual_authenticator.harness.attack.verdicts import Mark, Outcome

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.harness.attack.report import Report
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SHOWN: Final = (Mark.WRONGLY_ACCEPTED, Mark.CRASHED, Mark.WRONGLY_REFUSED)
_SCORES: Final = {"error": "8.0", "warning": "5.5", "note": "2.5"}
"""`security-severity` of rules, by which several consumers sort: a number of CVSS in text."""


def sarif_attacks(report: Report) -> bytes:
    """The document of one run: a rule per case that has a result, and everything that is wrong as a result."""
    shown = [result for mark in _SHOWN for result in report.marked(mark)]
    rules = [result.case for result in shown]
    run = {
        "tool": {
            "driver": {
                "name": "authctl simulate attack",
                "version": __version__,
                "rules": [_rule(case) for case in rules],
            }
        },
        "automationDetails": {"id": "authctl/simulate-attack/"},
        "invocations": [_invocation(report)],
        "columnKind": "utf16CodeUnits",
        "properties": {"profile": report.profile, "recipe": report.recipe},
        "results": [_result(result, place, report) for place, result in enumerate(shown)],
    }
    return (json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n").encode()


def plain_message(text: str) -> str:
    """Text as a message: braces would be placeholders (section 3.11.5), square brackets a link (section 3.11.6)."""
    return text.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}").replace("[", "\\[").replace("]", "\\]")


def _rule(case: Case) -> dict[str, Any]:
    level = _level_of(case)
    return {
        "id": case.name,
        "shortDescription": {"text": f"{case.ceremony}: {case.alters}"},
        "fullDescription": {"text": case.why},
        "help": {"text": f"{case.why} Standard: {case.spec}. `authctl simulate attack show {case.name}` tells more."},
        "defaultConfiguration": {"level": level},
        "properties": {
            "security-severity": _SCORES[level],
            "tags": ["security", "webauthn", case.layer.value, case.force, case.tier, *case.known],
        },
    }


def _level_of(case: Case) -> str:
    return {"must": "error", "hardening": "warning"}.get(case.force, "note")


def _result(result: Result, place: int, report: Report) -> dict[str, Any]:
    level = "error" if result.outcome is Outcome.CRASHED else _level_of(result.case)
    return {
        "ruleId": result.case.name,
        "ruleIndex": place,
        "kind": "fail",
        "level": level,
        "message": {"text": plain_message(sentence(result))},
        "locations": [
            {
                # Code scanning services take in no result without a file, and which file it is nobody here knows.
                "physicalLocation": {"artifactLocation": {"uri": f"webauthn/{result.case.ceremony}"}},
                "logicalLocations": [
                    {
                        "name": result.case.ceremony,
                        "fullyQualifiedName": f"{report.server}/{result.case.ceremony}",
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"case/v1": hashlib.sha256(result.case.name.encode()).hexdigest()},
        "properties": {
            "outcome": result.outcome.value,
            "mark": result.mark.value,
            "status": result.status,
            "reason": result.reason,
        },
    }


def _invocation(report: Report) -> dict[str, Any]:
    notes = [
        {
            "descriptor": {"id": "case-inconclusive"},
            "level": "warning",
            "message": {"text": plain_message(f"{result.case.name}: {result.reason}")},
        }
        for result in report.marked(Mark.INCONCLUSIVE)
    ]
    if report.stopped:
        text = f"Stopped after {len(report.results)} of {report.total} cases: {report.stopped}"
        notes.append({"descriptor": {"id": "stopped"}, "level": "error", "message": {"text": plain_message(text)}})
    return {
        "executionSuccessful": not report.stopped and report.is_conclusive,
        "toolExecutionNotifications": notes,
    }
