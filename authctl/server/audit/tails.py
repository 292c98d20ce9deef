"""Looks at the ends of the chains before anything is added to them: a trail that was cut or edited there is not served.

`verification` goes through everything, which takes too long for a start; this is a few rows of the newest chains.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from authctl.errors import StorageDamaged
from authctl.server.audit import chain

if TYPE_CHECKING:
    from authctl.server.audit.keys import TrailKeys
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
    rows = tx.events.between(writer.id, after=max(0, last - 2), last=_HIGHEST, most=3)
    if [row[15] for row in rows] != list(range(max(1, last - 1), last + 1)):
        return False
    if not rows:
        return True
    previous = rows[0][20] if last > 1 else chain.START
    try:
        mac = chain.compute_mac(chain.derive_writer_key(keys.audit, writer.id), rows[-1], previous)
        return hmac.compare_digest(mac, rows[-1][20]) and hmac.compare_digest(mac, writer.last_mac)
    except (TypeError, ValueError, AttributeError):  # a value of a type that no event has
        return False
