"""The answer of a run of attacks: what is wrong first, then counts, then what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.commands._errors import DONE, INTERRUPTED, NO, UNREACHABLE, USAGE
from authctl.commands._output import Column, Format
from authctl.virtual_authenticator.harness.attack import runner
from authctl.virtual_authenticator.harness.attack.report import row_of, verdict
from authctl.virtual_authenticator.harness.attack.verdicts import Mark

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from authctl.commands._output import Output, Row
    from authctl.virtual_authenticator.harness.attack.report import Report
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

ROW_COLUMNS: Final = tuple(
    Column(key)
    for key in (
        "case", "mark", "outcome", "owed", "force", "tier", "layer", "ceremony", "alters", "status", "reason", "note",
        "spec", "known", "excerpt", "seconds",
    )
)  # fmt: skip
_FINDING_COLUMNS: Final = (
    Column("case", "Attack"),
    Column("mark", "Verdict", least=16, alarm=lambda _: True),
    Column("force", "Force", least=4),
    Column("alters", "What was wrong", least=20),
    Column("answer", "Answer", least=12, words=lambda row: _answer(row)),
)
_CHANGE_COLUMNS: Final = (
    Column("case", "Attack"),
    Column("what", "Since the last run", least=16),
    Column("before", "Before", least=12),
    Column("now", "Now", least=12),
)
_REASON_COLUMNS: Final = (Column("mark", "No verdict"), Column("cases", "Cases"), Column("why", "Why", least=20))


def exit_number(report: Report, findings: tuple[Result, ...]) -> int:
    """0 when the server did what it should, 1 when there are findings that count; otherwise why it is not known.

    A run that its time or anything else cut short has not shown that the server does what it should.
    """
    if findings:
        return NO
    if report.is_gone:
        return UNREACHABLE
    if report.stopped == runner.INTERRUPTED:
        return INTERRUPTED
    return DONE if report.is_complete else USAGE


def show(report: Report, output: Output) -> None:
    """Writes the answer; in JSONL and CSV the rows have been written while they came."""
    if output.format is Format.JSON:
        output.record(_document(report))
    elif output.format is Format.TABLE:
        _show_tables(report, output)
    if report.stopped:
        output.warning(f"stopped after {len(report.results)} of {report.total} cases: {report.stopped}")


def _document(report: Report) -> dict[str, Any]:
    return {
        "server": report.server,
        "recipe": report.recipe,
        "profile": report.profile,
        "verdict": verdict(report),
        "total": report.total,
        "played": len(report.results),
        "stopped": report.stopped or None,
        "seconds": round(report.seconds, 3),
        "counts": _counts(report.counts()),
        "layers": {name: _counts(counts) for name, counts in report.counts_by(lambda case: case.layer).items()},
        "tiers": {name: _counts(counts) for name, counts in report.counts_by(lambda case: case.tier).items()},
        "findings": [row_of(result) for result in report.findings],
        "changes": None if report.changes is None else _changes(report),
        "cases": [row_of(result) for result in report.results],
    }


def _show_tables(report: Report, output: Output) -> None:
    output.text(verdict(report))
    _findings(report.findings, output)
    _findings(report.marked(Mark.WRONGLY_REFUSED), output)
    _count_table("Layer", report.counts_by(lambda case: case.layer), output)
    _count_table("Tier", report.counts_by(lambda case: case.tier), output)
    reasons = _reasons(report)
    if reasons:
        output.text("")
        output.table(reasons, _REASON_COLUMNS)
    if report.changes is not None:
        output.text("")
        output.table(_changes(report), _CHANGE_COLUMNS, empty="Nothing has changed since the last run.")
    if report.findings:
        output.hint(f"authctl simulate attack show {report.findings[0].case.name}")


def _findings(results: Sequence[Result], output: Output) -> None:
    if results:
        output.text("")
        output.table([row_of(result) for result in results], _TABLE_COLUMNS)


_TABLE_COLUMNS: Final = (*_FINDING_COLUMNS, *(Column(key) for key in ("status", "reason", "note")))


def _answer(row: Row) -> str:
    answer = " ".join(str(row[key]) for key in ("status", "reason") if row[key])
    return f"{answer}; {row['note']}" if row["note"] else answer


def _count_table(heading: str, counts: Mapping[str, Counter[Mark]], output: Output) -> None:
    present = [mark for mark in Mark if any(counter[mark] for counter in counts.values())]
    columns = [Column("group", heading), *(Column(mark.value, mark.value.capitalize()) for mark in present)]
    rows = [{"group": name, **{mark.value: counter[mark] for mark in present}} for name, counter in counts.items()]
    output.text("")
    output.table(rows, columns)


def _reasons(report: Report) -> list[dict[str, object]]:
    """Why cases have no verdict, the commonest reason first."""
    numbers: dict[tuple[str, str], int] = {}
    for mark in (Mark.INCONCLUSIVE, Mark.NOT_APPLICABLE):
        for result in report.marked(mark):
            numbers[mark.value, result.reason] = numbers.get((mark.value, result.reason), 0) + 1
    ordered = sorted(numbers.items(), key=lambda item: -item[1])
    return [{"mark": mark, "cases": number, "why": why} for (mark, why), number in ordered]


def _changes(report: Report) -> list[dict[str, str]]:
    return [
        {"case": one.case, "what": one.what, "before": str(one.before), "now": str(one.now)}
        for one in report.changes or ()
    ]


def _counts(counts: Counter[Mark]) -> dict[str, int]:
    return {mark.value: counts[mark] for mark in Mark if counts[mark]}
