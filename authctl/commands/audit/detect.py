"""`authctl audit detect`: looks for attacks and carelessness in the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from authctl.commands._errors import NO
from authctl.commands._filters import Filters, filtered
from authctl.commands._output import Column, Format, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.detect.detection import Report
    from authctl.server.audit.detect.interface import Rule, Thresholds
    from authctl.settings import Settings

SARIF: Final = "sarif"
DEFAULT_SPAN: Final = "24h"
RULE_COLUMNS: Final = (
    Column("name", "Rule"),
    Column("severity", "Severity"),
    Column("title", "Finds"),
    Column("thresholds", "Thresholds"),
    Column("description"),
    Column("advice"),
)


class FindingFormat(StrEnum):
    """How findings are written: as every answer is, or for tools that collect findings."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    SARIF = "sarif"


class Least(StrEnum):
    """The severities of findings, from the one that matters least."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@filtered(
    without=(
        "event", "user", "ip", "agent", "reason", "success", "contains", "limit", "order", "count_by", "print_query",
        "utc",
    ),
    defaults={"since": DEFAULT_SPAN},
)  # fmt: skip
def detect(
    filters: Filters,
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="NAME", help="Only this rule; several: these rules.")
    ] = None,
    severity: Annotated[
        Least,
        typer.Option("--severity", metavar="low|medium|high|critical", help="Only findings at least this severe."),
    ] = Least.LOW,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold",
            metavar="NAME=VALUE",
            help="In place of the setting DETECT_NAME, such as minutes=30; several.",
        ),
    ] = None,
    *,
    list_rules: Annotated[
        bool, typer.Option("--list-rules", help="Show the rules with their thresholds, and look for nothing.")
    ] = False,
    output_format: Annotated[
        FindingFormat, typer.Option("--format", metavar="table|json|jsonl|csv|sarif", help="How the answer is written.")
    ] = FindingFormat.TABLE,
) -> None:
    """Look for attacks and carelessness in the trail.

    Each finding says what was seen, which events are behind it, and what to do. What began shortly before the span and
    reaches into it is seen whole, so that nothing falls between two runs. Times are in UTC. Exits 1 when anything was
    found, 0 when not.

    Example: authctl audit detect --since 7d --severity high

    Example: authctl audit detect --rule brute-force-address --threshold address-failures=5

    Example: authctl audit detect --format sarif > findings.sarif
    """
    from authctl.server.audit.detect.catalogue import rules_named

    settings, rules = _settings_with(threshold or ()), rules_named(_names(rule))
    if list_rules:
        _list(rules, thresholds_of(settings), output_format)
        return
    report = _look(filters, settings, rules, severity)
    if rule and report.not_run:
        raise _cannot_run(report)
    _show(report, rules, output_format)
    if report.findings:
        raise typer.Exit(NO)


def thresholds_of(settings: Settings) -> Thresholds:
    """The settings `DETECT_…` as the rules take them."""
    from authctl.server.audit.detect.interface import Thresholds

    return Thresholds(**{name: getattr(settings, f"detect_{name}") for name in Thresholds.__dataclass_fields__})


def _names(typed: Sequence[str] | None) -> list[str]:
    return [name.strip() for text in typed or () for name in text.split(",") if name.strip()]


def _settings_with(typed: Sequence[str]) -> Settings:
    """The settings, with thresholds that were typed in front of them. Raises UsageError or SettingsError."""
    import difflib

    from authctl.errors import UsageError
    from authctl.server.audit.detect.interface import Thresholds
    from authctl.settings import load_settings

    known = [name.replace("_", "-") for name in Thresholds.__dataclass_fields__]
    given: dict[str, Any] = {}
    for text in typed:
        name, sign, value = text.partition("=")
        plain = name.strip().lower().replace("_", "-").removeprefix("detect-")
        if not sign or not value.strip():
            raise UsageError(f"--threshold {text} is no NAME=VALUE", hint="such as --threshold minutes=30")
        if plain not in known:
            near = difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            raise UsageError(f"There is no threshold {name.strip()}", hint=hint)
        if plain != "country-database" and not value.strip().isdecimal():
            raise UsageError(f"--threshold {text}: {value.strip()} is no whole number")
        given[f"detect_{plain.replace('-', '_')}"] = value.strip()
    return load_settings(**given)


def _look(filters: Filters, settings: Settings, rules: Sequence[Rule], least: Least) -> Report:
    from authctl.server.audit.detect.detection import detect as run_rules
    from authctl.server.audit.detect.interface import Severity, Window

    now = datetime.now(UTC)
    wanted = filters.wanted(now)
    window = Window(wanted.since or now, wanted.until or now)
    with filters.source() as source:
        return run_rules(source, window, thresholds_of(settings), rules=rules, least=Severity(least.value))


def _cannot_run(report: Report) -> Exception:
    from authctl.server.audit.detect.interface import CannotRun

    one = report.not_run[0]
    return CannotRun(f"The rule {one.rule} cannot run: {one.why}", hint=one.hint)


def _show(report: Report, rules: Sequence[Rule], output_format: FindingFormat) -> None:
    from authctl.commands.audit import _findings

    if output_format is FindingFormat.SARIF:
        from authctl.server.audit.detect.sarif import to_sarif

        output = Output(Format.JSON)
        output.record(to_sarif(report, rules))
    else:
        output = Output(Format(output_format.value))
        _findings.show(report, output)
    _findings.tell(report, output)


def _list(rules: Sequence[Rule], thresholds: Thresholds, output_format: FindingFormat) -> None:
    from authctl.errors import UsageError

    if output_format is FindingFormat.SARIF:
        raise UsageError("--list-rules has no SARIF form", hint="add --format json")
    rows = (
        {
            "name": rule.name,
            "severity": rule.severity,
            "title": rule.title,
            "thresholds": {name.replace("_", "-"): getattr(thresholds, name) for name in rule.thresholds},
            "description": rule.description,
            "advice": rule.advice,
        }
        for rule in rules
    )
    Output(Format(output_format.value)).table(rows, RULE_COLUMNS)
