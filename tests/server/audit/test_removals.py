"""Rows leave the table only together with the signed event that tells of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from authctl.errors import Conflict, StorageError
from authctl.server.audit import removals as removals_module
from authctl.server.audit.events import ChainRange, EventType
from authctl.server.audit.recorder import record
from authctl.server.audit.removals import find_removable, ranges_of, remove_rows
from authctl.server.storage import database as database_module
from tests.server.audit.workbench import START, Service, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authctl.clock import FixedClock
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

LATER = START + timedelta(days=1)
PRUNE = an_event(type=EventType.AUDIT_PRUNE, details="pruned")


@pytest.fixture
def site(tmp_path: Path, any_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One writer thread, so that there is one chain, on either database."""
    monkeypatch.setattr(database_module, "POSTGRES_WRITERS", 1)
    made = Site(tmp_path, any_url, clock)
    yield made
    made.stop()


@pytest.fixture
def old(site: Site) -> str:
    """The writer of five old events and a checkpoint, which has stopped."""
    service = site.start()
    for number in range(1, 6):
        service.write(an_event(number, success=number != 2))
        site.clock.advance(1)
    service.stop()
    (writer,) = service_writers(site)
    return writer


@pytest.fixture
def cli(site: Site, old: str) -> Service:
    """A process that comes a day later."""
    site.clock.advance(86_400)
    return site.start(kind="cli")


def service_writers(site: Site) -> list[str]:
    return [writer.id for writer in site.start().database.read_now(lambda tx: tx.writers.all())]


def find(
    service: Service, most: int = 100, keep: Callable[[EventRow], bool] | None = None, after: EventRow | None = None
) -> list[EventRow]:
    return service.database.read_now(lambda tx: find_removable(tx, LATER, keep=keep, most=most, after=after))


def places(rows: list[EventRow]) -> list[tuple[str, int]]:
    return [(row[14], row[15]) for row in rows]


def left(service: Service) -> list[tuple[str, int]]:
    return service.database.read_now(lambda tx: places(list(tx.events.in_chains())))


def test_rows_go_together_with_an_event_that_names_them(cli: Service, old: str) -> None:
    """R-LG-11: from, to, count and last MAC, signed."""
    rows = find(cli)
    assert places(rows) == [(old, seq) for seq in range(1, 7)]
    ranges = ranges_of(rows)
    assert ranges == (ChainRange(old, 1, 6, rows[-1][20]),)
    assert cli.database.write_now(lambda tx: remove_rows(tx, PRUNE, ranges)) == 6
    (row,) = cli.database.read_now(lambda tx: list(tx.events.in_chains()))
    anchors = orjson.loads(row[18])
    assert (row[1], row[15], anchors["kind"]) == ("audit_prune", 1, "removal")
    assert anchors["ranges"] == [[old, 1, 6, rows[-1][20].hex()]]
    assert cli.recording.keys.is_signature_valid(anchors["key"], row[18], row[19])
    assert cli.database.read_now(lambda tx: tx.instance.load()).maintenance == 0


def test_nothing_happens_when_there_is_nothing_to_remove(cli: Service, old: str) -> None:
    assert cli.database.write_now(lambda tx: remove_rows(tx, PRUNE, ())) == 0
    assert len(left(cli)) == 6


def test_younger_rows_stay(cli: Service) -> None:
    cli.write()
    assert len(find(cli)) == 6


def test_rows_stay_when_the_caller_keeps_them(cli: Service, old: str) -> None:
    rows = find(cli, keep=lambda row: row[6] == 0)
    assert places(rows) == [(old, seq) for seq in (1, 3, 4, 5, 6)]
    assert [(one.first, one.last) for one in ranges_of(rows)] == [(1, 1), (3, 6)]


def test_a_search_goes_on_behind_the_row_that_it_ended_with(
    cli: Service, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals_module, "_PAGE", 2)
    first = find(cli, most=3)
    assert places(first) == [(old, 1), (old, 2), (old, 3)]
    rest = find(cli, after=first[-1])
    assert places(rest) == [(old, 4), (old, 5), (old, 6)]
    assert find(cli, after=rest[-1]) == []


def test_a_search_ends_earlier_when_the_rows_make_too_many_ranges(
    cli: Service, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals_module, "MOST_RANGES", 1)
    rows = find(cli, keep=lambda row: row[15] == 2)
    assert places(rows) == [(old, 1)]


def test_ranges_are_those_of_each_chain(cli: Service) -> None:
    def row(writer: str, seq: int) -> EventRow:
        return (*("" for _ in range(14)), writer, seq, *("" for _ in range(4)), bytes([seq]))

    rows = [row("b", 1), row("a", 2), row("a", 1), row("b", 3), row("a", 3)]
    assert ranges_of(rows) == (
        ChainRange("a", 1, 3, b"\x03"),
        ChainRange("b", 1, 1, b"\x01"),
        ChainRange("b", 3, 3, b"\x03"),
    )
    assert ranges_of([]) == ()


def test_more_ranges_than_fit_into_a_line_are_refused(cli: Service, old: str) -> None:
    many = tuple(ChainRange(old, 1, 1) for _ in range(401))
    with pytest.raises(ValueError, match="do not fit"):
        cli.database.write_now(lambda tx: remove_rows(tx, PRUNE, many))


def test_the_end_of_a_chain_stays_while_its_process_runs(site: Site) -> None:
    running = site.start()
    running.write(an_event(1), an_event(2))
    running.tick()
    site.clock.advance(86_400)
    assert [row[15] for row in find(running)] == [1]


def test_rows_stay_when_the_file_lacks_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    running = site.start()
    running.write(an_event(1), an_event(2))
    monkeypatch.setattr(running.shipper, "ship", lambda *args: None)
    running.write(an_event(3), an_event(4))
    site.clock.advance(86_400)
    assert sorted(row[15] for row in find(running)) == [1, 2]


def test_rows_go_when_their_writer_had_no_file(site: Site) -> None:
    running = site.start(with_file=False)
    running.write(an_event(1), an_event(2))
    site.clock.advance(86_400)
    assert [row[15] for row in find(running)] == [1]


def test_rows_stay_when_they_explain_others(site: Site, cli: Service, old: str) -> None:
    cli.database.write_now(lambda tx: remove_rows(tx, PRUNE, ranges_of(find(cli)[:2])))
    cli.write(an_event(type=EventType.DATABASE_RESET), an_event())
    cli.stop()
    site.clock.advance(86_400)
    rows = site.start().database.read_now(lambda tx: find_removable(tx, LATER + timedelta(days=1), most=100))
    assert {row[1] for row in rows} == {"login_complete", "checkpoint"}


def test_rows_of_an_unknown_writer_stay(cli: Service, old: str) -> None:
    cli.database.write_now(lambda tx: tx._connection.script("DELETE FROM audit_writers"))
    assert find(cli) == []


def attempt(cli: Service, ranges: tuple[ChainRange, ...], blank: int | None = None) -> None:
    before = left(cli)
    with pytest.raises(Conflict, match="nothing was removed"):
        cli.database.write_now(lambda tx: remove_rows(tx, PRUNE, ranges, blank=blank))
    assert left(cli) == before


def test_nothing_is_removed_when_the_rows_are_not_as_described(cli: Service, old: str) -> None:
    (whole,) = ranges_of(find(cli))
    attempt(cli, (ChainRange(old, 1, 7, whole.mac),))
    attempt(cli, (ChainRange(old, 1, 5, whole.mac),))
    attempt(cli, (ChainRange(old, 5, 4, whole.mac),))
    attempt(cli, (ChainRange("nobody", 1, 1, whole.mac),))
    attempt(cli, (ChainRange(old, 1, 2, ranges_of(find(cli)[:2])[0].mac), whole))


def test_nothing_is_removed_when_a_row_has_to_stay(cli: Service) -> None:
    cli.write(an_event(type=EventType.DATABASE_RESET), an_event(), an_event())
    rows = cli.database.read_now(lambda tx: list(tx.events.in_chains()))
    own = [row for row in rows if row[14] not in find(cli)[0][14]]
    attempt(cli, ranges_of(own[:1]))
    attempt(cli, ranges_of(own[2:]))


def test_nothing_is_removed_when_an_erasure_came_in_between(cli: Service, old: str) -> None:
    ranges = ranges_of(find(cli))

    def erase(tx: Transaction) -> None:
        tx.instance.set_maintenance(True)
        tx._connection.script(f"UPDATE audit_logs SET salt = NULL WHERE seq = 3 AND writer_id = '{old}'")
        tx.instance.set_maintenance(False)

    cli.database.write_now(erase)
    attempt(cli, ranges, blank=0)
    assert cli.database.write_now(lambda tx: remove_rows(tx, PRUNE, ranges, blank=1)) == 6


def test_everything_comes_back_when_the_event_cannot_be_written(cli: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ranges = ranges_of(find(cli))

    def fail(tx: Transaction) -> None:
        remove_rows(tx, PRUNE, ranges)
        raise KeyError

    with pytest.raises(KeyError):
        cli.database.write_now(fail)
    assert len(left(cli)) == 6
    cli.database.write_now(lambda tx: record(tx, an_event()))
    with pytest.raises(StorageError):  # the table is append-only again
        cli.database.write_now(lambda tx: tx._connection.script("DELETE FROM audit_logs"))
