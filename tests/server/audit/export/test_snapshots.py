"""What exports read: one state of the trail, in the order of time, exactly what no earlier export has had."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import StorageDamaged
from authctl.server.audit.events import Caller, EventType
from authctl.server.audit.export import trail as trail_module
from authctl.server.audit.export.csv import Csv
from authctl.server.audit.export.cursor import Cursor, Span
from authctl.server.audit.export.jsonl import JsonLines
from authctl.server.audit.export.trail import Trail
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.reader import open_reader
from tests.server.audit.export.records import HOSTILE
from tests.server.audit.workbench import CALLER, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.clock import FixedClock
    from authctl.server.audit.export.interface import Format
    from authctl.server.audit.export.trail import Snapshot
    from authctl.server.audit.records import EventRecord

OLDEST_FIRST = EventFilter(newest_first=False)


@contextmanager
def snapshot(site: Site, **archive: Any) -> Iterator[Snapshot]:
    trail = Trail(open_reader(site.url), **archive)
    try:
        with trail.snapshot() as found:
            yield found
    finally:
        trail.close()


def exported(site: Site, cursor: Cursor | None, wanted: EventFilter = OLDEST_FIRST) -> tuple[list[EventRecord], Cursor]:
    with snapshot(site) as found:
        start = cursor or Cursor.at_the_beginning(found.owner)
        ends = found.ends(start)
        spans = start.spans(ends)
        records = list(found.records(wanted, None if cursor is None else spans))
        return records, Cursor.from_text(start.moved(ends, spans, found.newest()).to_text())


@pytest.fixture
def site(tmp_path: Any, any_url: str, clock: FixedClock) -> Iterator[Site]:
    made = Site(tmp_path, any_url, clock)
    yield made
    made.stop()


@pytest.fixture
def lite(tmp_path: Any, sqlite_url: str, clock: FixedClock) -> Iterator[Site]:
    made = Site(tmp_path, sqlite_url, clock)
    yield made
    made.stop()


def test_events_come_in_the_order_of_time_and_again_only_what_is_new(site: Site, clock: FixedClock) -> None:
    one, two = site.start(), site.start()
    for number in range(6):
        clock.advance(1)
        (one if number % 2 else two).write(an_event(number))
    first, cursor = exported(site, None)
    assert [record.user_id for record in first] == [f"id-{number}" for number in range(6)]
    assert first == sorted(first, key=lambda record: (record.created_at, record.id))
    again, cursor = exported(site, cursor)
    assert again == []
    one.write(an_event(7))
    three = site.start(kind="cli")
    three.write(an_event(8))
    three.stop()
    more, cursor = exported(site, cursor)
    assert {record.user_id for record in more} == {"id-7", "id-8", None}
    assert exported(site, cursor)[0] == []


def test_a_filter_leaves_nothing_for_later_that_it_passed_over(site: Site) -> None:
    service = site.start()
    service.write(an_event(1), an_event(2, success=False))
    failures = replace(OLDEST_FIRST, success=False)
    found, cursor = exported(site, None, failures)
    assert [record.user_id for record in found] == ["id-2"]
    assert exported(site, cursor)[0] == []
    service.write(an_event(3), an_event(4, success=False))
    assert [record.user_id for record in exported(site, cursor, failures)[0]] == ["id-4"]


def test_rows_that_appear_meanwhile_belong_to_the_next_export(lite: Site) -> None:
    service = lite.start()
    service.write(an_event(1))
    with snapshot(lite) as found:
        service.write(an_event(2))
        start = Cursor.at_the_beginning(found.owner)
        ends = found.ends(start)
        seen = list(found.records(OLDEST_FIRST, None))
        cursor = start.moved(ends, start.spans(ends), found.newest())
    assert [record.user_id for record in seen] == ["id-1"]
    assert [record.user_id for record in exported(lite, cursor)[0]] == ["id-2"]


@pytest.mark.parametrize("alternatives", [400, 0])
def test_many_rows_are_found_along_the_time_and_few_are_sorted_and_both_give_the_same(
    alternatives: int, lite: Site, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = lite.start(), lite.start()
    one.write(an_event(1), an_event(2))
    cursor = exported(lite, None)[1]
    three = lite.start()
    for number in range(3, 12):
        clock.advance(-1 if number == 7 else 1)
        (one, two, three)[number % 3].write(an_event(number))
    few = exported(lite, cursor)[0]
    monkeypatch.setattr(trail_module, "_MOST_SORTED", 2)
    monkeypatch.setattr(trail_module, "_MOST_ALTERNATIVES", alternatives)
    assert exported(lite, cursor)[0] == few
    assert {record.user_id for record in few} == {f"id-{number}" for number in range(3, 12)}
    assert few == sorted(few, key=lambda record: (record.created_at, record.id))


def lines_of(site: Site, chosen: Format, spans: list[Span] | None = None) -> bytes:
    with snapshot(site) as found:
        return b"".join(lines for _, lines in found.batches(chosen, OLDEST_FIRST, spans))


@pytest.mark.parametrize("chosen", [JsonLines(), Csv()], ids=["jsonl", "csv"])
def test_what_sqlite_writes_is_what_the_format_writes_to_the_byte(chosen: Any, lite: Site) -> None:
    """R-LG-09: hostile texts included, also those that the journal would not have let pass."""
    service = lite.start()
    service.write(*(an_event(number, success=number % 2 == 0) for number in range(len(HOSTILE))))
    service.write(an_event(99, caller=Caller(None, None, None, None), user_email=None, user_id=None))
    columns = ("user_email", "user_id", "ip_address", "user_agent", "details", "reason", "actor", "request_id")
    _plant(lite, columns)
    with snapshot(lite) as found:
        records = list(found.records(OLDEST_FIRST, None))
    assert {record.user_agent for record in records} >= set(HOSTILE)
    assert lines_of(lite, chosen) == chosen.lines(records)
    assert lines_of(lite, chosen, []) == b""


def _plant(site: Site, columns: tuple[str, ...]) -> None:
    """Writes hostile texts as an insider can."""
    from contextlib import closing

    from authctl.server.storage.sqlite import dbapi

    site.damage()
    with closing(dbapi.connect(site.folder / "app.db", isolation_level=None)) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM audit_logs ORDER BY rowid")]
        for event_id, text in zip(ids, HOSTILE, strict=False):
            for column in columns:
                connection.execute(f"UPDATE audit_logs SET {column} = ? WHERE id = ?", (text, event_id))


@pytest.mark.parametrize("time", ["2026-01-31T08:00:00.5Z", "2026-01-31 08:00:00", "2026-01-31 09:00:00.500+01"])
def test_times_that_somebody_wrote_by_hand_come_out_like_the_others(time: str, lite: Site) -> None:
    lite.start().write(an_event(1))
    lite.damage(f"UPDATE audit_logs SET created_at = '{time}'")
    text = lines_of(lite, JsonLines()).decode()
    assert '"created_at":"2026-01-31T08:00:00.' in text
    assert '00Z"' in text


def test_batches_come_from_other_databases_too(site: Site) -> None:
    service = site.start()
    service.write(*map(an_event, range(3)))
    with snapshot(site) as found:
        batches = list(found.batches(JsonLines(), OLDEST_FIRST, None))
    assert [number for number, _ in batches] == [3]
    assert batches[0][1].count(b"\n") == 3


class Shelf:
    """An archive in memory."""

    def __init__(self, records: list[EventRecord]) -> None:
        self.records = records
        self.is_closed = False

    def events(self, wanted: EventFilter) -> Iterator[EventRecord]:
        del wanted
        yield from self.records

    def close(self) -> None:
        self.is_closed = True


def test_an_archive_is_part_of_the_export_and_what_is_in_both_comes_once(lite: Site, clock: FixedClock) -> None:
    service = lite.start()
    for number in range(4):
        service.write(an_event(number))
        clock.advance(1)
    everything, cursor = exported(lite, None)
    lite.damage("DELETE FROM audit_logs WHERE seq < 3")
    shelf = Shelf(everything[:3])
    with snapshot(lite, open_archive=lambda: shelf) as found:
        assert list(found.records(OLDEST_FIRST, None)) == everything
        spans = [Span(everything[0].writer_id, 1, 3)]
        assert list(found.records(OLDEST_FIRST, spans)) == everything[1:3]
        assert b"".join(lines for _, lines in found.batches(JsonLines(), OLDEST_FIRST, spans)).count(b"\n") == 2
        assert (found.count(spans), found.count([]), found.count(None)) == (1, 0, 2)
    assert shelf.is_closed
    assert exported(lite, cursor)[0] == []


def test_the_writers_behind_a_cursor_are_not_looked_at_again(site: Site, clock: FixedClock) -> None:
    for number in range(3):
        service = site.start()
        service.write(an_event(number))
        service.stop()
        clock.advance(3 * 3600)
    last = site.start()
    last.write(an_event(9))
    cursor = exported(site, None)[1]
    with snapshot(site) as found:
        assert [end.is_open for end in found.ends(cursor)] == [True]
        assert len(found.ends(Cursor.at_the_beginning(found.owner))) == 4
    assert len(cursor.named) == 1


def test_a_database_that_was_replaced_is_noticed(lite: Site) -> None:
    lite.start().write(an_event(1))
    trail = Trail(open_reader(lite.url))
    with trail.snapshot() as found:
        assert found.newest() is not None
    lite.stop()
    path = lite.folder / "app.db"
    path.rename(lite.folder / "away.db")
    with pytest.raises(StorageDamaged), trail.snapshot():
        pass
    trail.close()


def test_many_exports_in_pieces_under_a_clock_that_jumps_make_up_the_whole(site: Site, clock: FixedClock) -> None:
    services = [site.start() for _ in range(3)]
    cursor: Cursor | None = None
    seen: list[str] = []
    for number in range(30):
        clock.advance(-900 if number % 7 == 0 else 700)
        services[number % 3].write(an_event(number, type=EventType.USER_ACCESS, caller=CALLER))
        if number % 4 == 0:
            found, cursor = exported(site, cursor)
            seen += [record.id for record in found]
    found, cursor = exported(site, cursor)
    seen += [record.id for record in found]
    everything = {record.id for record in exported(site, None)[0]}
    assert len(seen) == len(set(seen))
    assert set(seen) == everything
