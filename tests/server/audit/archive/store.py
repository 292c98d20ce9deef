"""A trail of several months, and an archive beside it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from authctl.server.audit.archive.checking import check_archive
from authctl.server.audit.archive.erasing import erase_in_archive, find_in_archive
from authctl.server.audit.archive.joining import archive_and_table
from authctl.server.audit.archive.manifest import read_manifest
from authctl.server.audit.archive.source import ArchiveSource
from authctl.server.audit.archive.writing import ArchiveWriter, Moved
from authctl.server.audit.erasure import Subject, blank_rows, find_rows
from authctl.server.audit.events import EventType
from authctl.server.audit.findings import Report, Verdict
from authctl.server.audit.recorder import record
from authctl.server.audit.verification import verify_trail
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.reader import open_reader
from tests.server.audit.workbench import CALLER, INSTANCE, KEYS, START, Service, Site, an_event

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from authctl.server.audit.archive.manifest import Manifest
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.audit.records import EventRecord
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

DAYS = 4
"""Between one event and the next."""
MANY = timedelta(days=400)


@dataclass
class Store:
    """A site whose old events are archived, with everything that tests ask of both."""

    site: Site
    cli: Service
    rows: list[EventRow] = field(default_factory=list)
    steps: list[tuple[str, int]] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return self.site.folder / "archive"

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.directory).manifest

    @property
    def names(self) -> list[str]:
        """Files of the archive's directory."""
        return sorted(path.name for path in self.directory.iterdir() if path.name != ".lock")

    def writer(self, keys: TrailKeys = KEYS, instance: str = INSTANCE) -> ArchiveWriter:
        def report(step: str, rows: int) -> None:
            self.steps.append((step, rows))

        return ArchiveWriter(self.cli.database, keys, instance, self.directory, CALLER, report)

    def move(self, before: datetime | None = None) -> list[Moved]:
        """Archives everything that is old, or older than a moment."""
        return self.writer().move(before or self.site.clock.now())

    def in_table(self) -> list[EventRow]:
        """What the table holds."""
        return self.cli.database.read_now(lambda tx: list(tx.events.in_chains()))

    def in_archive(self) -> list[EventRow]:
        """What the archive holds, chain by chain."""
        with closing(ArchiveSource(self.directory)) as source:
            return list(source.in_chains())

    def together(self, wanted: EventFilter | None = None) -> list[EventRecord]:
        """The events of both, as a question finds them."""
        with closing(open_reader(self.site.url)) as reader, archive_and_table(self.directory, reader) as source:
            return list(source.events(wanted or EventFilter(newest_first=False)))

    def total(self) -> int:
        """How many events both have, as a summary counts them."""
        with closing(open_reader(self.site.url)) as reader, archive_and_table(self.directory, reader) as source:
            return sum(group.total for group in source.groups(EventFilter(), ("event_type",)))

    def check(self, keys: TrailKeys = KEYS) -> Verdict:
        """The archive against its manifest."""
        report = Report()
        check_archive(self.directory, keys, report, instance_id=INSTANCE)
        return report.verdict()

    def verify(self) -> Verdict:
        """Everything: the archive against its manifest, and the chains through archive and table."""
        report = Report()
        database = open_database(self.site.url, self.site.clock)
        with closing(database), closing(ArchiveSource(self.directory)) as source:
            source.skip(check_archive(self.directory, KEYS, report, instance_id=INSTANCE))
            return database.read_now(lambda tx: verify_trail(tx, KEYS, INSTANCE, archive=source, report=report))

    def erase(self, number: int) -> int:
        """What `users erase` does to the rows of user `number`, in table and archive; files written anew."""
        subject = Subject(f"user{number}@example.com", (f"id-{number}",))
        archived = find_in_archive(self.directory, subject) if self.directory.exists() else ()

        def erase(tx: Transaction) -> None:
            ranges = blank_rows(tx, find_rows(tx, subject, most=1000))
            if ranges or archived:
                record(tx, an_erasure(f"id-{number}", (*ranges, *archived)))

        self.cli.database.write_now(erase)
        return erase_in_archive(self.directory, KEYS, INSTANCE, archived) if archived else 0


def an_erasure(user_id: str, ranges: tuple[Any, ...]) -> Any:
    return an_event(type=EventType.USER_ERASED, user_email=None, user_id=user_id, details="erased", ranges=ranges)


def fill(site: Site, events: int) -> Store:
    """A service that recorded events every few days and has stopped; and a command much later."""
    service = site.start()
    for number in range(events):
        service.write(an_event(number, success=number % 3 != 0))
        site.clock.advance(DAYS * 86_400)
    service.stop()
    site.clock.advance(MANY.total_seconds())
    store = Store(site, site.start(kind="cli"))
    store.rows = store.in_table()
    return store


def month(number: int) -> datetime:
    """The beginning of a month of the first year."""
    return START.replace(month=number)
