"""Looks closer at single lines of the audit file: those that differ from their rows, and those whose rows are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from authctl.server.audit import chain
from authctl.server.audit.blank_lines import blanked
from authctl.server.audit.findings import FindingKind
from authctl.server.audit.lines import id_of, place_of, row_of

if TYPE_CHECKING:
    from authctl.server.audit.chain_walk import Surroundings
    from authctl.server.audit.explanations import Span
    from authctl.server.storage.events import EventRow


class LineCheck:
    """Line by line; remembers of each chain the last line that it has seen of a removed row."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._report = around.report
        self._seen: dict[str, tuple[int, bytes]] = {}

    def check_different(self, line: bytes, row: EventRow, expected: bytes) -> None:
        """A line that is not that of its row: erased and padded with blanks, or a finding that says what differs."""
        is_blank = row[16] is None
        if is_blank and line.rstrip(b" \n") == expected[:-1]:
            return
        where = f"The line of row {row[15]} of writer {row[14]}"
        stands = row_of(line)
        is_otherwise_equal = is_blank and blanked(line).rstrip(b" \n") == expected[:-1]
        if is_otherwise_equal and stands is not None and chain.is_personal_part_intact(stands):
            sentence = f"{where} still has what was erased from the table"
            self._report.add(FindingKind.LINE_NOT_ERASED, row[14], row[15], row[0], sentence)
            return
        sentence = f"{where} differs from the table in {_difference(line, expected)}{self._who_is_right(stands, row)}"
        self._report.add(FindingKind.LINE_ALTERED, row[14], row[15], row[0], sentence)

    def check_removed(self, line: bytes, span: Span) -> None:
        """A line whose row was removed from the table: it still has to fit the chain."""
        place = place_of(line)
        if place is None:
            return
        writer_id, seq, _ = place
        row = row_of(line)
        is_right = row is not None and self._fits(row, self._previous(writer_id, seq))
        if row is not None and seq == span.last:
            is_right = is_right and row[20] == span.mac
        if not is_right:
            sentence = f"The line of row {seq} of writer {writer_id}, which was removed, is not what was recorded"
            self._report.add(FindingKind.LINE_ALTERED, writer_id, seq, id_of(line), sentence)
        if row is not None:
            self._seen[writer_id] = (seq, row[20])

    def _who_is_right(self, stands: EventRow | None, row: EventRow) -> str:
        previous = self._previous(row[14], row[15])
        if previous is None:
            return ""
        if stands is not None and self._fits(stands, previous):
            return "; the line is what was recorded"
        return "; the row is what was recorded" if self._fits(row, previous) else ""

    def _previous(self, writer_id: str, seq: int) -> bytes | None:
        """The MAC before a row, as far as anything has it."""
        if seq == 1:
            return chain.START
        last = self._seen.get(writer_id)
        if last is not None and last[0] == seq - 1:
            return last[1]
        mac = self._around.tx.events.mac_at(writer_id, seq - 1)
        if mac is None:
            span = self._around.explanations.removed(writer_id).covering(seq - 1)
            mac = span.mac if span is not None and span.last == seq - 1 else None
        return mac

    def _fits(self, row: EventRow, previous: bytes | None) -> bool:
        """Whether a row is what was recorded, as far as the keys at hand can tell."""
        if not self._around.explanations.is_key_ours:
            return True
        key = chain.derive_writer_key(self._around.keys.audit, row[14])
        try:
            is_mac_right = previous is None or chain.compute_mac(key, row, previous) == row[20]
            return is_mac_right and chain.is_personal_part_intact(row)
        except (TypeError, ValueError, AttributeError):
            return False


def _difference(line: bytes, expected: bytes) -> str:
    should: dict[str, object] = orjson.loads(expected)
    try:
        stands: dict[str, object] = dict(orjson.loads(line))
    except (ValueError, TypeError):
        return "its spelling"
    fields = sorted(name for name in stands.keys() | should.keys() if stands.get(name) != should.get(name))
    return ", ".join(fields) or "its spelling"
