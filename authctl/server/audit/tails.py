"""Looks at the ends of the chains before anything is added to them: a trail that was cut or edited there is not served.

`verification` goes through everything, which takes too long for a start; this is a few rows of the newest chains.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from authctl.errors import StorageDamaged
from authctl.server.audit import chain
from authctl.server.audit.anchor_judgement import AnchorJudge
from authctl.server.audit.explanations import find_removal

if TYPE_CHECKING:
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

MOST_CHAINS = 20
_HIGHEST = (1 << 63) - 1


def require_tails(tx: Transaction, keys: TrailKeys) -> None:
    """Raises StorageDamaged when one of the newest chains does not end as its writer left it (R-ST-03)."""
    for writer in tx.writers.newest(MOST_CHAINS):
        if not _ends_as_it_was_left(tx, keys, writer):
            raise StorageDamaged(
                f"The audit trail was changed at the end of the chain of writer {writer.id}",
                hint="authctl audit verify tells what is wrong; restore the database from a backup",
            )


def _ends_as_it_was_left(tx: Transaction, keys: TrailKeys, writer: AuditWriter) -> bool:
    last = writer.last_seq
    rows = {row[15]: row for row in tx.events.between(writer.id, after=max(0, last - 2), last=_HIGHEST, most=3)}
    if any(seq > last for seq in rows):
        return False
    if not last:
        return True
    row = rows.get(last)
    if row is None:
        return _removed_mac(tx, keys, writer.id, last) == writer.last_mac
    if last == 1:
        previous: bytes | None = chain.START
    else:
        before = rows.get(last - 1)
        previous = _removed_mac(tx, keys, writer.id, last - 1) if before is None else before[20]
    try:
        return previous is not None and _fits(keys, writer, row, previous)
    except (TypeError, ValueError, AttributeError):  # a value of a type that no event has
        return False


def _fits(keys: TrailKeys, writer: AuditWriter, row: EventRow, previous: bytes) -> bool:
    mac = chain.compute_mac(chain.derive_writer_key(keys.audit, writer.id), row, previous)
    return hmac.compare_digest(mac, row[20]) and hmac.compare_digest(mac, writer.last_mac)


def _removed_mac(tx: Transaction, keys: TrailKeys, writer_id: str, seq: int) -> bytes | None:
    """The MAC of a row that is gone, if a signed event tells that it was removed."""
    instance = tx.instance.load()
    removed = find_removal(tx, AnchorJudge(keys, instance.instance_id, instance.generation), writer_id, seq)
    return removed.mac if removed is not None and removed.last == seq else None
