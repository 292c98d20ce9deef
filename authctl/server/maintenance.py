"""Upkeep of the data: emptying everything on request, and sweeping out what has expired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.errors import Refused
from authctl.server.audit.events import Event, EventType, Head, origin_of
from authctl.server.audit.recorder import record
from authctl.server.storage.copying import copy_database
from authctl.server.storage.serving_lock import serving_lock

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.events import Caller
    from authctl.server.identity import Identity
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

MOST_SWEPT = 500
"""Rows removed from one table in one transaction, so that sweeping never holds up a login for long."""


@dataclass(frozen=True, slots=True)
class Reset:
    """What a reset left behind: the number of the new generation, and the copy made before, if one was."""

    generation: int
    copy: Path | None


class Maintenance:
    """Changes that concern the whole database."""

    def __init__(self, database: Database, identity: Identity, *, rp_id: str, is_production: bool) -> None:
        self._database = database
        self._identity = identity
        self._rp_id = rp_id
        self._is_production = is_production

    async def reset(self, caller: Caller, *, confirmed_host: str | None = None) -> Reset:
        """Empties every table of data in one transaction; the trail starts anew with this event and the old heads.

        In production only with the service stopped and the host of RP_ID given, after a copy. Raises Refused.
        """
        if not self._is_production:
            return Reset(await self._empty(caller, None), None)
        if confirmed_host != self._rp_id:
            raise Refused(
                "Resetting a production database has to be confirmed with its host", hint=f"--confirm {self._rp_id}"
            )
        lock = serving_lock(self._database.driver)
        try:
            if not lock.own():
                raise Refused("The service is running", hint="stop it first")
            moment = self._database.clock.now().strftime("%Y%m%dT%H%M%SZ")
            copy = copy_database(self._database.driver, f"before-reset-{moment}")
            return Reset(await self._empty(caller, copy), copy)
        finally:
            lock.release()

    async def sweep(self) -> int:
        """Removes all expired challenges, sessions and limit windows, a portion at a time; how many rows.

        All of them, because under load they come faster than any fixed number would go.
        """

        def unit(tx: Transaction) -> tuple[int, ...]:
            return tuple(rows.delete_expired(MOST_SWEPT) for rows in (tx.challenges, tx.sessions, tx.limits))

        swept = 0
        while True:
            portion = await self._database.write(unit)
            swept += sum(portion)
            if max(portion) < MOST_SWEPT:
                return swept

    async def _empty(self, caller: Caller, copy: Path | None) -> int:
        def unit(tx: Transaction) -> int:
            heads = tuple(Head(writer.id, writer.last_seq, writer.last_mac) for writer in tx.writers.all())
            tx.instance.empty_all_data()
            generation = tx.instance.bump_generation()
            kept = f"; a copy is at {copy.name}" if copy else ""
            event = Event(
                type=EventType.DATABASE_RESET,
                success=True,
                caller=caller,
                details=f"Database reset by {caller.actor or 'an unknown actor'} {origin_of(caller)}{kept}",
                heads=heads,
            )
            record(tx, event)
            return generation

        generation = await self._database.write(unit)
        self._identity.note(generation)
        return generation
