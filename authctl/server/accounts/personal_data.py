"""What a person may ask for: everything that is held about them, or that it is forgotten. `service.personal_data`."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from authctl.errors import AuditUnavailable
from authctl.server.accounts.buckets import bucket_key, bucket_of
from authctl.server.accounts.erasing import Inventory, erase_rows, name_archived, refuse_if_last_admin, take_stock
from authctl.server.accounts.export import collect, record_export
from authctl.server.accounts.normalising import email_to_look_up
from authctl.server.accounts.subjects import Person, person_with
from authctl.server.audit.erasure import rows_in
from authctl.server.audit.file_erasing import FileEraser
from authctl.server.storage.erasures import empty_write_ahead_log, is_in_file
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from authctl.server.audit.erasure import Subject
    from authctl.server.audit.events import Caller, ChainRange
    from authctl.server.audit.file_scrubbing import Scrubbed
    from authctl.server.audit.journal import Recording
    from authctl.server.audit.records import EventRecord, EventSource
    from authctl.server.storage.database import Database

    T = TypeVar("T")

_TRIES = 50
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure has done.

    is_file_clean   whether the audit file of this machine, and those rotated away from it, name the person no more
    lines           lines blanked there by this process; a service may have been faster
    left            files beside it that could not be looked into: compressed ones
    notes           what could not be done here, and why
    """

    inventory: Inventory
    is_file_clean: bool
    lines: int
    left: tuple[Path, ...]
    notes: tuple[str, ...]


class PersonalData:
    """Right of access and right to erasure, over the database, the audit file and an archive.

    An archive is given by its directory; then UsageError is raised without the engine, and a StorageError without one.
    """

    def __init__(self, database: Database, recording: Recording, decoy_key: bytes) -> None:
        self._database = database
        self._recording = recording
        audit_file = None if recording.shipper is None else recording.shipper.path
        self._eraser = FileEraser(database, recording.keys, audit_file)
        self._key = bucket_key(decoy_key)

    async def find(self, typed: str, archive: Path | None = None) -> Person:
        """The person with an e-mail, or with the id of an account that may be gone. Raises NotFound."""
        former = await _ask(archive, lambda source: _ids_in(source, email_to_look_up(typed)))
        return await self._database.read(partial(person_with, typed=typed, former_ids=former or ()))

    async def take_stock(self, person: Person, archive: Path | None = None) -> Inventory:
        """How much is held about a person."""
        stock = await self._database.read(partial(take_stock, person=person, bucket=self._bucket(person)))
        return replace(stock, archived=rows_in(await _archived(archive, person.subject)))

    async def export(self, typed: str, caller: Caller, archive: Path | None = None) -> dict[str, Any]:
        """Everything held about one person, as one document; the export is an event. Raises NotFound."""
        person = await self.find(typed, archive)
        archived = await _ask(archive, lambda source: _events_in(source, person.subject))
        held = await self._database.read(
            partial(collect, person=person, bucket=self._bucket(person), archived=archived or ())
        )
        return await self._database.write(partial(record_export, person=person, held=held, caller=caller))

    async def erase(
        self, person: Person, caller: Caller, archive: Path | None = None, *, allow_no_admin: bool = False
    ) -> Erased:
        """Removes a person from the database, from an archive, and from the audit file of this machine.

        Other machines' services do the same to their files when they see the event. Raises Refused for the last admin.
        """
        subject = person.subject
        if not allow_no_admin:
            await refuse_if_last_admin(self._database, subject, caller)
        # The archive first: until the table is through, whoever is interrupted finds the person again.
        ranges = await name_archived(self._database, subject, await _archived(archive, subject), caller)
        await self._clean_archive(archive, ranges)
        inventory = await erase_rows(
            self._database, subject, self._bucket(person), caller, allow_no_admin=allow_no_admin
        )
        notes: list[str] = []
        scrubbed = await self._clean_file(subject, notes)
        if self._database.driver.name == "postgresql":
            notes.append("PostgreSQL keeps old versions of rows until VACUUM, and in archived write-ahead logs")
        elif not await self._empty_log():
            notes.append("others are using the database: its write-ahead log keeps old pages until they let go of it")
        elif await asyncio.to_thread(is_in_file, self._database.driver, subject.email):
            notes.append(
                "the database file still has the e-mail, or a longer one that ends like it, mostly in unused bytes: "
                "VACUUM in the sqlite3 program clears those, with the service stopped"
            )
        return Erased(
            replace(inventory, archived=rows_in(ranges)),
            scrubbed is not None,
            0 if scrubbed is None else scrubbed.lines,
            () if scrubbed is None else tuple(scrubbed.left),
            tuple(notes),
        )

    async def tend_file(self) -> None:
        """To be called every second or so by whoever serves: erases in this machine's audit file what others erased."""
        await self._eraser.look()

    async def _clean_archive(self, archive: Path | None, ranges: tuple[ChainRange, ...]) -> None:
        if archive is None or not ranges:
            return
        from authctl.server.audit.archive.erasing import erase_in_archive

        keys, instance_id = self._recording.keys, self._recording.instance_id
        await asyncio.to_thread(erase_in_archive, archive, keys, instance_id, ranges)

    async def _clean_file(self, subject: Subject, notes: list[str]) -> Scrubbed | None:
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


async def _archived(archive: Path | None, subject: Subject) -> tuple[ChainRange, ...]:
    """The rows of an archive that an erasure would blank."""
    if archive is None:
        return ()
    from authctl.server.audit.archive.erasing import find_in_archive

    return await asyncio.to_thread(find_in_archive, archive, subject)


async def _ask(archive: Path | None, question: Callable[[EventSource], T]) -> T | None:
    """The answer of an archive, if there is one."""
    if archive is None:
        return None
    from authctl.server.audit.archive.source import ArchiveSource

    def answer() -> T:
        with closing(ArchiveSource(archive)) as source:
            return question(source)

    return await asyncio.to_thread(answer)


def _ids_in(archive: EventSource, email: str) -> list[str]:
    found = archive.events(EventFilter(user_email=email, newest_first=False))
    return list(dict.fromkeys(event.user_id for event in found if event.user_id is not None))


def _events_in(archive: EventSource, subject: Subject) -> list[EventRecord]:
    filters = [EventFilter(user_id=user_id) for user_id in subject.ids]
    if subject.email:
        filters.append(EventFilter(user_email=subject.email))
    return [event for wanted in filters for event in archive.events(wanted)]
