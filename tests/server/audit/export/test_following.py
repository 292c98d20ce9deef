"""A feed: pieces of a backlog, then what comes; through resets, restarts and outages."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import StorageDamaged, StorageUnavailable, UsageError
from authctl.server.audit.export import following
from authctl.server.audit.export.cursor import Cursor, Owner, Span
from authctl.server.audit.export.following import Feed, piece_of
from authctl.server.audit.export.stopping import Stop, Stopped
from authctl.server.audit.export.trail import Trail
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.reader import open_reader
from tests.server.audit.workbench import INSTANCE, Site, an_event, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from authctl.clock import FixedClock
    from authctl.server.audit.records import EventRecord


class Basket:
    """Takes events; asks for the stop when it has enough, or gives up half-way."""

    def __init__(self, stop: Stop, enough: int, *, fails_at: int | None = None) -> None:
        self.stop, self.enough, self.fails_at = stop, enough, fails_at
        self.records: list[EventRecord] = []
        self.sizes: list[int] = []
        self.is_closed = False

    def begin(self) -> None:
        self.sizes.clear()

    def take(self, records: Sequence[EventRecord], stop: Stop) -> None:
        assert stop is self.stop
        self.records += records
        self.sizes.append(len(records))
        if self.fails_at is not None and len(self.sizes) == self.fails_at:
            raise Stopped
        if len(self.records) >= self.enough:
            stop.ask()

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def site(tmp_path: Any, any_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(following, "_LOOK_EVERY", 0.01)
    made = Site(tmp_path, any_url, clock)
    yield made
    made.stop()


def opener(site: Site) -> Callable[[], Trail]:
    return lambda: Trail(open_reader(site.url))


def feed(
    site: Site,
    enough: int,
    *,
    cursor: Cursor | None = None,
    open_trail: Callable[[], Trail] | None = None,
    fails_at: int | None = None,
    wanted: EventFilter | None = None,
) -> tuple[Basket, list[Cursor], list[str]]:
    stop = Stop()
    watch = threading.Timer(20, stop.ask)
    watch.start()
    kept: list[Cursor] = []
    said: list[str] = []
    basket = Basket(stop, enough, fails_at=fails_at)
    wanted = wanted or EventFilter(newest_first=False)
    one = Feed(open_trail or opener(site), basket, wanted, cursor, kept.append, said.append)
    with closing(one):
        one.start()
        one.run(stop)
    watch.cancel()
    assert basket.is_closed
    assert one.count <= len(basket.records)
    return basket, kept, said


def ids(basket: Basket) -> list[str | None]:
    return [record.user_id for record in basket.records]


def test_a_backlog_comes_in_pieces_and_then_what_is_new(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST", 4)
    monkeypatch.setattr(following, "MOST_OF_A_WRITER", 3)
    one, two = site.start(), site.start()
    one.write(*map(an_event, range(7)))
    two.write(*map(an_event, range(7, 12)))
    threading.Timer(0.3, two.write, (an_event(12),)).start()
    basket, kept, said = feed(site, 13)
    assert Counter(ids(basket)) == Counter(f"id-{number}" for number in range(13))
    assert max(basket.sizes) <= 4
    assert len(kept) == len(basket.sizes)
    assert said == []


def test_a_feed_goes_on_where_the_last_one_was_sure(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST", 3)
    site.start().write(*map(an_event, range(10)))
    first, kept, _ = feed(site, 100, fails_at=2)
    assert len(kept) == 1
    second, _, _ = feed(site, 7, cursor=kept[-1])
    assert sorted(map(str, ids(first)[:3] + ids(second))) == [f"id-{number}" for number in range(10)]


def test_what_the_filter_passes_over_moves_the_cursor_too(site: Site) -> None:
    site.start().write(*(an_event(number, success=number == 4) for number in range(5)))
    basket, kept, _ = feed(site, 1, wanted=EventFilter(newest_first=False, success=False))
    assert len(basket.records) == 4
    site.services[0].write(an_event(5, success=False))
    again, _, _ = feed(site, 1, cursor=kept[-1])
    assert ids(again) == ["id-5"]


def test_a_reset_is_told_and_the_new_trail_followed(site: Site) -> None:
    service = site.start()
    service.write(an_event(1))

    def begin_anew() -> None:
        service.database.write_now(reset)
        service.write(an_event(2))

    threading.Timer(0.3, begin_anew).start()
    basket, _, said = feed(site, 3)
    assert [record.event_type for record in basket.records] == ["login_complete", "database_reset", "login_complete"]
    assert said == ["The database was reset or restored; its trail is followed from the beginning"]


def test_a_cursor_of_another_trail_is_refused_at_the_start(site: Site) -> None:
    site.start().write(an_event(1))
    with pytest.raises(UsageError, match="another instance"):
        feed(site, 1, cursor=Cursor.at_the_beginning(Owner("other", 1)))
    with pytest.raises(UsageError, match="reset or restored"):
        feed(site, 1, cursor=Cursor.at_the_beginning(Owner(INSTANCE, 7)))


def test_events_that_left_before_they_were_fed_are_told(tmp_path: Any, sqlite_url: str, clock: FixedClock) -> None:
    site = Site(tmp_path, sqlite_url, clock)
    site.start().write(*map(an_event, range(4)))
    site.damage("DELETE FROM audit_logs WHERE seq = 2")
    basket, _, said = feed(site, 3)
    assert sorted(map(str, ids(basket))) == ["id-0", "id-2", "id-3"]
    assert said == ["1 event was archived or removed before this feed came to them"]
    site.stop()


def test_a_database_that_is_away_for_a_while_is_waited_for(site: Site) -> None:
    site.start().write(an_event(1))
    tries: list[int] = []

    def open_trail() -> Trail:
        tries.append(1)
        if len(tries) in {2, 3}:
            raise StorageUnavailable
        trail = Trail(open_reader(site.url))
        if len(tries) == 1:
            trail.snapshot = lambda: (_ for _ in ()).throw(StorageUnavailable)  # type: ignore[method-assign]
        return trail

    basket, _, said = feed(site, 1, open_trail=open_trail)
    assert ids(basket) == ["id-1"]
    assert len(tries) == 4
    assert len(said) == 1
    assert said[0].endswith("; trying again")


def test_a_database_that_is_damaged_when_opened_again_ends_the_feed(site: Site) -> None:
    site.start().write(an_event(1))
    trails = [opener(site)()]
    trails[0].snapshot = lambda: (_ for _ in ()).throw(StorageDamaged)  # type: ignore[method-assign]

    def open_trail() -> Trail:
        if not trails:
            raise StorageDamaged
        return trails.pop()

    with pytest.raises(StorageDamaged):
        feed(site, 1, open_trail=open_trail)


def test_a_piece_takes_a_little_of_each_chain_and_little_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST", 10)
    monkeypatch.setattr(following, "MOST_OF_A_WRITER", 4)
    spans = [Span("a", 0, 100), Span("b", 7, 9), Span("c", 0, 100), Span("d", 5, 100)]
    assert piece_of(spans) == [Span("a", 0, 4), Span("b", 7, 9), Span("c", 0, 4)]
