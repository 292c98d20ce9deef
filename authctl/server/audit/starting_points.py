"""Where each chain stood at a checkpoint, so that only what came behind it has to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from authctl.server.audit import chain
from authctl.server.audit.backlog import milliseconds_of
from authctl.server.storage.times import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.server.audit.checkpoints import Checkpoint
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction


class Start(NamedTuple):
    """The row of a chain behind which to begin, and its MAC where that is known."""

    seq: int
    mac: bytes | None


class StartingPoints:
    """Of every chain, those that have no new rows included: their ends are looked at all the same."""

    def __init__(self, starts: Mapping[str, Start], began_ms: int) -> None:
        self._starts = starts
        self.began_ms = began_ms
        """The time of the checkpoint by the ids of events; 0 when its row is gone."""

    def writers(self) -> frozenset[str]:
        """The chains that there are; the table of writers may not know all of them."""
        return frozenset(self._starts)

    def of(self, writer_id: str) -> Start:
        """Where to begin; a chain that is not known begins with its first row."""
        return self._starts.get(writer_id, Start(0, chain.START))

    def is_behind(self, writer_id: str, seq: int) -> bool:
        """Whether a row is to be looked at."""
        return seq > self.of(writer_id).seq


def find_starting_points(tx: Transaction, writers: Mapping[str, AuditWriter], since: Checkpoint) -> StartingPoints:
    """Where to begin behind a checkpoint that has been checked.

    A chain that it names begins there. One that it does not name had not moved, or was not there yet: the first row
    of its that is not older is found by the index, and of a chain without such a row only the end is looked at.
    """
    anchors = since.anchors
    starts = {head.writer_id: Start(head.seq, head.mac) for head in anchors.heads}
    for writer_id, first in tx.anchored.first_since(read_time(anchors.time)):
        if writer_id not in starts:
            starts[writer_id] = _before(tx, writer_id, first)
    for writer_id, writer in writers.items():
        if writer_id not in starts:
            starts[writer_id] = _before(tx, writer_id, max(writer.last_seq, 1))
    row = tx.events.at(anchors.writer, anchors.seq)
    return StartingPoints(starts, 0 if row is None else milliseconds_of(row[0]))


def _before(tx: Transaction, writer_id: str, first: int) -> Start:
    if first == 1:
        return Start(0, chain.START)
    return Start(first - 1, tx.events.mac_at(writer_id, first - 1))
