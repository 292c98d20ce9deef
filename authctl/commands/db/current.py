"""`authctl db current`: shows the schema version of the database."""

from __future__ import annotations

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import require_database


def current(output_format: FormatOption = Format.TABLE) -> None:
    """Show the schema version of the database.

    Example: authctl db current
    """
    from authctl.server.storage import schema
    from authctl.settings import load_settings

    found = schema.version(require_database(load_settings()))
    output = Output(output_format)
    output.record({"version": found, "newest": schema.HEAD, "is_current": found == schema.HEAD})
    if found != schema.HEAD:
        output.hint("authctl db upgrade brings the database to the newest version")
