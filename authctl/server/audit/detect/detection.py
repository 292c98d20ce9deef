"""Runs the rules on a trail, and orders what they find."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from authctl.server.audit.detect.catalogue import RULES
from authctl.server.audit.detect.interface import MOST_FINDINGS, CannotRun, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.detect.interface import Finding, Rule, Thresholds, Window
    from authctl.server.audit.records import EventSource


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule that could not run: why, and the way out."""

    rule: str
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what was found, the worst first.

    least     findings below this severity are left out
    overflow  names of rules that found more than they may tell
    """

    window: Window
    least: Severity
    findings: tuple[Finding, ...]
    ran: tuple[str, ...]
    not_run: tuple[NotRun, ...]
    overflow: tuple[str, ...]


def detect(
    source: EventSource,
    window: Window,
    thresholds: Thresholds,
    *,
    rules: Sequence[Rule] = RULES,
    least: Severity = Severity.LOW,
) -> Report:
    """Looks for what the rules know. A finding whose last event lies before the window belongs to an earlier one."""
    findings: list[Finding] = []
    ran, not_run, overflow = [], [], []
    for rule in rules:
        try:
            found = list(islice(rule.find(source, window, thresholds), MOST_FINDINGS))
        except CannotRun as error:
            not_run.append(NotRun(rule.name, error.detail, error.hint or ""))
            continue
        ran.append(rule.name)
        if len(found) >= MOST_FINDINGS:
            overflow.append(rule.name)
        findings += [one for one in found if one.last >= window.since and one.severity.rank >= least.rank]
    findings.sort(key=lambda one: (-one.severity.rank, one.first, one.rule, one.subject))
    return Report(window, least, tuple(findings), tuple(ran), tuple(not_run), tuple(overflow))
