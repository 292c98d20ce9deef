"""How findings of detection look: blocks for a person, rows and one document for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from authctl.commands._output import Column, Format, Output, Row
from authctl.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from authctl.server.audit.detect.detection import Report
    from authctl.server.audit.detect.interface import Finding

COLUMNS: Final = (
    Column("severity", "Severity"),
    Column("rule", "Rule"),
    Column("kind"),
    Column("subject", "Subject"),
    Column("sentence", "What was seen"),
    Column("first"),
    Column("last"),
    Column("count"),
    Column("events"),
    Column("total_events"),
    Column("advice", "What to do"),
)
_STYLES: Final = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}
_MOST_SHOWN: Final = 3


def show(report: Report, output: Output) -> None:
    """Writes what was found; what was looked at is said to the person."""
    if output.format is Format.JSON:
        output.record(_document(report))
    elif output.format is not Format.TABLE:
        output.table(map(asdict, report.findings), COLUMNS)
    elif output.is_drawn:
        for finding in report.findings:
            output.draw(lambda _, shown=finding: _drawn(shown))  # type: ignore[misc]  # bound at once
    else:
        for finding in report.findings:
            for line in _lines(finding):
                output.text(line)


def tell(report: Report, output: Output) -> None:
    """Says what was looked at and what was not."""
    from authctl.server.audit.detect.sentences import at, counted

    found = counted(len(report.findings), "finding") if report.findings else "nothing found"
    ran = counted(len(report.ran), "rule")
    span = f"{at(report.window.since)} to {at(report.window.until)}"
    output.message(f"Looked at {span} with {ran}: {found}.")
    if report.findings and output.format is Format.TABLE:
        output.hint("authctl audit show ID shows an event behind a finding")
    for rule in report.overflow:
        output.warning(f"{rule} found more than it tells; a shorter span between --since and --until tells the rest")
    for one in report.not_run:
        output.warning(f"{one.rule} was not run: {one.why}")
        output.hint(one.hint)


def _document(report: Report) -> Row:
    return {
        "since": report.window.since,
        "until": report.window.until,
        "least_severity": report.least,
        "rules": report.ran,
        "not_run": [asdict(one) for one in report.not_run],
        "overflow": report.overflow,
        "findings": [asdict(finding) for finding in report.findings],
    }


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.upper()}  {finding.rule}  {finding.subject}"
    for label, text in _members(finding):
        yield f"  {label}  {text}"
    yield ""


def _members(finding: Finding) -> Iterator[tuple[str, str]]:
    yield "seen  ", finding.sentence
    shown = finding.events[:_MOST_SHOWN]
    more = finding.total_events - len(shown)
    yield "events", " ".join(shown) + (f" and {more:,} more" if more > 0 else "")
    yield "do    ", finding.advice


def _drawn(finding: Finding) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head = Text.assemble(
        (f" {finding.severity.upper()} ", _STYLES[finding.severity]),
        f"  {escaped(finding.rule)}  ",
        (escaped(finding.subject), "bold"),
    )
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for label, text in _members(finding):
        grid.add_row(f"  {label}", Text(escaped(text)))
    return Group(head, grid, "")
