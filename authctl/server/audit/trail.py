"""The audit trail as the rest of the service sees it: `service.audit`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from authctl.server.audit.archived_rows import open_archive
from authctl.server.audit.checkpoints import find_checkpoint, sign_checkpoint
from authctl.server.audit.events import Event, EventType, origin_of, wish
from authctl.server.audit.file_verification import measure_committed
from authctl.server.audit.findings import Report
from authctl.server.audit.health import HEALTHY, AuditHealth
from authctl.server.audit.own_events import OURSELVES, checkpoint_event
from authctl.server.audit.queries import to_filter
from authctl.server.audit.recorder import record
from authctl.server.audit.sources import DatabaseSource
from authctl.server.audit.verification import verify_trail

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.checkpoints import Checkpoint
    from authctl.server.audit.events import Caller
    from authctl.server.audit.findings import Verdict
    from authctl.server.audit.journal import Recording
    from authctl.server.audit.queries import EventQuery
    from authctl.server.audit.records import EventRecord
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

CHECKPOINT_SECONDS = 60.0
_MOST_ROUNDS = 20
"""Batches that one look after the file may take: 10,000 rows."""


class AuditTrail:
    """What can be asked of the trail and told to it outside a feature's own transaction."""

    def __init__(self, database: Database, recording: Recording) -> None:
        self._database = database
        self._recording = recording
        self._checkpointed = database.clock.monotonic()

    async def record_refused(
        self, event_type: EventType, reason: str, caller: Caller, user_id: str | None = None
    ) -> None:
        """A request that was refused before any feature saw it, of whoever brought a token. Raises AuditUnavailable."""
        what = wish(event_type).capitalize()
        details = f"{what} refused {origin_of(caller)}: {reason.replace('_', ' ')}"
        event = Event(event_type, False, caller, details, reason=reason, user_id=user_id, actor=user_id)
        await self._database.write(lambda tx: record(tx, _named(tx, event)))

    async def record_start(self, details: str) -> None:
        """The server begins to serve."""
        await self._record(Event(EventType.SERVER_START, True, OURSELVES, details))

    async def record_stop(self, details: str) -> None:
        """The server has stopped serving; closing the database adds the last checkpoint."""
        await self._record(Event(EventType.SERVER_STOP, True, OURSELVES, details))

    async def list(self, query: EventQuery) -> list[EventRecord]:
        """Events that fit, in the order asked for. Raises UsageError for a value that no event can have."""
        wanted = to_filter(query)
        return await self._database.read(lambda tx: list(DatabaseSource(tx.events).events(wanted)))

    async def verify(
        self, *, archive: Path | None = None, kept: Checkpoint | None = None, since: Checkpoint | str | None = None
    ) -> Verdict:
        """Holds chains, checkpoints and file against each other, on one snapshot.

        archive  a directory whose events belong to the trail
        kept     a checkpoint that was kept elsewhere, to hold the trail against
        since    a checkpoint, or its event id, behind which alone to look

        Raises NotFound or UsageError for an id that is not that of a checkpoint, and a StorageError for an archive that
        cannot be used.
        """
        recording = self._recording
        path = None if recording.shipper is None else recording.shipper.path
        sure_until = 0 if path is None else await asyncio.to_thread(measure_committed, path)

        def unit(tx: Transaction) -> Verdict:
            begin = find_checkpoint(tx, since) if isinstance(since, str) else since
            report = Report()
            keys, instance_id = recording.keys, recording.instance_id
            with open_archive(archive, keys, report, instance_id=instance_id) as archived:
                return verify_trail(
                    tx, keys, instance_id, path, sure_until, archive=archived, kept=kept, since=begin, report=report
                )

        return await self._database.read(unit)

    async def sign_checkpoint(self, caller: Caller) -> Checkpoint:
        """Signs the ends of all chains that have moved, and gives the last checkpoint when none has.

        Raises Refused when the trail is empty.
        """
        return await self._database.write(lambda tx: sign_checkpoint(tx, caller))

    async def checkpoint(self) -> bool:
        """Signs the heads of all chains that have moved since the last checkpoint; False when none has."""
        self._checkpointed = self._database.clock.monotonic()
        return await self._database.write(_checkpoint)

    async def checkpoint_if_due(self) -> None:
        """To be called every second or so: signs a checkpoint each minute and looks after the file in quiet times."""
        if self._database.clock.monotonic() - self._checkpointed >= CHECKPOINT_SECONDS:
            await self.checkpoint()
        shipper = self._recording.shipper
        if shipper is None:
            return
        generation = await self._database.read(lambda tx: tx.instance.generation())
        await asyncio.to_thread(shipper.inspect, generation)
        for _ in range(_MOST_ROUNDS):
            if not shipper.has_work():
                break
            await self._database.write(_do_nothing)

    def health(self) -> AuditHealth:
        """Whether the file keeps up with the table."""
        shipper = self._recording.shipper
        if shipper is None:
            return HEALTHY
        return shipper.condition.health(is_required=self._recording.policy == "all")

    def close(self) -> None:
        """After the database was closed: lets go of the file."""
        if self._recording.shipper is not None:
            self._recording.shipper.close()

    async def _record(self, event: Event) -> None:
        await self._database.write(lambda tx: record(tx, event))


def _named(tx: Transaction, event: Event) -> Event:
    user = None if event.user_id is None else tx.users.by_id(event.user_id)
    return event if user is None else replace(event, user_email=user.email)


def _checkpoint(tx: Transaction) -> bool:
    if not tx.writers.moved():
        return False
    record(tx, checkpoint_event())
    return True


def _do_nothing(tx: Transaction) -> None:
    """An empty batch: its journal takes the next piece of what the file lacks."""
