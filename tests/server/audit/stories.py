"""Trails with a past: rows that were pruned, archived or erased, as an operator would have it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from authctl.server.audit.blank_lines import blanked
from authctl.server.audit.erasure import blank_rows
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record
from authctl.server.audit.removals import find_removable, ranges_of, remove_rows
from authctl.server.audit.retention import Cutoff, Retention
from authctl.server.storage.sqlite import dbapi
from tests.server.audit.workbench import CALLER, START, Service, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authctl.clock import FixedClock
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

CUTOFF = START + timedelta(days=1)
KINDS = ("pruned", "failures kept", "archived", "erased", "erased and pruned")


class KeptRows:
    """An archive that is a list."""

    def __init__(self, rows: list[EventRow]) -> None:
        self.rows = sorted(rows, key=lambda row: row[14:16])

    def in_chains(self) -> Iterator[EventRow]:
        yield from self.rows


@dataclass
class Story:
    """A trail of three chains, all of which have ended.

    Of `main` rows 1 to 7 are old, among them failures 2 and 4 and the checkpoint 7; rows 8 to 13 are young, 14 is its
    last checkpoint. All of `other` is old. The chain `cli` is that of whoever removed or erased something.
    """

    site: Site
    main: str
    other: str
    cli: str = ""
    archive: KeptRows = field(default_factory=lambda: KeptRows([]))

    def removed(self) -> int:
        """How many rows are gone from `main`."""
        return 14 - len(self.site.rows(f"SELECT 1 FROM audit_logs WHERE writer_id = '{self.main}'"))

    def damage_main(self, seq: int, change: str) -> None:
        """Edits one row of `main`."""
        self.site.damage(f"UPDATE audit_logs SET {change} WHERE seq = {seq} AND writer_id = '{self.main}'")


def begin(site: Site, *, policy: Any = "db") -> Story:
    """Everything up to the last act."""
    other = site.start(kind="cli", policy=policy)
    other.write(an_event(20), an_event(21))
    other_id = newest_writer(other)
    other.stop()
    site.clock.advance(1)
    service = site.start(policy=policy)
    _write(service, site.clock, range(1, 7))
    service.checkpoint()
    site.clock.advance(3 * 86_400)
    _write(service, site.clock, range(8, 14))
    main_id = newest_writer(service)
    service.stop()
    site.clock.advance(60)
    return Story(site, main_id, other_id)


@dataclass(frozen=True)
class _Told:
    """A story on SQLite as it was left, to be put elsewhere: making it takes most of a test's time."""

    database: bytes
    log: bytes
    story: Story
    now: datetime


_told: dict[tuple[str, str], _Told] = {}


def tell(site: Site, kind: str, *, policy: Any = "db") -> Story:
    """A whole story of one of `KINDS`, on a site where nothing has happened yet."""
    if site.is_postgres:
        return _live_through(site, kind, policy)
    known = _told.get((kind, policy))
    if known is None:
        story = _live_through(site, kind, policy)
        database = site.folder / "app.db"
        known = _Told(database.read_bytes(), site.log_file.read_bytes(), story, site.clock.now())
        _told[kind, policy] = known
        return story
    for name, content in (("app.db", known.database), ("app.log", known.log)):
        (site.folder / name).write_bytes(content)
        (site.folder / name).chmod(0o600)
    site.clock.advance((known.now - site.clock.now()).total_seconds())
    with closing(dbapi.connect(site.folder / "app.db", isolation_level=None)) as connection:
        connection.execute("UPDATE audit_writers SET log_file = ?", (str(site.log_file),))
    return replace(known.story, site=site)


def _live_through(site: Site, kind: str, policy: Any) -> Story:
    story = begin(site, policy=policy)
    cli = site.start(kind="cli", policy=policy)
    if "erased" in kind:
        erase(cli, story, "user3@example.com", "user10@example.com")
    if "pruned" in kind or kind == "failures kept":
        prune(cli, keep_failures=kind != "pruned")
    if kind == "archived":
        archive(cli, story)
    story.cli = newest_writer(cli)
    cli.stop()
    return story


def prune(service: Service, *, keep_failures: bool = False, before: Any = CUTOFF) -> int:
    """What `audit prune` does."""
    retention = Retention(service.database)
    return sum(retention.prune(Cutoff(before, START if keep_failures else None), CALLER))


def archive(service: Service, story: Story) -> None:
    """What `audit archive` does, as far as the trail is concerned."""
    rows = service.database.read_now(lambda tx: find_removable(tx, CUTOFF, most=100))
    story.archive = KeptRows(rows)
    event = an_event(type=EventType.AUDIT_ARCHIVE)
    service.database.write_now(lambda tx: remove_rows(tx, event, ranges_of(rows)))


def erase(service: Service, story: Story, *emails: str) -> None:
    """What `users erase` does, as far as the trail and its file are concerned."""

    def unit(tx: Transaction) -> None:
        ids = [row[0] for row in tx.events.in_chains() if row[2] in emails]
        ranges = blank_rows(tx, ids)
        record(tx, an_event(type=EventType.USER_ERASED, user_email=None, ranges=ranges))

    service.database.write_now(unit)
    lines = story.site.log_file.read_bytes().splitlines(keepends=True)
    blank = [blanked(line) if any(email.encode() in line for email in emails) else line for line in lines]
    with story.site.log_file.open("r+b") as file:
        file.write(b"".join(blank))


def newest_writer(service: Service) -> str:
    """The chain that was begun last."""
    return service.database.read_now(lambda tx: tx.writers.newest(1))[0].id


def _write(service: Service, clock: FixedClock, numbers: range) -> None:
    for number in numbers:
        service.write(an_event(number, success=number not in (2, 4)))
        clock.advance(1)
