"""`authctl config show`: shows every setting and where it comes from."""

from __future__ import annotations

from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output

COLUMNS = (
    Column("name", "Setting"),
    Column("value", "Value"),
    Column("source", "Source"),
    Column("help", "Meaning"),
)


def show(output_format: FormatOption = Format.TABLE) -> None:
    """Show every setting and where it comes from.

    Secrets are masked. Settings come from options, the environment, a file .env in the working directory, or defaults.

    Example: authctl config show --format json
    """
    from authctl.settings import describe, load_settings, settings_warnings

    settings = load_settings()
    output = Output(output_format)
    output.table(({key: getattr(row, key) for key in row.__slots__} for row in describe(settings)), COLUMNS)
    for warning in settings_warnings(settings):
        output.warning(warning)
