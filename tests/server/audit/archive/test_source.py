"""An archive answers as the table would have."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import StorageDamaged, StorageMissing
from authctl.server.audit.archive import chains, copying
from authctl.server.audit.archive import source as source_module
from authctl.server.audit.archive.columns import COLUMNS
from authctl.server.audit.archive.manifest import Manifest, write_manifest
from authctl.server.audit.archive.source import ArchiveSource
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter, Position
from authctl.server.storage.parquet import ParquetFiles
from authctl.server.storage.reader import open_reader
from tests.server.audit.archive.store import DAYS, Store, month
from tests.server.audit.workbench import INSTANCE, KEYS, START, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.records import EventRecord, Group

pytestmark = pytest.mark.thorough

EVERYTHING = EventFilter(newest_first=False)
QUESTIONS = [
    EVERYTHING,
    EventFilter(),
    EventFilter(limit=3),
    EventFilter(limit=10, newest_first=False),
    EventFilter(event_types=("login_complete",), success=False, limit=5),
    EventFilter(success=False),
    EventFilter(user_email="user7@example.com"),
    EventFilter(user_id="id-7"),
    EventFilter(networks=(ip_network("192.0.2.0/24"),), limit=2),
    EventFilter(networks=(ip_network("2001:db8::/32"),)),
    EventFilter(contains="USER 1"),
    EventFilter(agent="pytest"),
    EventFilter(since=month(2), until=month(3)),
    EventFilter(since=month(2), until=month(3), newest_first=False, limit=2),
    EventFilter(until=month(1)),
    EventFilter(since=START + timedelta(days=DAYS), until=START + timedelta(days=DAYS)),
    EventFilter(excluded_types=("login_complete",)),
]
GROUPINGS: list[tuple[str, ...]] = [
    (), ("event_type", "success"), ("user_email",), ("month",), ("day", "success"), ("ip_address",),
]  # fmt: skip


@pytest.fixture
def truth(store: Store) -> dict[Any, Any]:
    """What the table answered before its events were archived."""
    with closing(open_reader(store.site.url)) as reader:
        table = DatabaseSource(reader)
        answers: dict[Any, Any] = {wanted: list(table.events(wanted)) for wanted in QUESTIONS}
        for wanted in QUESTIONS:
            for by in GROUPINGS:
                answers[wanted, by] = table.groups(wanted, by)
    store.move()
    return answers


@pytest.fixture
def source(store: Store, truth: dict[Any, Any]) -> Iterator[ArchiveSource]:
    with closing(ArchiveSource(store.directory)) as opened:
        yield opened


def test_events_are_those_of_the_table(source: ArchiveSource, truth: dict[Any, Any]) -> None:
    for wanted in QUESTIONS:
        found: list[EventRecord] = list(source.events(wanted))
        assert found == truth[wanted]


def test_groups_are_those_of_the_table(source: ArchiveSource, truth: dict[Any, Any]) -> None:
    for wanted in QUESTIONS:
        for by in GROUPINGS:
            found: list[Group] = source.groups(wanted, by)
            assert found == truth[wanted, by]
    assert source.groups(EVERYTHING, ("user_email",), top=2) == truth[EVERYTHING, ("user_email",)][:2]


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_follow_each_other_without_a_gap(source: ArchiveSource, newest_first: bool) -> None:
    whole = list(source.events(EventFilter(newest_first=newest_first)))
    found: list[EventRecord] = []
    after = None
    while page := list(source.events(EventFilter(newest_first=newest_first, limit=4, after=after))):
        found += page
        after = Position(page[-1].created_at, page[-1].id)
    assert found == whole


def test_files_are_asked_only_when_their_time_fits(
    store: Store, source: ArchiveSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.directory / "audit-2100-01.parquet").unlink()
    (store.directory / "audit-2100-03.parquet").write_bytes(b"damaged")
    assert len(list(source.events(EventFilter(since=month(2), until=month(3))))) == 7
    assert source.groups(EventFilter(since=month(2), until=month(3)), ())[0].total == 7
    with pytest.raises(StorageMissing, match="audit-2100-01"):
        source.groups(EventFilter(until=month(3)), ())
    with pytest.raises(StorageDamaged, match="audit-2100-03"):
        list(source.events(EventFilter()))


def test_a_limit_is_reached_without_asking_older_files(store: Store, source: ArchiveSource) -> None:
    (store.directory / "audit-2100-01.parquet").unlink()
    (store.directory / "audit-2100-02.parquet").unlink()
    assert len(list(source.events(EventFilter(limit=6)))) == 6
    with pytest.raises(StorageMissing):
        list(source.events(EventFilter(limit=7)))


def test_parts_whose_times_overlap_are_asked_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_ROWS", 3)
    store.move()
    manifest = store.manifest
    # As if clocks had differed: the second part reaches back into the first.
    files = (replace(manifest.files[0], last=manifest.files[1].last), *manifest.files[1:])
    with closing(ArchiveSource(store.directory)) as source:
        source.manifest = replace(manifest, files=files)
        assert [event.id for event in source.events(EVERYTHING)] == [row[0] for row in store.rows]
        assert [event.id for event in source.events(EventFilter())] == [row[0] for row in store.rows][::-1]


def test_a_long_answer_is_not_searched_twice(
    source: ArchiveSource, truth: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "_FEW", 1)
    for wanted in QUESTIONS:
        assert list(source.events(wanted)) == truth[wanted]


def test_rows_that_the_table_still_holds_are_left_out(store: Store, source: ArchiveSource) -> None:
    first, second, third = store.manifest.files
    source.manifest = replace(
        source.manifest, files=(replace(first, is_moved=False), replace(second, is_moved=False), third)
    )
    held = {first.chains[0]: [2, 5], second.chains[0]: range(9, 16)}
    source.leave_out(lambda one: held[one])
    assert [event.seq for event in source.events(EVERYTHING)] == [1, 3, 4, 6, 7, 8, *range(16, 22)]
    assert source.groups(EVERYTHING, ())[0].total == 12
    source.leave_out(lambda one: [])
    assert len(list(source.events(EVERYTHING))) == 21


def test_the_query_can_be_run_as_it_is_printed(source: ArchiveSource, store: Store) -> None:
    wanted = EventFilter(event_types=("login_complete",), success=False, since=month(2), limit=3)
    with closing(ParquetFiles()) as files:
        assert [row[0] for row in files.rows(source.describe(wanted))] == [one.id for one in source.events(wanted)]
        ((total, *_),) = files.rows(source.describe(EVERYTHING, ("month",)).replace("ORDER BY", "LIMIT 1 --"))
        assert total == "2100-01" or total.startswith("2100")
        nothing = EventFilter(until=month(1))
        assert list(files.rows(source.describe(nothing))) == []
    assert str(store.directory / "audit-2100-02.parquet") in source.describe(wanted)


def test_chains_come_as_the_table_had_them(source: ArchiveSource, store: Store) -> None:
    assert list(source.in_chains()) == store.rows
    source.skip({"audit-2100-02.parquet"})
    assert [row[15] for row in source.in_chains()] == [*range(1, 9), *range(16, 22)]


def test_what_is_no_event_is_one_clear_error(store: Store, source: ArchiveSource) -> None:
    path = store.directory / "audit-2100-01.parquet"
    with closing(ParquetFiles()) as files:
        files.attach("t", [path], COLUMNS)
        files.write(path, "SELECT * REPLACE (TIMESTAMP '20000-01-01' AS created_at) FROM t")
    with pytest.raises(StorageDamaged, match="no event"):
        source.groups(EVERYTHING, ())
    with pytest.raises(StorageDamaged, match="no event"):
        list(source.events(EVERYTHING))


def test_an_empty_archive_answers_nothing(store: Store) -> None:
    store.directory.mkdir(mode=0o700)
    write_manifest(store.directory, Manifest(INSTANCE), KEYS)
    with closing(ArchiveSource(store.directory)) as source:
        assert list(source.events(EventFilter())) == list(source.in_chains()) == []
        assert source.groups(EventFilter(), ("user_email",)) == source.groups(EventFilter(), ()) == []
        assert "LIMIT 0" in source.describe(EventFilter())


def test_chains_come_in_pieces_however_long_they_are(
    source: ArchiveSource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block, piece in ((1, 1), (2, 3), (5, 1), (3, 7), (100, 4)):
        monkeypatch.setattr(chains, "_BLOCK", block)
        monkeypatch.setattr(chains, "PIECE", piece)
        assert list(source.in_chains()) == store.rows


def test_many_chains_come_in_pieces_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        service = site.start()
        service.write(*(an_event(number) for _ in range(number % 3 + 1)))
        service.stop()
    site.clock.advance(86_400)
    store = Store(site, site.start(kind="cli"))
    rows = store.in_table()
    store.move()
    monkeypatch.setattr(chains, "_BLOCK", 2)
    for piece in (1, 2, 5, 100):
        monkeypatch.setattr(chains, "PIECE", piece)
        assert store.in_archive() == rows


def test_a_row_without_a_place_in_a_chain_is_one_clear_error(store: Store, source: ArchiveSource) -> None:
    path = store.directory / "audit-2100-01.parquet"
    with closing(ParquetFiles()) as files:
        files.attach("t", [path], COLUMNS)
        files.write(path, "SELECT * REPLACE (CASE WHEN seq < 3 THEN writer_id END AS writer_id) FROM t")
    with pytest.raises(StorageDamaged, match="no place in a chain"):
        list(source.in_chains())
