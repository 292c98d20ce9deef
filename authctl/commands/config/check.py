"""`authctl config check`: checks the settings and lists every problem."""

from __future__ import annotations

import typer

from authctl.commands._errors import NO
from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output

COLUMNS = (Column("severity", "Severity"), Column("finding", "Finding"))


def check(output_format: FormatOption = Format.TABLE) -> None:
    """Check the settings, and list every problem.

    Exits 1 when there is a problem. A warning alone exits 0.

    Example: authctl config check
    """
    problems, warnings = _findings()
    findings = [("problem", text) for text in problems] + [("warning", text) for text in warnings]
    output = Output(output_format)
    output.table(
        ({"severity": severity, "finding": text} for severity, text in findings), COLUMNS, empty="No problems found."
    )
    if problems:
        output.hint("the service does not start before these are mended")
        raise typer.Exit(NO)


def _findings() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Problems and warnings; keys are looked at where they are already, and never made."""
    from authctl.errors import SettingsError
    from authctl.settings import load_settings, settings_warnings

    try:
        settings = load_settings()
        if settings.is_production or settings.key_dir.exists():
            from authctl.server.keys import load_keys

            load_keys(settings, create=False)
    except SettingsError as error:
        return error.problems, ()
    return (), settings_warnings(settings)
