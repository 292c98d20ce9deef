"""Walks one chain from row to row: each has to fit its MAC, and whatever is missing or blank has to be explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.server.audit import chain
from authctl.server.audit.anchors import AnchorKind
from authctl.server.audit.events import EventType
from authctl.server.audit.explanations import BEYOND
from authctl.server.audit.findings import FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.events import Head
    from authctl.server.audit.explanations import Explanations, Span
    from authctl.server.audit.file_verification import ExpectedLines
    from authctl.server.audit.findings import Report
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

_CHECKPOINT = EventType.CHECKPOINT.value


@dataclass(slots=True)
class Surroundings:
    """What the walks of one verification share.

    is_with_archive     whether rows of an archive are walked too, so that nothing archived may be missing
    is_beginning_known  whether a row was met that tells of the reset which began this trail
    """

    tx: Transaction
    keys: TrailKeys
    explanations: Explanations
    report: Report
    is_with_archive: bool = False
    is_beginning_known: bool = False

    def check_head(self, head: Head, named_by: str, event_id: str | None) -> None:
        """A row that another one names has to be there with that MAC, or to have been removed."""
        mac = self.tx.events.mac_at(head.writer_id, head.seq)
        if mac is None:
            span = self.explanations.removed(head.writer_id).covering(head.seq)
            if span is not None and span.last != head.seq:
                return
            mac = None if span is None else span.mac
        if mac == head.mac:
            return
        kind = FindingKind.TAIL_MISSING if mac is None else FindingKind.CHECKPOINT_CONTRADICTED
        what = "and is missing" if mac is None else "with another MAC"
        sentence = f"Row {head.seq} of writer {head.writer_id} is named by {named_by} {what}"
        self.report.add(kind, head.writer_id, head.seq, event_id, sentence)


class ChainWalk:
    """One chain. `take` is told of its rows in their order, `end` that there are no more.

    writer  what the table of writers says of it, None when it does not know it
    seq, previous  the row before the first one to come, and its MAC where that is known
    """

    def __init__(
        self,
        around: Surroundings,
        writer_id: str,
        writer: AuditWriter | None,
        lines: ExpectedLines | None = None,
        *,
        seq: int = 0,
        previous: bytes | None = chain.START,
    ) -> None:
        self._around = around
        self._report = around.report
        self._counts = around.report.counts
        self._writer_id = writer_id
        self._writer = writer
        self._lines = lines
        self._key = chain.derive_writer_key(around.keys.audit, str(writer_id))
        self._removed = around.explanations.removed(writer_id)
        self._erased = around.explanations.erased(writer_id)
        self._is_key_ours = around.explanations.is_key_ours
        self._seq = seq
        self._previous = previous
        self._mark = seq + 1
        """The next sequence at which there is more to look at than the row itself."""

    def take(self, row: EventRow, is_archived: bool = False) -> None:
        """The next row; `is_archived` when the archive has it and the table has not."""
        self._counts.rows += 1
        try:
            seq = row[15]
            if seq != self._seq + 1:
                self._meet_gap(row)
            if seq >= self._mark or is_archived:
                self._meet_mark(row, is_archived=is_archived)
            if row[18] is not None or seq == 1 or row[1] == _CHECKPOINT:
                self._check_anchors(row)
            if self._is_key_ours:
                self._check_content(row)
            self._seq, self._previous = seq, row[20]
        except (TypeError, ValueError, AttributeError, OverflowError):
            self._add(FindingKind.ROW_ALTERED, row, "a value is of a type that no event has")
            self._previous = None

    def end(self) -> None:
        """There are no more rows."""
        if self._lines is not None:
            self._lines.end()
        writer = self._writer
        if writer is None:
            return
        is_empty = self._seq == 0
        for first, last in self._bridge(self._seq + 1, writer.last_seq):
            gone = f"rows {first} to {last} are missing"
            if last < writer.last_seq:
                self._miss(FindingKind.ROWS_MISSING, first, gone)
            elif is_empty and first == 1:
                self._miss(FindingKind.WRITER_MISSING, 1, "every row of the chain is missing")
            else:
                self._miss(FindingKind.TAIL_MISSING, first, f"{gone} at the end")
        self._check_end(writer)

    def _check_end(self, writer: AuditWriter) -> None:
        last = writer.last_seq
        if self._seq > last:
            self._miss(FindingKind.HEAD_DIFFERS, last + 1, "rows stand behind the chain's head")
        elif self._removed.covering(last + 1) is not None or self._removed.next_first(last) != BEYOND:
            self._miss(FindingKind.HEAD_DIFFERS, last + 1, "rows behind the chain's head were removed")
        elif last and self._previous is not None and self._previous != writer.last_mac:
            self._miss(FindingKind.HEAD_DIFFERS, last, "the last row is not the chain's head")

    # Holes, blanks and lines.

    def _meet_gap(self, row: EventRow) -> None:
        if row[15] <= self._seq:
            self._add(FindingKind.ROW_REPEATED, row, "the sequence number stands twice")
            self._previous = None
            return
        for first, last in self._bridge(self._seq + 1, row[15] - 1):
            gone = f"Row {first} of writer {row[14]}: rows {first} to {last} are missing"
            self._report.add(FindingKind.ROWS_MISSING, row[14], first, row[0], gone)

    def _bridge(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Goes on behind a hole as far as removals explain it; yields what none explains."""
        while first <= last:
            span = self._removed.covering(first)
            if span is None:
                end = min(self._removed.next_first(first) - 1, last)
                self._previous = None
                yield first, end
            else:
                end = min(span.last, last)
                self._counts.removed += end - first + 1
                self._previous = span.mac if end == span.last else None
                if span.teller.is_archive and self._around.is_with_archive:
                    self._miss_in_archive(first, end, span)
            first = end + 1

    def _miss_in_archive(self, first: int, last: int, span: Span) -> None:
        gone = f"the archive lacks rows {first} to {last}, which row {span.teller.seq} of writer"
        self._miss(FindingKind.ARCHIVE_ROWS_MISSING, first, f"{gone} {span.teller.writer_id} put there")

    def _meet_mark(self, row: EventRow, *, is_archived: bool) -> None:
        seq: int = row[15]
        span = self._removed.covering(seq)
        if is_archived:
            self._counts.archived += 1
            if span is None:
                self._add(FindingKind.ROWS_MISSING, row, "only the archive has it, and no event tells of its removal")
        elif span is not None:
            told = f"row {span.teller.seq} of writer {span.teller.writer_id} tells of its removal"
            self._add(FindingKind.REMOVAL_CONTRADICTED, row, f"it stands in the table, and {told}")
        erased = self._erased.covering(seq)
        if erased is not None and row[16] is not None:
            told = f"row {erased.teller.seq} of writer {erased.teller.writer_id} tells of its erasure"
            self._add(FindingKind.ERASURE_CONTRADICTED, row, f"its personal fields are there, and {told}")
        lacking = BEYOND
        if self._lines is not None:
            lacking = self._lines.meet(row)
        if span is not None or erased is not None:
            self._mark = seq + 1
        else:
            self._mark = min(self._removed.next_first(seq), self._erased.next_first(seq), lacking)

    # Rows.

    def _check_content(self, row: EventRow) -> None:
        """What follows a hole cannot be held against the row before it; its own content is the next row's business."""
        previous = self._previous
        try:
            is_mac_right = previous is None or chain.compute_mac(self._key, row, previous) == row[20]
            is_personal_intact = chain.is_personal_part_intact(row)
        except (TypeError, ValueError, AttributeError):  # a value of a type that no event has
            is_mac_right = is_personal_intact = False
        if not is_mac_right:
            self._add(FindingKind.ROW_ALTERED, row, "the row does not fit its MAC")
        elif not is_personal_intact:
            self._add(FindingKind.ROW_ALTERED, row, _PERSONAL)
        elif row[16] is None:
            self._counts.erased += 1
            if self._erased.covering(row[15]) is None:
                sentence = "personal fields were erased, and no event tells of their erasure"
                self._add(FindingKind.ERASURE_UNEXPLAINED, row, sentence)

    def _check_anchors(self, row: EventRow) -> None:
        anchors, problems, is_ours, _ = self._around.explanations.judge(row)
        for problem in problems:
            self._add(problem.kind, row, problem.sentence)
        if row[1] == _CHECKPOINT:
            self._counts.checkpoints += 1
        if anchors is None:
            return
        self._is_key_ours = self._is_key_ours and is_ours
        if anchors.kind is AnchorKind.RESET:
            self._around.is_beginning_known = self._around.is_beginning_known or not problems
            return
        named_by = f"row {row[15]} of writer {row[14]}"
        for head in anchors.heads:
            is_before = (head.writer_id, head.seq) == (row[14], self._seq)
            if not (is_before and head.mac == self._previous):
                self._around.check_head(head, named_by, row[0])

    def _add(self, kind: FindingKind, row: EventRow, what: str) -> None:
        self._report.add(kind, row[14], row[15], row[0], f"Row {row[15]} of writer {row[14]}: {what}")

    def _miss(self, kind: FindingKind, seq: int, what: str) -> None:
        self._report.add(kind, self._writer_id, seq, None, f"Row {seq} of writer {self._writer_id}: {what}")


_PERSONAL = "the e-mail, address, user agent or details are not what was recorded"
