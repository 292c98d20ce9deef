"""Verifies the trail: every chain row by row, every checkpoint, every anchor, and the file against the table.

What it finds: rows edited, inserted, deleted, reordered, and a tail cut off behind a checkpoint or behind what the file
holds. What it cannot find: a rewrite of everything after the last checkpoint that left the machine, by someone who has
the live keys.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from authctl.server.audit import chain
from authctl.server.audit.anchors import AnchorKind, Anchors, parse_anchors
from authctl.server.audit.events import EventType
from authctl.server.audit.file_verification import FileCheck
from authctl.server.audit.findings import FindingKind, Report, Verdict
from authctl.server.storage.instances import FIRST_GENERATION

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.events import Head
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction


def verify_trail(
    tx: Transaction, keys: TrailKeys, instance_id: str, log_file: Path | None = None, sure_until: int = 0
) -> Verdict:
    """Goes through one snapshot of the trail; memory stays flat.

    log_file    the file to hold against the table
    sure_until  its size before the snapshot was taken: lines up to there must have rows
    """
    report = Report()
    writers = {writer.id: writer for writer in tx.writers.all()}
    report.counts.writers = len(writers)
    file = None
    if log_file is not None:
        file = FileCheck(tx, log_file, sure_until, writers, report)
        file.read_file()
    check = _ChainCheck(tx, keys, instance_id, writers, report, file)
    for row in tx.events.in_chains():
        check.take(row)
    check.finish()
    return report.verdict()


class _ChainCheck:
    """Takes every row, chain by chain."""

    def __init__(
        self,
        tx: Transaction,
        keys: TrailKeys,
        instance_id: str,
        writers: dict[str, AuditWriter],
        report: Report,
        file: FileCheck | None,
    ) -> None:
        self._tx = tx
        self._keys = keys
        self._audit_key_id = chain.audit_key_id(keys.audit)
        self._instance_id = instance_id
        self._generation = tx.instance.generation()
        self._is_beginning_known = self._generation == FIRST_GENERATION
        self._writers = writers
        self._report = report
        self._file = file
        self._unseen = set(writers)
        self._writer_id: str | None = None
        self._key = b""
        self._seq = 0
        self._previous: bytes | None = chain.START
        self._is_key_ours = True
        self._erased: EventRow | None = None

    def take(self, row: EventRow) -> None:
        """The next row of the stream."""
        if row[14] != self._writer_id:
            self._end_chain()
            self._begin_chain(row)
        self._report.counts.rows += 1
        self._check_sequence(row)
        if row[18] is not None or row[15] == 1 or row[1] == EventType.CHECKPOINT.value:
            self._check_anchors(row)
        if self._is_key_ours:
            self._check_content(row)
        if self._file is not None:
            self._file.expect_line(row)
        self._seq, self._previous = row[15], row[20]

    def finish(self) -> None:
        """The stream has ended."""
        self._end_chain()
        for writer_id in sorted(self._unseen):
            if self._writers[writer_id].last_seq:
                self._add(FindingKind.WRITER_MISSING, writer_id, 1, None, "every row of the chain is missing")
        if not self._is_beginning_known:
            # Otherwise raising the number would be all it takes to have the file's lines left out of the comparison.
            sentence = f"The trail is of generation {self._generation}, and no event tells of the reset that began it"
            self._report.add(FindingKind.RESET_UNEXPLAINED, "", 0, None, sentence)
        if self._erased is not None and not self._tx.events.count_of_type(EventType.USER_ERASED.value):
            row = self._erased
            sentence = "personal fields were erased, and no event tells of an erasure"
            self._add(FindingKind.ERASURE_UNEXPLAINED, row[14], row[15], row[0], sentence)

    def _begin_chain(self, row: EventRow) -> None:
        writer_id = self._writer_id = row[14]
        self._key = chain.derive_writer_key(self._keys.audit, writer_id)
        self._seq, self._previous, self._is_key_ours = 0, chain.START, True
        self._unseen.discard(writer_id)
        if writer_id not in self._writers:
            self._add(FindingKind.WRITER_UNKNOWN, writer_id, row[15], row[0], "the table of writers has no such writer")

    def _end_chain(self) -> None:
        writer_id = self._writer_id
        if writer_id is None:
            return
        if self._file is not None:
            self._file.end_chain(writer_id)
        writer = self._writers.get(writer_id)
        if writer is None:
            return
        if writer.last_seq > self._seq:
            gone = f"rows {self._seq + 1} to {writer.last_seq} are missing at the end"
            self._add(FindingKind.TAIL_MISSING, writer_id, self._seq + 1, None, gone)
        elif writer.last_seq < self._seq:
            self._add(
                FindingKind.HEAD_DIFFERS, writer_id, writer.last_seq + 1, None, "rows stand behind the chain's head"
            )
        elif self._previous != writer.last_mac:
            self._add(FindingKind.HEAD_DIFFERS, writer_id, self._seq, None, "the last row is not the chain's head")

    def _check_sequence(self, row: EventRow) -> None:
        seq = row[15]
        if seq > self._seq + 1:
            gone = f"rows {self._seq + 1} to {seq - 1} are missing"
            self._add(FindingKind.ROWS_MISSING, row[14], self._seq + 1, row[0], gone)
            self._previous = None
        elif seq <= self._seq:
            self._add(FindingKind.ROW_REPEATED, row[14], seq, row[0], "the sequence number stands twice")
            self._previous = None

    def _check_content(self, row: EventRow) -> None:
        """What follows a hole cannot be held against the row before it; its own content is the next row's business."""
        try:
            is_personal_intact = chain.is_personal_part_intact(row)
            is_mac_right = self._previous is None or hmac.compare_digest(
                chain.compute_mac(self._key, row, self._previous), row[20]
            )
        except (TypeError, ValueError, AttributeError):  # a value of a type that no event has
            is_personal_intact = is_mac_right = False
        if not is_mac_right:
            self._add(FindingKind.ROW_ALTERED, row[14], row[15], row[0], "the row does not fit its MAC")
        elif not is_personal_intact:
            sentence = "the e-mail, address, user agent or details are not what was recorded"
            self._add(FindingKind.ROW_ALTERED, row[14], row[15], row[0], sentence)
        elif row[16] is None:
            self._report.counts.erased += 1
            self._erased = self._erased or row

    def _check_anchors(self, row: EventRow) -> None:
        try:
            anchors = parse_anchors(row[18] if isinstance(row[18], str) else "")
        except ValueError:
            self._add(FindingKind.ANCHORS_INVALID, row[14], row[15], row[0], "the anchors cannot be read")
            return
        if (anchors.writer, anchors.seq, anchors.instance) != (row[14], row[15], self._instance_id):
            self._add(FindingKind.ANCHORS_INVALID, row[14], row[15], row[0], "the anchors belong to another row")
        if anchors.generation != self._generation:
            sentence = f"the anchors are of generation {anchors.generation}, the trail is of {self._generation}"
            self._add(FindingKind.ANCHORS_INVALID, row[14], row[15], row[0], sentence)
        elif anchors.kind is AnchorKind.RESET:
            self._is_beginning_known = True
        if anchors.audit_key != self._audit_key_id:
            self._is_key_ours = False
            sentence = f"the chain names the audit key {anchors.audit_key}, the one at hand is {self._audit_key_id}"
            self._add(FindingKind.KEY_UNKNOWN, row[14], row[15], row[0], sentence)
        if (anchors.kind is AnchorKind.CHECKPOINT) or row[1] == EventType.CHECKPOINT.value:
            self._check_signature(row, anchors)
        if anchors.kind is not AnchorKind.RESET:
            for head in anchors.heads:
                self._check_head(row, head)

    def _check_signature(self, row: EventRow, anchors: Anchors) -> None:
        self._report.counts.checkpoints += 1
        if anchors.key is None or not self._keys.is_known(anchors.key):
            sentence = f"the checkpoint names the key {anchors.key}, which is not known"
            self._add(FindingKind.KEY_UNKNOWN, row[14], row[15], row[0], sentence)
        elif row[19] is None or not self._keys.is_signature_valid(anchors.key, row[18], row[19]):
            self._add(FindingKind.CHECKPOINT_INVALID, row[14], row[15], row[0], "the checkpoint's signature is wrong")

    def _check_head(self, row: EventRow, head: Head) -> None:
        mac = self._tx.events.mac_at(head.writer_id, head.seq)
        if mac == head.mac:
            return
        named = f"row {head.seq} of writer {head.writer_id} is named by row {row[15]} of writer {row[14]}"
        if mac is not None:
            sentence = f"{named} with another MAC"
            self._report.add(FindingKind.CHECKPOINT_CONTRADICTED, head.writer_id, head.seq, row[0], sentence)
        else:
            self._report.add(FindingKind.TAIL_MISSING, head.writer_id, head.seq, row[0], f"{named} and is missing")

    def _add(self, kind: FindingKind, writer_id: str, seq: int, event_id: str | None, what: str) -> None:
        self._report.add(kind, writer_id, seq, event_id, f"Row {seq} of writer {writer_id}: {what}")
