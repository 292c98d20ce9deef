"""Table and archive together hold every event once, whatever is on its way from one to the other."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit.archive import writing
from authctl.server.audit.archive.joining import archive_and_table
from authctl.server.audit.archive.source import ArchiveSource
from authctl.server.audit.removals import remove_rows
from authctl.server.storage import database as database_module
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.reader import open_reader
from tests.server.audit.archive.store import Store, month
from tests.server.audit.workbench import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.clock import FixedClock


@pytest.fixture
def site(tmp_path: Path, any_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One writer thread, so that there is one chain, on either database."""
    monkeypatch.setattr(database_module, "POSTGRES_WRITERS", 1)
    made = Site(tmp_path, any_url, clock)
    yield made
    made.stop()


def test_a_question_spans_both(store: Store) -> None:
    store.move(month(3))
    found = store.together(EventFilter(event_types=("login_complete",)))
    assert [event.user_email for event in found] == [f"user{n}@example.com" for n in range(19, -1, -1)]
    assert [event.seq for event in store.together(EventFilter(limit=2, contains="user 14"))] == [15]
    assert store.total() == 23


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_an_event_comes_once_while_a_move_is_interrupted(
    store: Store, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    calls: list[int] = []

    def remove_some(*args: Any, **named: Any) -> int:
        calls.append(1)
        if len(calls) > batches:
            raise KeyboardInterrupt
        return remove_rows(*args, **named)

    monkeypatch.setattr(writing, "BATCH", 3)
    monkeypatch.setattr(writing, "remove_rows", remove_some)
    with pytest.raises(KeyboardInterrupt):
        store.move(month(2))
    wanted = EventFilter(event_types=("login_complete",))
    assert len(store.together(wanted)) == 20
    with closing(open_reader(store.site.url)) as reader, archive_and_table(store.directory, reader) as source:
        (group,) = source.groups(wanted, ())
        assert group.total == 20
        assert len(list(source.events(wanted))) == 20


def test_an_event_comes_once_when_it_moves_while_the_question_begins(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.move(month(2))
    look, looks = ArchiveSource.read_again, []

    def look_after_a_move(source: ArchiveSource) -> bool:
        looks.append(1)
        if len(looks) == 1:
            store.move(month(3))
        return look(source)

    monkeypatch.setattr(ArchiveSource, "read_again", look_after_a_move)
    assert store.total() == 20 + 1 + 2
    assert len(looks) == 2


def test_an_event_comes_once_when_it_moves_after_the_question_began(store: Store) -> None:
    store.move(month(2))
    with closing(open_reader(store.site.url)) as reader, archive_and_table(store.directory, reader) as source:
        store.move()
        assert sum(group.total for group in source.groups(EventFilter(), ())) == 22
        assert len(list(source.events(EventFilter()))) == 22


def test_the_reader_may_be_closed_first(store: Store) -> None:
    store.move(month(2))
    reader = open_reader(store.site.url)
    with archive_and_table(store.directory, reader) as source:
        source.close()
    reader.close()
    assert store.total() == 22
