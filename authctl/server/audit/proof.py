"""Tells whether a row is what its writer recorded: its MAC fits the row before it, and its personal part the digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.errors import Refused
from authctl.server.audit import chain
from authctl.server.audit.anchor_judgement import AnchorJudge
from authctl.server.audit.explanations import Explanations

if TYPE_CHECKING:
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction


class Proof:
    """Of the rows of one trail, on one snapshot; nobody without the audit key can make a row that it takes for genuine.

    doubtful  rows that were needed and are not genuine; whoever meets one counts it

    Raises Refused when removals or erasures were written with another key, so that nothing they explain is known.
    """

    def __init__(self, tx: Transaction, keys: TrailKeys, instance_id: str) -> None:
        self._tx = tx
        self._audit_key = keys.audit
        self._audit_key_id = chain.audit_key_id(keys.audit)
        self._keys: dict[str, bytes] = {}
        self._macs: dict[str, dict[int, bytes]] = {}
        self.doubtful = 0
        self.generation = tx.instance.generation()
        self.explanations = Explanations(AnchorJudge(keys, instance_id, self.generation)).read(tx)
        if not self.explanations.is_key_ours:
            raise Refused("The trail was written with another audit key", hint="give the key that it was made with")

    def previous(self, writer_id: str, seq: int) -> bytes | None:
        """The MAC of the row before, as far as anything has it."""
        if seq == 1:
            return chain.START
        mac = self._macs.get(writer_id, {}).get(seq - 1) or self._tx.events.mac_at(writer_id, seq - 1)
        if mac is None:
            span = self.explanations.removed(writer_id).covering(seq - 1)
            mac = span.mac if span is not None and span.last == seq - 1 else None
        return mac

    def remember(self, row: EventRow) -> None:
        """A genuine row that may not be in the table: the next one is held against it."""
        ends = self._macs.setdefault(row[14], {})
        ends[row[15]] = row[20]
        ends.pop(row[15] - 1, None)

    def is_genuine(self, row: EventRow) -> bool | None:
        """Whether a row is what was recorded; None when the row before it, or the key, is nowhere: nobody can tell."""
        try:
            previous, key = self.previous(row[14], row[15]), self._key_of(row[14])
            if previous is None or not key:
                return None
            mac = chain.compute_mac(key, row, previous)
            return mac == row[20] and chain.is_personal_part_intact(row)
        except (TypeError, ValueError, AttributeError, OverflowError):  # a value of a type that no event has
            return False

    def _key_of(self, writer_id: str) -> bytes:
        """Of one chain; empty when its first row names another audit key."""
        key = self._keys.get(writer_id)
        if key is None:
            first = self._tx.events.at(writer_id, 1)
            is_ours = first is None or self._audit_key_id in (first[18] or self._audit_key_id)
            key = chain.derive_writer_key(self._audit_key, writer_id) if is_ours else b""
            self._keys[writer_id] = key
        return key
