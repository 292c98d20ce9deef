"""Mends log file and table from each other, and leaves the event of it: `service.repair`."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.errors import StorageMissing, UsageError
from authctl.server.audit.events import Event, EventType, origin_of
from authctl.server.audit.file_repair import FileRepair, Mending
from authctl.server.audit.recorder import record
from authctl.server.audit.row_restoring import Restoring, RowRestoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.events import Caller
    from authctl.server.audit.journal import Recording
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction


class Repair:
    """One direction each; with `dry_run` nothing is written, and no event."""

    def __init__(self, database: Database, recording: Recording) -> None:
        self._database = database
        self._recording = recording

    async def mend_file(self, path: Path | None, caller: Caller, *, dry_run: bool = False) -> Mending:
        """Makes a file, by default the one that is being written, what the table says that it should be.

        Raises UsageError for a file that is not one of lines, StorageMissing for one that was rotated away and is gone,
        Conflict when it was rotated meanwhile, AuditUnavailable when it cannot be read or written.
        """
        recording = self._recording
        if recording.shipper is None:
            raise UsageError("There is no audit file")
        audit_file = recording.shipper.path
        target = _target_of(audit_file, path)
        repair = FileRepair(self._database, recording.keys, recording.instance_id, audit_file, target)
        planned = await asyncio.to_thread(repair.plan)
        if dry_run or planned.is_nothing:
            return planned
        event = partial(record, event=_mended(target, planned, caller))
        if not planned.is_lost:
            await self._database.write(event)
            return await asyncio.to_thread(repair.carry_out)
        # The event would be the first line of the file, and nothing older would be missed in it.
        done = await asyncio.to_thread(repair.carry_out)
        await self._database.write(event)
        return done

    async def restore_rows(self, files: Sequence[Path], caller: Caller, *, dry_run: bool = False) -> Restoring:
        """Brings back rows that the table lacks and the files have. Raises StorageMissing when a file is not there."""
        _require(files)
        recording = self._recording
        restoring = RowRestoring(self._database, recording.keys, recording.instance_id, files)
        if dry_run:
            return await asyncio.to_thread(restoring.plan)

        def tell(tx: Transaction, count: int) -> None:
            record(tx, _restored(files, count, caller))

        return await asyncio.to_thread(restoring.carry_out, tell)


def _target_of(audit_file: Path, path: Path | None) -> Path:
    target = audit_file if path is None else Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow a link
    if target != audit_file and not target.exists():
        raise StorageMissing(f"There is no file {target}", hint="the table alone cannot tell what was in it")
    return target


def _require(files: Sequence[Path]) -> None:
    for path in files:
        if not path.is_file():
            raise StorageMissing(f"There is no file {path}")


def _mended(path: Path, planned: Mending, caller: Caller) -> Event:
    what = f"{planned.written} lines written, {planned.mended} mended, {planned.rejected} taken out"
    details = f"Audit file {path} repaired from the table by {caller.actor or 'somebody'} {origin_of(caller)}: {what}"
    return Event(EventType.AUDIT_REPAIR, True, caller, details, reason="file")


def _restored(files: Sequence[Path], count: int, caller: Caller) -> Event:
    names = ", ".join(map(str, files))
    details = f"{count} rows restored by {caller.actor or 'somebody'} {origin_of(caller)} from {names}"
    return Event(EventType.AUDIT_REPAIR, True, caller, details, reason="table")
