"""Writes an attack as Markdown for the summary of a CI job: what is wrong first, then counts, then what has changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.harness.attack.report import verdict
from authctl.virtual_authenticator.harness.attack.verdicts import Mark

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping, Sequence

    from authctl.virtual_authenticator.harness.attack.report import Report
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

_ACTIVE: Final = re.compile(r"([\\`*_{}\[\]<>()#!|~@&:])")
_LONGEST: Final = 300
_COLUMNS: Final = (
    ("good", Mark.GOOD),
    ("wrongly accepted", Mark.WRONGLY_ACCEPTED),
    ("crashed", Mark.CRASHED),
    ("wrongly refused", Mark.WRONGLY_REFUSED),
    ("told", Mark.TOLD),
    ("inconclusive", Mark.INCONCLUSIVE),
    ("not applicable", Mark.NOT_APPLICABLE),
)


def markdown_attacks(report: Report) -> bytes:
    """The report of a run."""
    parts = [
        f"# Attacks on {_text(report.server)}",
        _text(verdict(report)),
        _findings("Wrongly accepted", report.marked(Mark.WRONGLY_ACCEPTED)),
        _findings("Crashed", report.marked(Mark.CRASHED)),
        _findings("Wrongly refused (nobody gets in, but somebody stays out)", report.marked(Mark.WRONGLY_REFUSED)),
        _counts("Layer", report.counts_by(lambda case: case.layer)),
        _counts("Tier", report.counts_by(lambda case: case.tier)),
        _changes(report),
        _findings("Up to the server", report.marked(Mark.TOLD)),
        _without_verdict("Inconclusive", report.marked(Mark.INCONCLUSIVE)),
        _without_verdict("Not applicable", report.marked(Mark.NOT_APPLICABLE)),
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", "replace")


def _findings(heading: str, results: Sequence[Result]) -> str:
    if not results:
        return ""
    rows = (
        (
            f"`{result.case.name}`",
            result.case.force,
            _text(result.case.alters),
            _text(_answer(result)),
            _text(result.case.spec),
            _text(" ".join(result.case.known)),
        )
        for result in results
    )
    table = _table(("Case", "Force", "What was wrong", "Answer", "Standard", "Known"), rows)
    return f"## {heading}: {len(results)}\n\n{table}"


def _without_verdict(heading: str, results: Sequence[Result]) -> str:
    if not results:
        return ""
    reasons: dict[str, list[str]] = {}
    for result in results:
        reasons.setdefault(result.reason, []).append(result.case.name)
    rows = (
        (_text(reason or "no reason"), str(len(names)), ", ".join(f"`{name}`" for name in names))
        for reason, names in reasons.items()
    )
    return f"## {heading}: {len(results)}\n\n" + _table(("Why", "Cases", "Which"), rows)


def _counts(heading: str, counts: Mapping[str, Counter[Mark]]) -> str:
    present = [(title, mark) for title, mark in _COLUMNS if any(counter[mark] for counter in counts.values())]
    rows = ((name, *(str(counter[mark] or "") for _, mark in present)) for name, counter in counts.items())
    return f"## By {heading.lower()}\n\n" + _table((heading, *(title for title, _ in present)), rows) if counts else ""


def _changes(report: Report) -> str:
    if report.changes is None:
        return ""
    if not report.changes:
        return "## Since the last run\n\nNothing has changed."
    rows = (
        (f"`{change.case}`", change.what, _text(str(change.before)), _text(str(change.now)))
        for change in report.changes
    )
    return f"## Since the last run: {len(report.changes)}\n\n" + _table(("Case", "What", "Before", "Now"), rows)


def _answer(result: Result) -> str:
    answer = " ".join(str(part) for part in (result.outcome, result.status or "", result.reason) if part)
    return f"{answer}; {result.note}" if result.note else answer


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str) -> str:
    """Text of a server as text and nothing else: no markup, no links, no mentions, in one line."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
    return _ACTIVE.sub(r"\\\1", line)
