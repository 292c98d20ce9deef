"""What a person may ask for: everything that is held about them, or that it is forgotten. `service.personal_data`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from authctl.errors import AuditUnavailable
from authctl.server.accounts.buckets import bucket_key, bucket_of
from authctl.server.accounts.erasing import Inventory, erase_rows, take_stock
from authctl.server.accounts.export import collect, record_export
from authctl.server.accounts.normalising import email_to_look_up
from authctl.server.accounts.subjects import Person, person_with
from authctl.server.storage.erasures import empty_write_ahead_log
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.events import Caller
    from authctl.server.audit.file_erasing import FileEraser
    from authctl.server.audit.file_scrubbing import Scrubbed
    from authctl.server.audit.records import EventRecord, EventSource
    from authctl.server.storage.database import Database

_TRIES = 50
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure has done.

    lines           lines blanked in the audit file of this machine and in those rotated away from it
    left            files beside it that could not be looked into: compressed ones
    notes           what could not be done here, and why
    """

    inventory: Inventory
    lines: int
    left: tuple[Path, ...]
    notes: tuple[str, ...]


class PersonalData:
    """Right of access and right to erasure, over the database, the audit file and an archive."""

    def __init__(self, database: Database, eraser: FileEraser, decoy_key: bytes) -> None:
        self._database = database
        self._eraser = eraser
        self._key = bucket_key(decoy_key)

    async def find(self, typed: str, archive: EventSource | None = None) -> Person:
        """The person with an e-mail, or with the id of an account that may be gone. Raises NotFound."""
        former = await asyncio.to_thread(_ids_in, archive, email_to_look_up(typed))
        return await self._database.read(partial(person_with, typed=typed, former_ids=former))

    async def take_stock(self, person: Person) -> Inventory:
        """How much the database holds about a person."""
        return await self._database.read(partial(take_stock, person=person, bucket=self._bucket(person)))

    async def export(self, typed: str, caller: Caller, archive: EventSource | None = None) -> dict[str, Any]:
        """Everything held about one person, as one document; the export is an event. Raises NotFound."""
        person = await self.find(typed, archive)
        archived = await asyncio.to_thread(_events_in, archive, person)
        held = await self._database.read(
            partial(collect, person=person, bucket=self._bucket(person), archived=archived)
        )
        return await self._database.write(partial(record_export, person=person, held=held, caller=caller))

    async def erase(self, person: Person, caller: Caller, *, allow_no_admin: bool = False) -> Erased:
        """Removes a person from the database and from the audit file of this machine.

        Other machines' services do the same to theirs when they see the event. Raises Refused for the last admin.
        """
        inventory = await erase_rows(
            self._database, person.subject, self._bucket(person), caller, allow_no_admin=allow_no_admin
        )
        if not isinstance(inventory, Inventory):
            raise inventory
        notes: list[str] = []
        scrubbed = await self._clean_file(person, notes)
        if not await self._empty_log():
            notes.append("others are using the database: its write-ahead log keeps old pages until they let go of it")
        if scrubbed is None:
            return Erased(inventory, 0, (), tuple(notes))
        return Erased(inventory, scrubbed.lines, tuple(scrubbed.left), tuple(notes))

    async def tend_file(self) -> None:
        """To be called every second or so by whoever serves: erases in this machine's audit file what others erased."""
        await self._eraser.look()

    async def _clean_file(self, person: Person, notes: list[str]) -> Scrubbed | None:
        subject = person.subject
        try:
            return await asyncio.to_thread(self._eraser.carry_out, subject.email, subject.ids)
        except AuditUnavailable as error:
            notes.append(f"lines of this person may be left: {error.hint or error.detail}")
            return None

    async def _empty_log(self) -> bool:
        for _ in range(_TRIES):
            if await asyncio.to_thread(empty_write_ahead_log, self._database.driver):
                return True
            await asyncio.sleep(_PAUSE)
        return False

    def _bucket(self, person: Person) -> str:
        return bucket_of(self._key, person.subject.email)


def _ids_in(archive: EventSource | None, email: str) -> list[str]:
    if archive is None:
        return []
    found = archive.events(EventFilter(user_email=email, newest_first=False))
    return list(dict.fromkeys(event.user_id for event in found if event.user_id is not None))


def _events_in(archive: EventSource | None, person: Person) -> list[EventRecord]:
    if archive is None:
        return []
    filters = [EventFilter(user_id=user_id) for user_id in person.subject.ids]
    if person.subject.email:
        filters.append(EventFilter(user_email=person.subject.email))
    return [event for wanted in filters for event in archive.events(wanted)]
