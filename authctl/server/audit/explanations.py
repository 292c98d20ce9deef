"""What the trail itself tells of its holes and blanks: the signed removals and erasures, chain by chain.

They are read before anything else, from the events that are never removed. What is not signed, or stands where it was
not made for, explains nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from authctl.server.audit.anchors import AnchorKind
from authctl.server.audit.events import ChainRange, EventType

if TYPE_CHECKING:
    from authctl.server.audit.anchor_judgement import AnchorJudge, Judgement
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

BEYOND = (1 << 63) - 1
"""Behind every sequence."""
_MAC_BYTES = 32


class Teller(NamedTuple):
    """The event that tells of ranges."""

    event_id: str
    event_type: str
    writer_id: str
    seq: int

    @property
    def is_archive(self) -> bool:
        """Whether the rows went into an archive, and not away."""
        return self.event_type == EventType.AUDIT_ARCHIVE.value


class Span(NamedTuple):
    """A range of one chain, with the MAC of its last row where it was removed."""

    first: int
    last: int
    mac: bytes
    teller: Teller


class Spans:
    """The ranges of one chain in their order; some 50 bytes each, since years of retention leave many."""

    __slots__ = ("_firsts", "_is_sorted", "_lasts", "_macs", "_places", "_tellers")

    def __init__(self, tellers: list[Teller]) -> None:
        self._tellers = tellers
        self._firsts = array("q")
        self._lasts = array("q")
        self._macs = bytearray()
        self._places = array("q")
        self._is_sorted = True

    def add(self, one: ChainRange) -> None:
        """A range that the newest of the tellers names."""
        self._is_sorted = self._is_sorted and not (self._firsts and one.first < self._firsts[-1])
        self._firsts.append(one.first)
        self._lasts.append(one.last)
        self._macs += one.mac.ljust(_MAC_BYTES, b"\0")
        self._places.append(len(self._tellers) - 1)

    def covering(self, seq: int) -> Span | None:
        """The range that holds a sequence."""
        index = self._behind(seq) - 1
        if index < 0 or self._lasts[index] < seq:
            return None
        mac = bytes(self._macs[index * _MAC_BYTES : (index + 1) * _MAC_BYTES])
        return Span(self._firsts[index], self._lasts[index], mac, self._tellers[self._places[index]])

    def next_first(self, seq: int) -> int:
        """Where the next range behind a sequence begins."""
        index = self._behind(seq)
        return self._firsts[index] if index < len(self._firsts) else BEYOND

    def _behind(self, seq: int) -> int:
        if not self._is_sorted:
            order = sorted(range(len(self._firsts)), key=lambda index: (self._firsts[index], self._lasts[index]))
            macs = [self._macs[index * _MAC_BYTES : (index + 1) * _MAC_BYTES] for index in order]
            self._firsts, self._lasts, self._places = (
                array("q", (values[index] for index in order)) for values in (self._firsts, self._lasts, self._places)
            )
            self._macs = bytearray().join(macs)
            self._is_sorted = True
        return bisect_right(self._firsts, seq)


_EVENTS = {
    EventType.AUDIT_PRUNE: AnchorKind.REMOVAL,
    EventType.AUDIT_ARCHIVE: AnchorKind.REMOVAL,
    EventType.USER_ERASED: AnchorKind.ERASURE,
}


class Explanations:
    """Which rows were removed or blanked, as far as a signature says so."""

    def __init__(self, judge: AnchorJudge) -> None:
        self._judge = judge
        self._tellers: list[Teller] = []
        self._nothing = Spans(self._tellers)
        self._removed: dict[str, Spans] = {}
        self._erased: dict[str, Spans] = {}
        self._trusted: set[str] = set()
        self.is_key_ours = True

    def read(self, tx: Transaction) -> Explanations:
        """Takes in all there are."""
        for event_type, kind in _EVENTS.items():
            with closing(tx.anchored.of_type(event_type.value)) as rows:
                for row in rows:
                    self._take(row, kind)
        return self

    def add(self, row: EventRow) -> None:
        """One more event that explains, be it in the table or not."""
        kind = next((kind for event_type, kind in _EVENTS.items() if event_type == row[1]), None)
        if kind is not None:
            self._take(row, kind)

    def removed(self, writer_id: str) -> Spans:
        """Rows of a chain that were taken out of the table."""
        return self._removed.get(writer_id, self._nothing)

    def erased(self, writer_id: str) -> Spans:
        """Rows of a chain that were blanked."""
        return self._erased.get(writer_id, self._nothing)

    def writers_with_removals(self) -> frozenset[str]:
        """The chains that have lost rows."""
        return frozenset(self._removed)

    def judge(self, row: EventRow) -> Judgement:
        """As the judge does, without looking twice at the same signature."""
        return self._judge.judge(row, is_signature_known=row[0] in self._trusted)

    def _take(self, row: EventRow, kind: AnchorKind) -> None:
        judgement = self._judge.judge(row)
        anchors = judgement.anchors
        if anchors is None or anchors.kind is not kind:
            return  # a chain's first row has anchors of its own; what is wrong is found where the row is met
        self.is_key_ours = self.is_key_ours and judgement.is_ours
        if not judgement.is_trusted:
            return
        self._trusted.add(row[0])
        self._tellers.append(Teller(row[0], row[1], row[14], row[15]))
        spans_of = self._erased if kind is AnchorKind.ERASURE else self._removed
        for one in anchors.ranges:
            spans = spans_of.get(one.writer_id)
            if spans is None:
                spans = spans_of[one.writer_id] = Spans(self._tellers)
            spans.add(one)


def find_removal(tx: Transaction, judge: AnchorJudge, writer_id: str, seq: int) -> ChainRange | None:
    """The trusted removal that took out one row: newest first, for a look at a few rows that are not there."""
    for event_type in (EventType.AUDIT_PRUNE, EventType.AUDIT_ARCHIVE):
        with closing(tx.anchored.of_type(event_type.value, newest_first=True)) as rows:
            for row in rows:
                judgement = judge.judge(row) if writer_id in (row[18] or "") else None
                if judgement is None or judgement.anchors is None or not judgement.is_trusted:
                    continue
                for one in judgement.anchors.ranges:
                    if one.writer_id == writer_id and one.first <= seq <= one.last:
                        return one
    return None
