"""JSON lines: each event as one object with its columns, values exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.escaping import escaped_json
from authctl.server.audit.export.interface import FIELDS, SQLITE_TIME, time_of
from authctl.server.audit.export.json_lines import json_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.records import EventRecord

_IN_SQLITE = {"created_at": SQLITE_TIME, "success": "json(iif(success, 'true', 'false'))"}
_MEMBERS = ", ".join(f"'{name}', {_IN_SQLITE.get(name, name)}" for name in FIELDS)


class JsonLines:
    """`--format jsonl`; the names are those of the columns, as in the audit file."""

    name = "jsonl"
    sqlite_columns = f"json_object({_MEMBERS})"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def lines(self, records: Sequence[EventRecord]) -> bytes:
        """One object each."""
        return b"".join(json_line(record._asdict() | {"created_at": time_of(record)}) for record in records)

    def lines_of_sqlite(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        """The same from `sqlite_columns`."""
        text = "\n".join([row[0] for row in rows])
        return f"{escaped_json(text)}\n".encode()
