"""`authctl db upgrade`: brings the database to this program's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.errors import StorageMissing

if TYPE_CHECKING:
    from authctl.settings import Settings


def upgrade(output_format: FormatOption = Format.TABLE) -> None:
    """Bring the database to this program's schema.

    Creates database and keys when there are none. `authctl serve` does the same by itself on SQLite.

    Example: authctl db upgrade
    """
    from authctl.server.assembly import open_service
    from authctl.server.storage import schema
    from authctl.server.storage.engine import open_database
    from authctl.settings import load_settings

    settings = load_settings()
    before = version_of(settings)
    if not settings.database_url.startswith("sqlite"):
        open_database(settings.database_url, create=True, upgrade=True).close()
    open_service(settings, kind="cli", create=True).close()
    after = schema.HEAD
    output = Output(output_format)
    output.done(_sentence(before, after), {"before": before, "after": after, "changed": before != after})


def version_of(settings: Settings) -> str | None:
    """The schema version, None when there is no database."""
    from authctl.commands._session import require_database
    from authctl.server.storage import schema

    try:
        return schema.version(require_database(settings))
    except StorageMissing:
        return None


def _sentence(before: str | None, after: str) -> str:
    if before is None:
        return f"the database was created with schema {after}"
    return f"the database is at schema {after}" + ("" if before == after else f", it was at {before}")
