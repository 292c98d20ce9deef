"""Verifies the trail: every chain row by row, every checkpoint, every anchor, the archive, and the file.

What it finds: rows edited, inserted, deleted, reordered or blanked that no signed event explains, and a tail cut off
behind a checkpoint or behind what the file holds. What it cannot find: a rewrite of everything after the last
checkpoint that left the machine, by someone who has the live keys.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from authctl.server.audit.anchor_judgement import AnchorJudge
from authctl.server.audit.archived_rows import merge
from authctl.server.audit.chain_walk import ChainWalk, Surroundings
from authctl.server.audit.checkpoints import check_checkpoint
from authctl.server.audit.explanations import BEYOND, Explanations
from authctl.server.audit.file_verification import FileCheck
from authctl.server.audit.findings import FindingKind, Report, Verdict
from authctl.server.audit.starting_points import find_starting_points
from authctl.server.storage.instances import FIRST_GENERATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from authctl.server.audit.checkpoints import Checkpoint
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.audit.starting_points import StartingPoints
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.tables import AuditWriter
    from authctl.server.storage.transaction import Transaction

_PAGE = 1000


class ArchivedRows(Protocol):
    """What a verification reads of an archive."""

    def in_chains(self) -> Iterator[EventRow]:
        """Every row, chain by chain, each in its order."""
        ...


def verify_trail(
    tx: Transaction,
    keys: TrailKeys,
    instance_id: str,
    log_file: Path | None = None,
    sure_until: int = 0,
    *,
    archive: ArchivedRows | None = None,
    kept: Checkpoint | None = None,
    since: Checkpoint | None = None,
    report: Report | None = None,
) -> Verdict:
    """Goes through one snapshot of the trail; memory stays flat.

    log_file    the file to hold against the table
    sure_until  its size before the snapshot was taken: lines up to there must have rows
    archive     rows that stand in front of the table's; whatever was archived has to be there
    kept        a checkpoint to hold the trail against
    since       one behind which to look only
    report      one that has findings already
    """
    report = report or Report()
    generation = tx.instance.generation()
    judge = AnchorJudge(keys, instance_id, generation)
    around = Surroundings(tx, keys, Explanations(judge).read(tx), report, is_with_archive=archive is not None)
    writers = {writer.id: writer for writer in tx.writers.all()}
    report.counts.writers = len(writers)
    if kept is not None:
        check_checkpoint(around, judge, kept, generation)
    if since is not None and not check_checkpoint(around, judge, since, generation):
        since = None
    starts = None if since is None else find_starting_points(tx, writers, since)
    file = None
    if log_file is not None:
        file = FileCheck(around, log_file, sure_until, writers, None if starts is None else starts.is_behind)
        file.read_file(0 if starts is None else starts.began_ms)
    walk = _TrailWalk(around, writers, file, starts)
    if starts is not None:
        walk.go_on(starts)
        return report.verdict()
    walk.go_through(archive)
    if generation != FIRST_GENERATION and not around.is_beginning_known:
        # Otherwise raising the number would be all it takes to have the file's lines left out of the comparison.
        sentence = f"The trail is of generation {generation}, and no event tells of the reset that began it"
        report.add(FindingKind.RESET_UNEXPLAINED, "", 0, None, sentence)
    return report.verdict()


class _TrailWalk:
    """Takes every row, chain by chain."""

    def __init__(
        self,
        around: Surroundings,
        writers: dict[str, AuditWriter],
        file: FileCheck | None,
        starts: StartingPoints | None,
    ) -> None:
        self._around = around
        self._events = around.tx.events
        self._report = around.report
        self._writers = writers
        self._file = file
        self._starts = starts
        self._unseen = set(writers)

    def go_through(self, archive: ArchivedRows | None) -> None:
        """Everything there is."""
        rows: Iterable[tuple[EventRow, bool]]
        if archive is None:
            rows = zip(self._events.in_chains(), repeat(False))
        else:
            rows = merge(self._events.in_chains(), archive.in_chains(), self._report)
        self._walk(rows)
        for writer_id in sorted(self._unseen):
            self._begin(writer_id).end()
        for writer_id in sorted(self._around.explanations.writers_with_removals() - self._writers.keys()):
            sentence = f"Rows of writer {writer_id} were removed, and the table of writers has no such writer"
            self._report.add(FindingKind.WRITER_MISSING, writer_id, 1, None, sentence)

    def go_on(self, starts: StartingPoints) -> None:
        """Every chain behind the place where it begins."""
        for writer_id in sorted(starts.writers()):
            walk = None
            for row in self._behind(writer_id, starts.of(writer_id).seq):
                walk = walk or self._begin(writer_id, row)
                walk.take(row)
            (walk or self._begin(writer_id)).end()

    def _walk(self, rows: Iterable[tuple[EventRow, bool]]) -> None:
        writer_id, walk = None, None
        for row, is_archived in rows:
            if row[14] != writer_id or walk is None:
                if walk is not None:
                    walk.end()
                writer_id = row[14]
                walk = self._begin(row[14], row)
            walk.take(row, is_archived)
        if walk is not None:
            walk.end()

    def _begin(self, writer_id: str, row: EventRow | None = None) -> ChainWalk:
        self._unseen.discard(writer_id)
        writer = self._writers.get(writer_id)
        if writer is None and row is not None:
            sentence = f"Row {row[15]} of writer {writer_id}: the table of writers has no such writer"
            self._report.add(FindingKind.WRITER_UNKNOWN, writer_id, row[15], row[0], sentence)
        lines = None if self._file is None else self._file.lines_of(writer_id)
        if self._starts is None:
            return ChainWalk(self._around, writer_id, writer, lines)
        start = self._starts.of(writer_id)
        return ChainWalk(self._around, writer_id, writer, lines, seq=start.seq, previous=start.mac)

    def _behind(self, writer_id: str, after: int) -> Iterator[EventRow]:
        while rows := self._events.between(writer_id, after=after, last=BEYOND, most=_PAGE):
            yield from rows
            after = rows[-1][15]
