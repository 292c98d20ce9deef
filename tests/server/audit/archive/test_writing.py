"""Events move into an archive: exactly, once, and without a moment at which a crash would lose one."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from authctl.clock import FixedClock
from authctl.errors import Conflict, Refused, StorageDamaged, StorageUnavailable, TrailAltered, UsageError
from authctl.server.audit.archive import blanking, copying, writing
from authctl.server.audit.archive.erasing import erase_in_archive
from authctl.server.audit.archive.fingerprint import as_stored
from authctl.server.audit.archive.manifest import only_writer
from authctl.server.audit.archive.writing import Planned
from authctl.server.audit.chain import START as NO_MAC
from authctl.server.audit.events import ChainRange, EventType
from authctl.server.audit.findings import Status
from authctl.server.audit.removals import find_removable, ranges_of, remove_rows
from authctl.server.storage.event_query import EventFilter
from tests.server.audit.archive.store import Store, fill, month
from tests.server.audit.workbench import CALLER, INSTANCE, KEYS, START, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from authctl.server.storage.events import EventRow

pytestmark = pytest.mark.thorough


def ids(rows: list[Any]) -> list[str]:
    return sorted(row[0] for row in rows)


def of_service(rows: list[EventRow]) -> list[EventRow]:
    return [row for row in rows if row[1] != EventType.AUDIT_ARCHIVE.value]


def test_old_events_leave_the_table_for_a_file_of_each_month(store: Store) -> None:
    moved = store.move()
    assert [(one.month, one.rows, one.file) for one in moved] == [
        ("2100-01", 8, "audit-2100-01.parquet"),
        ("2100-02", 7, "audit-2100-02.parquet"),
        ("2100-03", 6, "audit-2100-03.parquet"),
    ]
    assert [one.size for one in moved] == [(store.directory / one.file).stat().st_size for one in moved]
    assert store.in_archive() == store.rows
    assert {row[1] for row in store.in_table()} == {"audit_archive"}
    assert store.verify().status is Status.INTACT


def test_the_trail_tells_who_moved_what_where(store: Store) -> None:
    """R-LG-10, R-CL-03: an archive is an event with its actor and its row count."""
    store.move(month(2))
    (row,) = (row for row in store.in_table() if row[1] == "audit_archive")
    path = store.directory / "audit-2100-01.parquet"
    assert row[7] == f"8 events of 2100-01 were moved into the archive {path} from IP: {CALLER.address}"
    assert orjson.loads(row[18])["ranges"] == [[store.rows[0][14], 1, 8, store.rows[7][20].hex()]]


def test_the_manifest_says_where_each_chain_goes_on(store: Store) -> None:
    store.move()
    chains = [file.chains for file in store.manifest.files]
    writer = store.rows[0][14]
    assert [[(one.writer_id, one.first, one.last) for one in of_file] for of_file in chains] == [
        [(writer, 1, 8)], [(writer, 9, 15)], [(writer, 16, 21)],
    ]  # fmt: skip
    assert [of_file[0].previous for of_file in chains] == [NO_MAC, store.rows[7][20], store.rows[14][20]]
    assert [of_file[0].mac for of_file in chains] == [store.rows[7][20], store.rows[14][20], store.rows[20][20]]
    assert next((file.rows, file.first, file.last) for file in store.manifest.files) == (
        8, store.rows[0][8], store.rows[7][8],
    )  # fmt: skip
    assert all(file.is_moved for file in store.manifest.files)


def test_the_place_of_a_chain_is_unknown_when_the_row_before_was_removed(store: Store) -> None:
    prune = an_event(type=EventType.AUDIT_PRUNE)
    rows = store.cli.database.read_now(lambda tx: find_removable(tx, month(2), most=3))
    store.cli.database.write_now(lambda tx: remove_rows(tx, prune, ranges_of(rows)))
    store.move()
    assert store.manifest.files[0].chains[0].first == 4
    assert store.manifest.files[0].chains[0].previous == b""
    assert store.verify().status is Status.INTACT


def test_files_are_private_and_nothing_else_is_left(store: Store) -> None:
    store.move()
    assert store.names == [*(f"audit-2100-0{n}.parquet" for n in (1, 2, 3)), "manifest.json"]
    assert store.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in store.directory.iterdir()} == {0o600}


def test_what_is_moved_later_becomes_a_further_part_of_its_month(store: Store) -> None:
    store.move(START + timedelta(days=9))
    assert [file.rows for file in store.manifest.files] == [3]
    assert [one.file for one in store.move(month(2))] == ["audit-2100-01-2.parquet"]
    assert [one.file for one in store.move()] == ["audit-2100-02.parquet", "audit-2100-03.parquet"]
    assert store.in_archive() == store.rows
    assert store.verify().status is Status.INTACT


def test_a_large_month_becomes_several_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_ROWS", 3)
    moved = store.move()
    assert [one.rows for one in moved] == [3, 3, 2, 3, 3, 1, 3, 3]
    assert [one.file for one in moved[:3]] == [
        "audit-2100-01.parquet", "audit-2100-01-2.parquet", "audit-2100-01-3.parquet",
    ]  # fmt: skip
    assert store.in_archive() == store.rows


def test_rows_leave_the_table_in_batches_that_fit_into_an_event(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH", 5)
    store.move(month(2))
    events = [row for row in store.in_table() if row[1] == "audit_archive"]
    assert [row[7].split()[0] for row in events] == ["5", "3"]
    assert ("copying to audit-2100-01.parquet", 5) in store.steps
    assert store.steps[-1] == ("removing what is in audit-2100-01.parquet", 8)
    assert store.verify().status is Status.INTACT


def test_many_short_chains_are_spread_over_events(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        service = site.start()
        service.write(an_event(number))
        service.stop()
    site.clock.advance(86_400)
    store = Store(site, site.start(kind="cli"))
    rows = store.in_table()
    monkeypatch.setattr(writing, "MOST_RANGES", 2)
    store.move()
    events = [row for row in store.in_table() if row[1] == "audit_archive"]
    assert [len(orjson.loads(row[18])["ranges"]) for row in events] == [2, 2]
    assert ids(store.in_archive()) == ids(rows)
    assert store.verify().status is Status.INTACT


def test_nothing_happens_when_nothing_is_old(store: Store) -> None:
    assert store.move(START) == []
    assert store.in_table() == store.rows


def test_a_plan_changes_nothing(store: Store) -> None:
    before = START + timedelta(days=45)
    assert store.writer().plan(before) == [Planned("2100-01", 8), Planned("2100-02", 4)]
    assert store.in_table() == store.rows
    assert not store.directory.exists()


def test_a_time_to_come_is_refused(store: Store) -> None:
    later = store.site.clock.now() + timedelta(seconds=1)
    with pytest.raises(UsageError, match="still to come"):
        store.move(later)
    with pytest.raises(UsageError, match="still to come"):
        store.writer().plan(later)
    assert not store.directory.exists()


def test_events_that_explain_others_stay(store: Store) -> None:
    store.erase(3)
    store.move(month(2))
    store.site.clock.advance(86_400)
    store.cli.write(an_event(99))
    assert [one.rows for one in store.move()] == [7, 6]
    assert {row[1] for row in store.in_table()} == {"user_erased", "audit_archive", "login_complete"}
    assert store.verify().status is Status.INTACT


def test_a_directory_that_others_may_enter_is_refused(store: Store) -> None:
    store.directory.mkdir(mode=0o755)
    store.directory.chmod(0o755)
    with pytest.raises(Refused) as caught:
        store.move()
    assert caught.value.hint == f"chmod 700 {store.directory}"
    assert store.in_table() == store.rows


def test_two_commands_never_change_an_archive_at_once(store: Store) -> None:
    store.move(month(2))
    with only_writer(store.directory), pytest.raises(Conflict, match="Another command"):
        store.move()


def test_an_archive_of_another_instance_or_key_is_left_alone(store: Store) -> None:
    store.move(month(2))
    left = store.in_table()
    with pytest.raises(StorageDamaged, match="another instance"):
        store.writer(instance="another").move(store.site.clock.now())
    store.directory.joinpath("manifest.json").write_bytes(
        store.directory.joinpath("manifest.json").read_bytes().replace(b'"rows": 8', b'"rows": 9')
    )
    with pytest.raises(TrailAltered, match="signature"):
        store.move()
    assert store.in_table() == left


def test_leftovers_of_a_killed_run_are_cleared(store: Store) -> None:
    store.move(month(2))
    (store.directory / ".authctl-x").mkdir()
    (store.directory / ".authctl-x" / "rows.jsonl").write_text("personal")
    store.move(month(2))
    assert store.names == ["audit-2100-01.parquet", "manifest.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("created_at = replace(created_at, ' ', 'T')", "a time that no event has"),
        ("created_at = '2026-13-99 00:00:00.000000'", "a time that no event has"),
        ("details = CAST('x' AS BLOB)", "does not hold what was written"),
        ("success = 'yes'", "cannot be written"),
        ("seq = seq + 0.5", "cannot be written|does not hold"),
    ],
)
def test_altered_rows_are_not_archived_but_stay_where_they_are_found(store: Store, change: str, message: str) -> None:
    store.site.damage(f"UPDATE audit_logs SET {change} WHERE seq = 4")
    before = store.in_table()
    with pytest.raises((TrailAltered, StorageDamaged, StorageUnavailable), match=message):
        store.move()
    assert store.in_table() == before


def test_a_row_that_changes_after_it_was_copied_is_not_removed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copying.copy_rows

    def copy_then_change(*args: Any) -> Any:
        done = copy(*args)
        store.site.damage("UPDATE audit_logs SET reason = 'x' WHERE seq = 4")
        return done

    monkeypatch.setattr(writing, "copy_rows", copy_then_change)
    with pytest.raises(TrailAltered, match="Row 4 of writer"):
        store.move()
    assert len(store.in_table()) == len(store.rows)


def test_an_erasure_after_the_copy_reaches_the_archive(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copying.copy_rows

    def copy_then_erase(*args: Any) -> Any:
        done = copy(*args)
        if done.month == "2100-01":
            store.erase(3)
            store.erase(5)
        return done

    monkeypatch.setattr(writing, "copy_rows", copy_then_erase)
    store.move()
    assert store.names[0] == "audit-2100-01-2.parquet"
    assert "user3@example.com" not in {row[2] for row in store.in_archive()}
    assert [row[15] for row in store.in_archive() if row[16] is None] == [4, 6]
    assert store.verify().status is Status.INTACT


def test_an_erasure_that_was_interrupted_comes_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(writing, "remove_rows", _fail)
        with pytest.raises(KeyError):
            store.move(month(2))
    erase_in_archive(store.directory, KEYS, INSTANCE, [ChainRange(store.rows[0][14], 4, 4)])
    with pytest.raises(Conflict, match="erased in the archive and not in the table"):
        store.move()
    store.erase(3)
    store.move()
    assert store.verify().status is Status.INTACT


def _fail(*args: object, **named: object) -> None:
    raise KeyError


class Faults:
    """Crashes at the n-th of the places that it was put into."""

    def __init__(self, at: int) -> None:
        self.left = at

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            self.pass_by()
            result = function(*args, **named)
            self.pass_by()
            return result

        return run

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def places(monkeypatch: pytest.MonkeyPatch, at: int) -> Faults:
    faults = Faults(at)
    for module, name in (
        (blanking, "write_manifest"),
        (copying, "write_parquet"),
        (copying, "digest_of"),
        (writing, "copy_rows"),
        (writing, "remove_rows"),
        (writing.ArchiveWriter, "_compare"),
    ):
        monkeypatch.setattr(module, name, faults.around(getattr(module, name)))
    return faults


def test_a_crash_anywhere_loses_nothing_and_the_next_run_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 4)
    crashes = 0
    while True:
        folder = tmp_path / str(crashes)
        folder.mkdir()
        site = Site(folder, f"sqlite:///{folder / 'app.db'}", FixedClock(START))
        store = fill(site, 5)
        with monkeypatch.context() as patched:
            faults = places(patched, crashes + 1)
            try:
                store.move()
            except KeyboardInterrupt:
                crashes += 1
            else:
                site.stop()
                break
        if store.directory.joinpath("manifest.json").exists():
            found = [event for event in store.together() if event.event_type != "audit_archive"]
            assert [event.id for event in found] == [row[0] for row in store.rows]
            assert store.total() == len(store.together())
            assert store.verify().status is Status.INTACT
        else:
            assert store.in_table() == store.rows
        store.move()
        assert store.in_archive() == store.rows
        assert {row[1] for row in store.in_table()} == {"audit_archive"}
        assert store.names == ["audit-2100-01.parquet", "manifest.json"]
        assert store.verify().status is Status.INTACT
        site.stop()
    assert faults.left > 0
    assert crashes > 15


def test_the_machine_s_time_zone_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        moved = store.move()
        assert [one.month for one in moved] == ["2100-01", "2100-02", "2100-03"]
        assert store.in_archive() == store.rows
        assert [event.created_at for event in store.together(EventFilter(newest_first=False, limit=1))] == [START]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") is None


@pytest.mark.postgres
def test_events_of_postgresql_are_archived_to_the_letter(tmp_path: Path, postgres_url: str, clock: FixedClock) -> None:
    site = Site(tmp_path, postgres_url, clock)
    try:
        store = fill(site, 20)
        store.erase(3)
        rows = sorted((as_stored(row) for row in store.in_table()), key=lambda row: (row[14], row[15]))
        kept = of_service(rows)
        store.move()
        archived = store.in_archive()
        assert archived == [row for row in kept if row[1] != "user_erased"]
        assert store.total() == len(store.together())
        assert store.verify().status is Status.INTACT
    finally:
        site.stop()
