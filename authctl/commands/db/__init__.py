"""`authctl db`: look after the database schema."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "upgrade": Lazy("authctl.commands.db.upgrade:upgrade", "Bring the database to this program's schema."),
        "current": Lazy("authctl.commands.db.current:current", "Show the schema version of the database."),
    },
    name="db",
    help="Look after the database schema.\n\nExample: authctl db upgrade",
)
