"""The columns of an archive's files: those of the table, each with its exact values."""

from __future__ import annotations

from authctl.server.storage.event_query import EVENT_COLUMNS
from authctl.server.storage.parquet import Column, Kind

NAMES: tuple[str, ...] = (
    "id", "event_type", "user_email", "user_id", "ip_address", "user_agent", "success", "details", "created_at",
    "actor", "target_user_id", "reason", "request_id", "peer_address", "writer_id", "seq", "salt", "personal_digest",
    "anchors", "signature", "mac",
)  # fmt: skip
"""As `storage.events.COLUMNS` has them, which costs the import of the SQL toolkit; a test compares the two."""

_KINDS = {
    "success": Kind.NUMBER, "created_at": Kind.TIME, "seq": Kind.NUMBER, "salt": Kind.BYTES,
    "personal_digest": Kind.BYTES, "signature": Kind.BYTES, "mac": Kind.BYTES,
}  # fmt: skip
COLUMNS: tuple[Column, ...] = tuple(Column(name, _KINDS.get(name, Kind.TEXT)) for name in NAMES)
"""What a file holds."""
ASKED: tuple[Column, ...] = tuple(column for column in COLUMNS if column.name in EVENT_COLUMNS)
"""What questions can see: no bytes of the chain."""
TIME = "strftime(created_at, '%Y-%m-%d %H:%M:%S.%f')"
"""The time in SQL, in the very text that the chain covers."""
ROW = ", ".join(f"{TIME} AS {name}" if name == "created_at" else name for name in NAMES)
"""In SQL, a row as the table has it."""
