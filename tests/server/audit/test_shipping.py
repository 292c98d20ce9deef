"""Whatever happens to the file or to a process, file and table are equal afterwards."""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuditUnavailable, StorageUnavailable
from authctl.server.audit import backlog, file_sink, file_verification, shipping
from authctl.server.audit.lines import id_of, place_of
from authctl.server.storage.writers import Writers
from tests.server.audit.workbench import Service, Site, an_event, reset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def delete(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def truncate_in_part(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 30)


def replace_by_empty(path: Path) -> None:
    path.with_name("new").touch(0o600)
    path.with_name("new").replace(path)


def replace_by_a_part(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.with_name("new").touch(0o600)
    path.with_name("new").write_bytes(b"".join(lines[:2] + lines[3:]))
    path.with_name("new").replace(path)


def drain(service: Service) -> None:
    for _ in range(50):
        if not service.shipper.has_work():
            break
        service.tick()


def in_file(site: Site) -> dict[tuple[str, int], int]:
    """How often each row stands in the file."""
    found: dict[tuple[str, int], int] = {}
    for line in site.lines():
        place = (line["writer_id"], line["seq"])
        found[place] = found.get(place, 0) + 1
    return found


def in_table(site: Site) -> set[tuple[str, int]]:
    return {(row["writer_id"], row["seq"]) for row in site.rows()}


def assert_equal(site: Site) -> None:
    """Every row has exactly one line."""
    assert set(in_file(site)) == in_table(site)
    assert set(in_file(site).values()) == {1}
    assert site.verify().findings == ()


@pytest.mark.parametrize("policy", ["db", "all"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (delete, "file_deleted"),
        (truncate, "file_truncated"),
        (truncate_in_part, "file_truncated"),
        (replace_by_empty, "file_replaced"),
        (replace_by_a_part, "file_replaced"),
    ],
)
def test_a_damaged_file_is_noticed_told_and_filled_again(
    site: Site, policy: Any, damage: Callable[[Path], None], reason: str
) -> None:
    """R-LG-07, F-08."""
    service = site.start(policy=policy)
    service.write(*(an_event(n) for n in range(1, 6)))
    damage(site.log_file)
    service.write(an_event(6))
    health = service.trail.health()
    assert health.degraded is not None
    assert reason.replace("_", " ") in health.degraded
    drain(service)
    gaps = [row for row in site.rows() if row["event_type"] == "audit_gap"]
    assert [row["reason"] for row in gaps] == [reason]
    assert [row["success"] for row in gaps] == [0]
    assert str(site.log_file) in gaps[0]["details"]
    assert_equal(site)
    service.stop()
    assert_equal(site)


def test_the_notice_of_a_mended_damage_ends_after_a_minute(site: Site, service: Service) -> None:
    service.write(an_event(1))
    site.log_file.unlink()
    service.write(an_event(2))
    drain(service)
    health = service.trail.health()
    assert health.is_ok
    assert health.degraded is not None
    site.clock.advance(61)
    assert service.trail.health().degraded is None


def test_permissions_are_told_and_nothing_is_sent_again(site: Site, service: Service) -> None:
    service.write(an_event(1))
    site.log_file.chmod(0o000)
    service.write(an_event(2))
    drain(service)
    assert [row["reason"] for row in site.rows() if row["event_type"] == "audit_gap"] == ["file_permissions_changed"]
    assert_equal(site)


def test_lines_of_earlier_processes_are_filled_in_when_the_file_is_lost(site: Site) -> None:
    for number in range(3):
        process = site.start(kind="cli")
        process.write(an_event(number))
        process.stop()
    service = site.start()
    service.write(an_event(9))
    site.log_file.unlink()
    service.write(an_event(10))
    drain(service)
    assert_equal(site)


def test_two_processes_fill_one_file_without_doubling(site: Site) -> None:
    old = site.start()
    old.write(an_event(1), an_event(2))
    old.stop()
    first, second = site.start(), site.start()
    first.write(an_event(3))
    second.write(an_event(4))
    truncate(site.log_file)
    for number in range(4):
        first.write(an_event(10 + number))
        second.write(an_event(20 + number))
    drain(first)
    drain(second)
    assert_equal(site)


def test_a_copy_of_the_file_in_its_place_is_recognised(site: Site, service: Service) -> None:
    """An editor writes a new file and renames it."""
    service.write(*(an_event(n) for n in range(1, 4)))
    shutil.copy2(site.log_file, site.folder / "copy")
    (site.folder / "copy").replace(site.log_file)
    service.write(an_event(4))
    drain(service)
    assert_equal(site)


def test_renaming_rotates_without_loss_or_gap(site: Site, service: Service) -> None:
    """R-LG-08, F-10."""
    sent = 0
    for rotation in range(5):
        for _ in range(4):
            sent += 1
            service.write(an_event(sent))
        site.log_file.rename(site.folder / f"app.log.{rotation}")
    service.write(an_event(99))
    places = [
        place_of(line) for part in sorted(site.folder.glob("app.log*")) for line in part.read_bytes().splitlines()
    ]
    assert len(places) == len(set(places)) == sent + 1
    assert not [row for row in site.rows() if row["event_type"] == "audit_gap"]
    assert site.verify().is_intact


def test_copy_and_truncate_rotates_without_loss_doubling_or_gap(site: Site, service: Service) -> None:
    """R-LG-08, F-10: two lines are written between the copy and the truncation."""
    sent = 0
    for rotation in range(4):
        for _ in range(4):
            sent += 1
            service.write(an_event(sent))
        shutil.copy2(site.log_file, site.folder / f"app.log.{rotation}")
        service.write(an_event(sent + 1), an_event(sent + 2))
        sent += 2
        truncate(site.log_file)
    service.write(an_event(99))
    drain(service)
    places = [
        place_of(line) for part in sorted(site.folder.glob("app.log*")) for line in part.read_bytes().splitlines()
    ]
    assert len(places) == len(set(places)) == sent + 1
    assert not [row for row in site.rows() if row["event_type"] == "audit_gap"]
    service.stop()
    assert site.verify().is_intact


def test_rows_of_a_killed_process_are_shipped_by_the_next(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-12: at least once, from a stored position."""
    dead = site.start()
    dead.write(an_event(1))
    monkeypatch.setattr(dead.shipper, "ship", lambda *args: None)
    dead.write(an_event(2), an_event(3))
    assert site.sequences() == [1]
    monkeypatch.setattr(backlog, "has_ended", lambda writer: True)
    service = site.start()
    service.write(an_event(4))
    drain(service)
    service.tick()
    assert_equal(site)
    shipped = [row["shipped_seq"] for row in site.rows("SELECT shipped_seq FROM audit_writers ORDER BY last_seq DESC")]
    assert shipped[0] == 3


@pytest.mark.parametrize("is_rotated", [False, True])
def test_the_last_batch_is_not_shipped_twice_when_its_position_was_not_stored(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_rotated: bool
) -> None:
    first = site.start()
    first.write(an_event(1), an_event(2))
    before = site.rows("SELECT * FROM audit_writers")[0]
    assert before["shipped_seq"] < before["last_seq"]
    if is_rotated:
        site.log_file.rename(site.folder / "app.log.1")
    monkeypatch.setattr(backlog, "has_ended", lambda writer: True)
    site.start().write(an_event(3))
    after = site.rows(f"SELECT * FROM audit_writers WHERE id = '{before['id']}'")[0]
    assert after["shipped_seq"] == after["last_seq"]
    assert len(site.lines()) == (1 if is_rotated else 3)


def test_nothing_is_in_doubt_after_a_clean_stop(site: Site, service: Service) -> None:
    service.write(an_event(1))
    service.stop()
    (writer,) = site.rows("SELECT * FROM audit_writers")
    assert writer["shipped_seq"] == writer["last_seq"] == 2
    assert site.sequences() == [1, 2]


def test_a_stop_is_clean_when_the_file_cannot_be_written(site: Site, blocked: Service) -> None:
    blocked.stop()
    assert [row["event_type"] for row in site.rows()] == ["login_complete", "checkpoint", "audit_gap"]
    (writer,) = site.rows("SELECT * FROM audit_writers")
    assert (writer["last_seq"], writer["shipped_seq"]) == (3, 0)
    site.log_file.unlink()
    service = site.start()
    service.write(an_event(2))
    drain(service)
    assert_equal(site)


@pytest.mark.parametrize("policy", ["db", "all"])
def test_a_late_line_does_not_begin_a_new_file(site: Site, policy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verification takes the first line for the time at which the file began."""
    dead = site.start()
    monkeypatch.setattr(dead.shipper, "ship", lambda *args: None)
    dead.write(an_event(1))
    monkeypatch.undo()
    monkeypatch.setattr(file_verification, "_ROTATION_MARGIN_MS", 0)
    monkeypatch.setattr(shipping.Shipper, "_adopt", lambda self, tx: None)
    time.sleep(0.01)
    other = site.start()
    other.write(an_event(2), an_event(3))
    other.tick()
    site.log_file.rename(site.folder / "app.log.1")
    monkeypatch.undo()
    monkeypatch.setattr(file_verification, "_ROTATION_MARGIN_MS", 0)
    monkeypatch.setattr(backlog, "has_ended", lambda writer: writer.last_seq == 1)
    service = site.start(policy=policy)
    service.write(an_event(4))
    service.tick()
    assert [line["user_email"] for line in site.lines()] == ["user4@example.com", "user1@example.com"]
    assert site.verify().is_intact


def test_running_processes_are_not_finished_by_others(site: Site) -> None:
    first = site.start()
    first.write(an_event(1))
    second = site.start()
    second.write(an_event(2))
    second.tick()
    assert_equal(site)


def test_the_end_of_a_long_file_is_searched_only_as_far_as_needed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "_MARGIN_MS", -1_000_000)
    monkeypatch.setattr(backlog, "has_ended", lambda writer: True)
    dead = site.start()
    monkeypatch.setattr(dead.shipper, "ship", lambda *args: None)
    dead.write(an_event(1))
    monkeypatch.undo()
    with site.log_file.open("ab") as file:
        file.write(b"no event\n")
    site.log_file.chmod(0o600)
    service = site.start()
    monkeypatch.setattr(backlog, "has_ended", lambda writer: True)
    service.write(an_event(2))
    drain(service)
    assert {place[1] for place in in_file_of_events(site)} == {1}
    assert len(in_file_of_events(site)) == 2


def in_file_of_events(site: Site) -> list[tuple[str, int, int]]:
    places = (place_of(line) for line in site.log_file.read_bytes().splitlines())
    return [place for place in places if place is not None]


def test_a_loss_is_mended_by_the_last_batch_of_a_clean_stop(site: Site, service: Service) -> None:
    service.write(an_event(1), an_event(2))
    site.log_file.unlink()
    service.stop()
    assert [row["event_type"] for row in site.rows()] == ["login_complete", "login_complete", "checkpoint", "audit_gap"]
    assert_equal(site)


def test_a_required_file_is_filled_over_several_tries_when_much_is_owed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "_PIECE", 2)
    monkeypatch.setattr(shipping, "_MOST_PIECES", 3)
    service = site.start(policy="all")
    service.write(*(an_event(n) for n in range(1, 9)))
    site.log_file.unlink()
    with pytest.raises(AuditUnavailable) as caught:
        service.write(an_event(9))
    assert "is being filled again" in str(caught.value.hint)
    service.write(an_event(10))
    assert_equal(site)


def test_a_big_backlog_is_shipped_piece_by_piece(site: Site, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "_PIECE", 3)
    service.write(*(an_event(n) for n in range(10)))
    site.log_file.unlink()
    service.write(an_event(11))
    service.tick()
    assert len(site.lines()) < 10
    drain(service)
    assert_equal(site)


def test_rows_that_left_the_table_are_not_waited_for(site: Site, service: Service) -> None:
    service.write(*(an_event(n) for n in range(1, 8)))
    site.log_file.unlink()
    site.damage("DELETE FROM audit_logs WHERE seq IN (1, 2, 5)")
    service.write(an_event(8))
    drain(service)
    assert site.sequences() == [3, 4, 6, 7, 8, 9]
    assert not service.shipper.has_work()


# The file cannot be written.


@pytest.fixture
def blocked(site: Site, service: Service) -> Service:
    """A service whose file was replaced by a symbolic link after its first event."""
    service.write(an_event(1))
    site.log_file.unlink()
    site.log_file.symlink_to(site.folder / "elsewhere")
    return service


def test_the_service_goes_on_when_the_file_cannot_be_written(site: Site, blocked: Service) -> None:
    """F-08, policy db."""
    blocked.write(an_event(2), an_event(3))
    assert not (site.folder / "elsewhere").exists()
    health = blocked.trail.health()
    assert health.is_ok
    assert health.degraded is not None
    assert "symbolic link" in health.degraded
    site.log_file.unlink()
    blocked.write(an_event(4))
    drain(blocked)
    assert blocked.trail.health().lag_events == 0
    assert_equal(site)


def test_readiness_fails_when_the_file_stays_behind(site: Site, blocked: Service) -> None:
    """D-12: 10 s or 10,000 events."""
    blocked.write(an_event(2))
    site.clock.advance(9)
    blocked.write(an_event(3))
    assert blocked.trail.health().is_ok
    site.clock.advance(2)
    health = blocked.trail.health()
    assert not health.is_ok
    assert health.lag_seconds == 11
    assert health.lag_events == 4


def test_readiness_fails_when_too_many_events_are_behind(
    site: Site, blocked: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authctl.server.audit.health.MOST_EVENTS_BEHIND", 2)
    blocked.write(an_event(2), an_event(3))
    assert not blocked.trail.health().is_ok


def test_a_short_lock_by_another_process_only_delays(site: Site, service: Service) -> None:
    service.write(an_event(1))
    other = file_sink.AuditFile(site.log_file)
    other.acquire(0)
    service.write(an_event(2))
    assert site.sequences() == [1]
    assert service.trail.health().degraded is None
    assert service.trail.health().lag_events == 1
    other.close()
    service.tick()
    assert site.sequences() == [1, 2]


def test_adopting_waits_until_the_file_can_be_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = site.start()
    monkeypatch.setattr(dead.shipper, "ship", lambda *args: None)
    dead.write(an_event(1))
    monkeypatch.undo()
    monkeypatch.setattr(backlog, "has_ended", lambda writer: True)
    site.log_file.symlink_to(site.folder / "elsewhere")
    service = site.start()
    service.write(an_event(2))
    site.log_file.unlink()
    service.checkpoint()
    drain(service)
    service.tick()
    drain(service)
    assert_equal(site)


# Policy "all".


def test_nothing_happens_when_the_file_is_required_and_cannot_be_written(site: Site) -> None:
    """D-12, F-08: 503 until repaired."""
    service = site.start(policy="all")
    service.write(an_event(1))
    site.log_file.unlink()
    site.log_file.symlink_to(site.folder / "elsewhere")
    for _ in range(2):
        with pytest.raises(AuditUnavailable) as caught:
            service.write(an_event(2))
        assert "symbolic link" in str(caught.value.hint)
    assert len(site.rows()) == 1
    assert not service.trail.health().is_ok
    site.log_file.unlink()
    service.write(an_event(3))
    assert service.trail.health().is_ok
    assert [row["event_type"] for row in site.rows()] == ["login_complete", "login_complete", "audit_gap"]
    assert_equal(site)


def test_nothing_happens_when_the_file_is_required_and_the_disk_is_full(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = site.start(policy="all")
    service.write(an_event(1))
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:10]))
    with pytest.raises(AuditUnavailable):
        service.write(an_event(2))
    monkeypatch.undo()
    assert len(site.rows()) == len(site.lines()) == 1
    service.write(an_event(3))
    assert_equal(site)


def test_lines_are_taken_back_when_the_commit_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-12: both or neither."""
    service = site.start(policy="all")
    service.write(an_event(1))
    writer = service.database._writers[0]
    script = writer._script
    size_at_commit = []

    def fail_at_commit(sql: str) -> None:
        if sql == "COMMIT":
            size_at_commit.append(len(site.lines()))
            raise StorageUnavailable(hint="the disk is full")
        script(sql)

    monkeypatch.setattr(writer, "_script", fail_at_commit)
    with pytest.raises(StorageUnavailable):
        service.write(an_event(2))
    monkeypatch.undo()
    assert size_at_commit == [2]
    assert len(site.rows()) == len(site.lines()) == 1
    service.write(an_event(3))
    assert_equal(site)


def test_lines_stand_before_the_commit_and_durably(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    service = site.start(policy="all")
    synced = []
    real = os.fdatasync

    def sync(fd: int) -> None:
        synced.append(os.fstat(fd).st_size)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", sync)
    service.write(an_event(1))
    assert synced == [site.log_file.stat().st_size]
    (writer,) = site.rows("SELECT * FROM audit_writers")
    assert writer["shipped_seq"] == writer["last_seq"] == 1


def test_lines_without_a_commit_are_cut_off_by_the_next_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process was killed between the file and its commit."""
    dead = site.start(policy="all")
    dead.write(an_event(1))
    line = site.log_file.read_bytes()
    dead.stop()
    with site.log_file.open("ab") as file:
        file.write(line.replace(b'"seq":1,', b'"seq":8,') + line.replace(b'"seq":1,', b'"seq":9,'))
    service = site.start(policy="all")
    service.write(an_event(2))
    assert 8 not in site.sequences()
    assert_equal(site)


def test_the_file_stays_locked_until_the_commit_when_it_is_required(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = site.start(policy="all")
    service.write(an_event(1))
    writer = service.database._writers[0]
    script = writer._script
    busy = []

    def look_at_commit(sql: str) -> None:
        if sql == "COMMIT":
            with pytest.raises(AuditUnavailable) as caught:
                file_sink.AuditFile(site.log_file).acquire(0)
            busy.append(str(caught.value.hint))
        script(sql)

    monkeypatch.setattr(writer, "_script", look_at_commit)
    later = site.start()
    later.write(an_event(2))
    later.stop()
    service.shipper.adopt_soon()
    service.write(an_event(3))
    monkeypatch.undo()
    assert busy == [f"the audit file {site.log_file} is locked by another process"]
    assert_equal(site)


def test_what_is_owed_comes_first_when_the_file_is_required(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.start().write(an_event(0))
    lazy = site.start()
    monkeypatch.setattr(lazy.shipper, "ship", lambda *args: None)
    lazy.write(an_event(1), an_event(2))
    monkeypatch.undo()
    monkeypatch.setattr(backlog, "has_ended", lambda writer: True)
    site.start(policy="all").write(an_event(3))
    assert site.sequences() == [1, 1, 2, 1]
    assert_equal(site)


def test_an_unforeseen_error_gives_the_file_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    service = site.start(policy="all")
    service.write(an_event(1))

    def explode(*args: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(service.shipper, "fetch", explode)
    with pytest.raises(StorageUnavailable):
        service.write(an_event(2))
    monkeypatch.undo()
    service.write(an_event(3))
    assert_equal(site)


def test_the_file_is_not_waited_for_without_end_inside_one_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "_PATIENCE_WHEN_REQUIRED", 0.01)
    service = site.start(policy="all")
    service.write(an_event(1))
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with service.shipper._mutex:
            locked.set()
            done.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(5)
    monkeypatch.setattr(service.shipper, "begin_generation", lambda generation: None)
    monkeypatch.setattr(service.shipper, "open_chain", lambda *args: None)
    monkeypatch.setattr(service.shipper, "take_gaps", list)
    monkeypatch.setattr(service.shipper, "put_back_gaps", lambda gaps: None)
    with pytest.raises(AuditUnavailable):
        service.write(an_event(2))
    done.set()
    holder.join()
    monkeypatch.undo()
    service.write(an_event(3))
    assert_equal(site)


def test_a_commit_whose_fate_was_unknown_is_looked_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-05: "commit done, answer lost"."""
    service = site.start(policy="all")
    service.write(an_event(1))
    writer = service.database._writers[0]
    script = writer._script

    def lose_the_answer(sql: str) -> None:
        script(sql)
        if sql == "COMMIT":
            raise StorageUnavailable

    monkeypatch.setattr(writer, "_script", lose_the_answer)
    with pytest.raises(StorageUnavailable):
        service.write(an_event(2))
    monkeypatch.undo()
    service.write(an_event(3))
    drain(service)
    assert [row["user_email"] for row in site.rows()] == [f"user{n}@example.com" for n in (1, 2, 3)]
    assert_equal(site)


def test_a_gap_is_told_when_the_first_try_was_rolled_back(
    site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.write(an_event(1))
    site.log_file.unlink()
    service.write(an_event(2))
    monkeypatch.setattr(Writers, "advance", lambda *args, **kwargs: False)
    with pytest.raises(AuditUnavailable):
        service.write(an_event(3))
    monkeypatch.undo()
    drain(service)
    assert [row["reason"] for row in site.rows() if row["event_type"] == "audit_gap"] == ["file_deleted"]
    assert_equal(site)


def test_lines_tell_their_place_only_when_they_are_ours() -> None:
    assert place_of(b"nonsense") is None
    assert place_of(b'{"writer_id":"w"}') is None
    assert place_of(b'{"writer_id":"w","seq":"1","generation":1}') is None
    assert id_of(b"[]") is None
    assert id_of(b'{"id":1}') is None
    assert id_of(b'{"id":"x"}') == "x"
    assert backlog.milliseconds_of("nonsense") == 0


def test_a_reset_stands_when_the_file_cannot_be_emptied(site: Site, blocked: Service) -> None:
    blocked.database.write_now(reset)
    assert [row["event_type"] for row in site.rows()] == ["database_reset"]
    assert "symbolic link" in str(blocked.trail.health().degraded)
    site.log_file.unlink()
    drain(blocked)
    assert_equal(site)


@pytest.mark.parametrize("is_same_process", [False, True])
def test_lines_that_cannot_be_taken_back_are_cut_off_later(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_same_process: bool
) -> None:
    service = site.start(policy="all")
    service.write(an_event(1))
    writer = service.database._writers[0]
    script = writer._script

    def fail_at_commit(sql: str) -> None:
        if sql == "COMMIT":
            raise StorageUnavailable
        script(sql)

    def fail(fd: int, size: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(writer, "_script", fail_at_commit)
    monkeypatch.setattr(os, "ftruncate", fail)
    with pytest.raises(StorageUnavailable):
        service.write(an_event(2))
    monkeypatch.undo()
    assert "Input/output error" in str(service.trail.health().degraded)
    assert len(site.lines()) == 2
    other = service if is_same_process else site.start(policy="all")
    other.write(an_event(3))
    assert_equal(site)
