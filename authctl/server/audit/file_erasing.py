"""Carries out in the audit file of this machine what erasures have done to the table, whichever machine they ran on."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from authctl.errors import AuditUnavailable
from authctl.server.audit.anchors import AnchorKind, parse_anchors
from authctl.server.audit.erasure_marks import Applied, Marks
from authctl.server.audit.file_scrubbing import Person, Scrubbed, Wanted, scrub
from authctl.server.audit.overwriting import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from authctl.server.audit.events import ChainRange
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import AuditLog
    from authctl.server.storage.transaction import Transaction

    Erasure = tuple[str, datetime]

log = logging.getLogger("authctl.audit")

_PATIENCE = 30.0
_PAUSE = 60.0
"""Seconds between two tries where the file cannot be written."""


class FileEraser:
    """One per process. What the file has been through stands beside it, so that processes share the work."""

    def __init__(self, database: Database, keys: TrailKeys, audit_file: Path | None) -> None:
        self._database = database
        self._keys = keys
        self._path = audit_file
        self._marks = None if audit_file is None else Marks(audit_file)
        self._applied: Applied | None = None
        self._pause_ends = 0.0

    async def look(self) -> None:
        """To be called every second or so: one quick question, and work only after an erasure.

        What cannot be done is said, and tried again after a while.
        """
        if time.monotonic() < self._pause_ends:
            return
        new = await self._database.read(self._unapplied)
        if not new:
            return
        try:
            await asyncio.to_thread(self._apply, new, None, 0.0)
        except AuditUnavailable as error:
            log.warning("erased lines are not blanked yet: %s", error.hint or error.detail)
            self._pause_ends = time.monotonic() + _PAUSE

    def carry_out(self, email: str, ids: tuple[str, ...]) -> Scrubbed:
        """Everything that is new, and lines of one person whose rows are not in the table any more.

        Raises AuditUnavailable when another process does not come to an end with it, or the file cannot be written.
        """
        done = self._apply(
            self._database.read_now(self._unapplied), Person(email, ids, self._is_gone), patience=_PATIENCE
        )
        if done is None:
            raise AuditUnavailable(hint=f"another process is at work on {self._path}; it goes on by itself")
        return done

    def _unapplied(self, tx: Transaction) -> list[Erasure]:
        if self._marks is None:
            return []
        applied = self._applied = self._applied or self._marks.load()
        return [erasure for erasure in tx.erasures.since(applied.older) if erasure not in applied]

    def _apply(self, erasures: list[Erasure], person: Person | None, patience: float) -> Scrubbed | None:
        """None when another process is at it."""
        if self._path is None or self._marks is None:
            return Scrubbed()
        workplace, marks = Workplace(self._path), self._marks
        with workplace.taken(patience) as is_ours:
            if not is_ours:
                return None
            before = marks.load()
            new = [erasure for erasure in erasures if erasure not in before]
            wanted = Wanted(self._ranges_of(new), person)
            done = scrub(self._path, workplace, wanted, lambda: marks.store(before)) if wanted else Scrubbed()
            if new:
                marks.store(before.with_more(new))
        if done.lines:
            log.info("%d lines of erased rows were blanked in %s", done.lines, self._path)
        # Known here even where no mark can be written.
        self._applied = (self._applied or before).with_more(erasures)
        return done

    def _ranges_of(self, erasures: Iterable[Erasure]) -> list[ChainRange]:
        found: list[ChainRange] = []
        for event_id, _ in erasures:
            row = self._database.read_now(lambda tx, wanted=event_id: tx.events.by_id(wanted))  # type: ignore[misc]
            if row is not None and row.anchors is not None:
                found += ranges_proven_by(row, self._keys)
        return found

    def _is_gone(self, writer_id: str, seq: int) -> bool:
        return self._database.read_now(lambda tx: tx.events.mac_at(writer_id, seq)) is None


def ranges_proven_by(row: AuditLog, keys: TrailKeys) -> tuple[ChainRange, ...]:
    """The rows that an erasure has blanked, when its signature holds: nothing else may have lines destroyed."""
    try:
        anchors = parse_anchors(row.anchors or "")
    except ValueError:
        anchors = None
    if (
        anchors is not None
        and anchors.kind is AnchorKind.ERASURE
        and (anchors.writer, anchors.seq) == (row.writer_id, row.seq)
        and keys.is_signature_valid(anchors.key or "", row.anchors or "", row.signature or b"")
    ):
        return anchors.ranges
    log.warning("the erasure %s is not signed by this service; the audit file is left as it is", row.id)
    return ()
