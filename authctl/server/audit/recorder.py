"""The one call that features make to leave an event: it becomes part of the unit's own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.server.audit.events import Event
    from authctl.server.storage.transaction import Transaction


def record(tx: Transaction, event: Event) -> None:
    """Appends the event to the trail, durable exactly when the unit's changes are.

    Raises AuditUnavailable when it cannot be written; the unit must let that pass, so that nothing changes.
    """
    tx.journal.append(tx, event)
