"""Finds the rows of lines: each row is read together with those that follow it, since lines of a chain are in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

_AHEAD = 256


class RowPages:
    """Some rows of each chain that is being read."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ahead: dict[str, dict[int, EventRow]] = {}

    def at(self, writer_id: str, seq: int) -> EventRow | None:
        """The row at one place of a chain."""
        rows = self._ahead.get(writer_id)
        if rows is None or seq not in rows:
            found = self._tx.events.between(writer_id, after=seq - 1, last=seq + _AHEAD, most=_AHEAD)
            rows = self._ahead[writer_id] = {row[15]: row for row in found}
        row = rows.pop(seq, None)
        if not rows:
            del self._ahead[writer_id]
        return row
