"""Lines of the audit file after an erasure: blanked where they stand, beside writers that notice nothing."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gzip
import os
import shutil
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from authctl.errors import AuditUnavailable
from authctl.server.audit import file_scrubbing, overwriting
from authctl.server.audit.blank_lines import blanked, is_empty, is_same_line
from authctl.server.audit.erasure import Subject, blank_rows, find_rows
from authctl.server.audit.erasure_marks import Applied, Marks
from authctl.server.audit.events import EventType
from authctl.server.audit.file_erasing import FileEraser
from authctl.server.audit.overwriting import Overwrite, Workplace
from authctl.server.audit.recorder import record
from authctl.server.audit.shipping import Shipper
from tests.server.audit.workbench import KEYS, START, Service, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authctl.server.audit.events import ChainRange
    from authctl.server.storage.transaction import Transaction

ONE = Subject("user1@example.com", ("id-1",))


def erase(service: Service, subject: Subject = ONE) -> tuple[ChainRange, ...]:
    """What an erasure does to the table."""

    def unit(tx: Transaction) -> tuple[ChainRange, ...]:
        ranges = blank_rows(tx, find_rows(tx, subject, most=1000))
        event = an_event(
            type=EventType.USER_ERASED, user_email=None, user_id=subject.ids[0], details="erased", ranges=ranges
        )
        record(tx, event)
        return ranges

    return service.database.write_now(unit)


def eraser_of(service: Service, path: Path | None = None) -> FileEraser:
    return FileEraser(service.database, KEYS, path or service.shipper.path)


def look(service: Service, path: Path | None = None) -> FileEraser:
    """What a process that serves does every second."""
    eraser = eraser_of(service, path)
    asyncio.run(eraser.look())
    return eraser


def names_in(path: Path) -> list[str | None]:
    return [orjson.loads(line)["user_email"] for line in path.read_bytes().splitlines()]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which the service may write its file, and make no other."""
    monkeypatch.setattr(Marks, "store", lambda self, applied: False)


FULL = {
    "id": "x", "user_email": "j@x.y", "ip_address": "::1", "peer_address": "", "user_agent": "a", "details": "Jane",
    "salt": "00" * 16, "mac": "1",
}  # fmt: skip


class TestBlankLines:
    @pytest.mark.parametrize("details", ["plain", "Zoë 🦊 日本", 'a "quoted" \\ text', "\u2028", ""])
    def test_a_blanked_line_is_as_long_as_before(self, details: str) -> None:
        line = orjson.dumps({**FULL, "details": details}) + b"\n"
        found = blanked(line)
        assert len(found) == len(line)
        assert found.endswith(b" \n")
        assert orjson.loads(found)["details"] is None
        assert blanked(found) == found

    @pytest.mark.parametrize("line", [b"no event\n", b"[1]\n", b'{"a":1}\n', b"\xff\xfe\n", b"{torn"])
    def test_nothing_is_left_when_a_line_is_none_of_ours(self, line: bytes) -> None:
        assert is_empty(blanked(line))
        assert len(blanked(line)) == len(line)

    def test_a_line_is_told_from_others_whatever_was_erased_of_it(self) -> None:
        line = orjson.dumps(FULL)
        assert is_same_line(line, blanked(line))
        assert is_same_line(blanked(line), line)
        assert not is_same_line(line, line.replace(b'"1"', b'"2"'))
        assert not is_same_line(b"one", b"two")


class TestScrubbing:
    def test_the_lines_of_erased_rows_are_blanked_where_they_stand(self, site: Site, service: Service) -> None:
        """R-LG-06, R-LG-07."""
        service.write(an_event(1, details="Zoë 🦊 logged in"), an_event(2), an_event(1), an_event(3))
        before, others = site.log_file.stat(), site.log_file.read_bytes().splitlines()
        ranges = erase(service)
        assert [(one.first, one.last) for one in ranges] == [(1, 1), (3, 3)]
        done = eraser_of(service).carry_out("user1@example.com", ("id-1",))
        after = site.log_file.read_bytes().splitlines()
        assert (done.lines, done.left) == (2, [])
        assert names_in(site.log_file) == [None, "user2@example.com", None, "user3@example.com", None]
        assert site.log_file.stat().st_ino == before.st_ino
        assert [after[1], after[3]] == [others[1], others[3]]
        assert site.verify().is_intact

    def test_doing_it_again_changes_nothing(self, site: Site, service: Service) -> None:
        service.write(an_event(1), an_event(2))
        erase(service)
        look(service)
        before = site.log_file.read_bytes()
        Marks(site.log_file).store(Applied())
        assert eraser_of(service).carry_out("user1@example.com", ("id-1",)).lines == 0
        assert site.log_file.read_bytes() == before

    def test_a_writer_goes_on_when_its_last_line_was_blanked(self, site: Site, service: Service) -> None:
        """R-LG-07: neither a loss is cried out, nor anything written twice."""
        service.write(an_event(2), an_event(1))
        other = site.start()
        erase(other)
        other.stop()
        look(service)
        service.write(an_event(2))
        service.tick()
        assert "audit_gap" not in [line["event_type"] for line in site.lines()]
        assert service.trail.health().degraded is None
        assert site.verify().counts.lines_repeated == 0

    def test_a_copy_is_known_when_its_first_line_was_blanked(self, site: Site, service: Service) -> None:
        """R-LG-08: rotation by copy and truncate after an erasure."""
        service.write(an_event(1), an_event(2))
        erase(service)
        look(service)
        shutil.copy2(site.log_file, site.folder / "app.log.1")
        os.truncate(site.log_file, 0)
        service.write(an_event(2))
        service.tick()
        assert [line["event_type"] for line in site.lines()] == ["login_complete"]
        assert names_in(site.folder / "app.log.1") == [None, "user2@example.com", None]

    def test_files_that_were_rotated_away_are_cleaned_and_keep_their_age(self, site: Site, service: Service) -> None:
        service.write(an_event(1), an_event(2))
        rotated = site.log_file.rename(site.folder / "app.log-20261124")
        os.utime(rotated, (1_000, 1_000))
        (site.folder / "app.log.2.gz").write_bytes(gzip.compress(rotated.read_bytes()))
        service.write(an_event(1))
        erase(service)
        done = eraser_of(service).carry_out("user1@example.com", ("id-1",))
        assert names_in(rotated) == [None, "user2@example.com"]
        assert names_in(site.log_file) == [None, None]
        assert done.left == [site.folder / "app.log.2.gz"]
        assert rotated.stat().st_mtime == 1_000

    def test_nothing_happens_without_a_file(self, site: Site) -> None:
        service = site.start(with_file=False)
        service.write(an_event(1))
        erase(service)
        eraser = FileEraser(service.database, KEYS, None)
        asyncio.run(eraser.look())
        assert eraser.carry_out("user1@example.com", ()).lines == 0

    def test_a_file_that_is_not_there_yet_has_nothing_to_be_erased(self, site: Site, service: Service) -> None:
        service.write(an_event(1))
        erase(service)
        site.log_file.unlink()
        eraser = eraser_of(service)
        assert eraser.carry_out("user1@example.com", ("id-1",)).lines == 0
        assert not site.log_file.exists()

    def test_lines_without_a_row_are_blanked_by_their_content(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R-LG-11: retention has removed the rows; no erasure can name what is left in the file."""
        monkeypatch.setattr(file_scrubbing, "_UNSETTLED_MS", -1_000)
        service.write(an_event(1), an_event(2), an_event(1), an_event(2, target_user_id="id-1"), an_event(2))
        service.tick()
        site.damage("DELETE FROM audit_logs WHERE seq IN (1, 2, 4)")
        done = eraser_of(service).carry_out("user1@example.com", ("id-1",))
        assert done.lines == 2
        assert names_in(site.log_file) == [
            None, "user2@example.com", "user1@example.com", None, "user2@example.com",
        ]  # fmt: skip

    def test_a_line_that_may_wait_for_its_commit_is_left_alone(self, site: Site, service: Service) -> None:
        service.write(an_event(1))
        site.damage("DELETE FROM audit_logs")
        assert eraser_of(service).carry_out("user1@example.com", ("id-1",)).lines == 0

    def test_a_line_that_was_tampered_with_keeps_nothing(self, site: Site, service: Service) -> None:
        service.write(an_event(1), an_event(2))
        line, other = site.log_file.read_bytes().splitlines(keepends=True)
        short = orjson.dumps({**orjson.loads(line), "salt": "", "user_agent": "", "details": ""}) + b"\n"
        spelt = orjson.dumps(orjson.loads(other), option=orjson.OPT_INDENT_2).replace(b"\n", b" ") + b"\n"
        huge = b"x" * (3 << 20)
        site.log_file.write_bytes(huge + b"\n" + short + spelt + b"not ours\n")
        erase(service)
        erase(service, Subject("user2@example.com", ("id-2",)))
        assert look(service) is not None
        text = site.log_file.read_bytes()
        assert b"user1@" not in text
        assert b"user2@" not in text
        assert text.startswith(huge)
        assert b"not ours\n" in text

    def test_an_unsigned_erasure_destroys_no_line(
        self, site: Site, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        """R-LG-06: the file is what an insider with the database alone cannot change."""
        service.write(an_event(1), an_event(2))
        erase(service)
        anchors = "REPLACE(anchors, '\"seq\":', '\"seq\": ')"
        for change in (f"anchors = {anchors}", "anchors = 'x'", "anchors = NULL"):
            site.damage(f"UPDATE audit_logs SET {change} WHERE event_type = 'user_erased'")
            look(service)
            assert names_in(site.log_file)[0] == "user1@example.com"
            Marks(site.log_file).store(Applied())
        assert "is not signed by this service" in caplog.text

    def test_a_file_of_another_user_is_left_to_them(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        service.write(an_event(1))
        erase(service)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(AuditUnavailable) as raised:
            eraser_of(service).carry_out("user1@example.com", ())
        assert "another user's" in str(raised.value.hint)
        assert not list(service.shipper.path.parent.glob(".app.log.*"))

    def test_a_sibling_of_another_user_is_named(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.write(an_event(1))
        (site.folder / "app.log.1").write_bytes(b"{}\n")
        erase(service)
        real = overwriting.opened

        def refuse(path: Path) -> Any:
            if path.name == "app.log.1":
                raise PermissionError(path)
            return real(path)

        monkeypatch.setattr(file_scrubbing, "opened", refuse)
        done = eraser_of(service).carry_out("user1@example.com", ("id-1",))
        assert (done.lines, done.left) == (1, [site.folder / "app.log.1"])

    def test_a_symbolic_link_is_refused(self, site: Site, service: Service) -> None:
        """R-LG-07."""
        service.write(an_event(1))
        erase(service)
        there = site.log_file.rename(site.folder / "elsewhere")
        site.log_file.symlink_to(there)
        with pytest.raises(AuditUnavailable):
            eraser_of(service).carry_out("user1@example.com", ("id-1",))
        assert names_in(there)[0] == "user1@example.com"

    def test_no_workplace_can_be_made(self, site: Site, service: Service) -> None:
        service.write(an_event(1))
        erase(service)
        (site.folder / ".app.log.erasing").mkdir()
        with pytest.raises(AuditUnavailable):
            eraser_of(service).carry_out("user1@example.com", ("id-1",))

    def test_a_file_that_stays_locked_is_given_up(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.write(an_event(1))
        erase(service)
        monkeypatch.setattr(file_scrubbing, "lock", partial(overwriting.lock, patience=0.01))
        with locked(site.log_file), pytest.raises(AuditUnavailable):
            eraser_of(service).carry_out("user1@example.com", ("id-1",))

    @pytest.mark.parametrize("kind", ["rename", "copytruncate", "shifted"])
    def test_a_rotation_in_the_middle_has_it_begin_again(
        self, kind: str, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R-LG-08."""
        service.write(an_event(1), an_event(2))
        erase(service)
        real = file_scrubbing._scrub_open
        rounds: list[int] = []

        def disturb(*arguments: Any) -> bool:
            if not rounds:
                if kind == "rename":
                    site.log_file.rename(site.folder / "app.log.1")
                    service.write(an_event(2))
                elif kind == "copytruncate":
                    shutil.copy(site.log_file, site.folder / "app.log.1")
                    os.truncate(site.log_file, 0)
                else:
                    monkeypatch.setattr(Workplace, "overwrite", lambda *_, **__: 0)
            else:
                monkeypatch.undo()
            rounds.append(1)
            return real(*arguments)

        monkeypatch.setattr(file_scrubbing, "_scrub_open", disturb)
        eraser_of(service).carry_out("user1@example.com", ("id-1",))
        for path in site.folder.glob("app.log*"):
            assert b"user1@" not in path.read_bytes(), path

    def test_a_file_that_never_rests_is_given_up(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        service.write(an_event(1))
        erase(service)
        monkeypatch.setattr(file_scrubbing, "_scrub_once", lambda *_: False)
        with pytest.raises(AuditUnavailable) as raised:
            eraser_of(service).carry_out("user1@example.com", ("id-1",))
        assert "keeps changing" in str(raised.value.hint)

    def test_many_lines_are_written_in_portions(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(file_scrubbing, "_AT_ONCE", 3)
        monkeypatch.setattr(file_scrubbing, "_PIECE", 700)
        service.write(*(an_event(number % 2) for number in range(20)))
        erase(service)
        look(service)
        assert names_in(site.log_file)[:20] == ["user0@example.com", None] * 10
        assert site.verify().is_intact

    def test_rejected_lines_are_cleaned_by_their_content(self, site: Site, service: Service) -> None:
        service.write(an_event(1))
        rejected = site.folder / "app.log.rejected"
        rejected.write_bytes(b'{"half a line of user1@example.com\nand another\n')
        erase(service)
        eraser_of(service).carry_out("user1@example.com", ("id-1",))
        assert rejected.read_bytes().split(b"\n")[1:] == [b"and another", b""]
        assert b"user1@" not in rejected.read_bytes()


class TestLateLines:
    @pytest.mark.parametrize("policy", ["db", "all"])
    def test_no_line_is_written_from_a_row_read_before_the_erasure(
        self, policy: str, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process is held up between its commit and its file; meanwhile another one erases and goes."""
        service = site.start(policy=policy)  # type: ignore[arg-type]
        service.write(an_event(2))
        other = site.start()
        real: Callable[..., None] = Shipper.ship

        def after_an_erasure(self: Shipper, *arguments: Any) -> None:
            if self is service.shipper:
                monkeypatch.undo()
                erase(other)
                eraser_of(other).carry_out("user1@example.com", ("id-1",))
            real(self, *arguments)

        monkeypatch.setattr(Shipper, "ship", after_an_erasure)
        service.write(an_event(1))
        monkeypatch.undo()
        erase(other)
        look(other)
        service.tick()
        service.tick()
        assert b"user1@" not in site.log_file.read_bytes()
        site.stop()
        assert site.verify().is_intact

    def test_owed_lines_are_read_again_after_an_erasure(self, site: Site, service: Service) -> None:
        service.write(an_event(2))
        with locked(site.log_file):
            service.write(an_event(1), an_event(2))
        erase(service)
        look(service)
        while service.shipper.has_work():
            service.tick()
        assert b"user1@" not in site.log_file.read_bytes()
        site.stop()
        assert site.verify().is_intact

    def test_lines_sent_again_after_a_loss_are_blank(self, site: Site, service: Service) -> None:
        """R-LG-07."""
        service.write(an_event(1), an_event(2))
        erase(service)
        look(service)
        site.log_file.unlink()
        service.write(an_event(3))
        while service.shipper.has_work():
            service.tick()
        assert b"user1@" not in site.log_file.read_bytes()
        site.stop()
        assert site.verify().is_intact


class TestLooking:
    def test_a_service_with_another_file_cleans_its_own(self, site: Site, service: Service, tmp_path: Path) -> None:
        """SPEC: in the file, through the writer that owns it."""
        elsewhere = Site(tmp_path / "host2", site.url, site.clock)
        elsewhere.folder.mkdir()
        second = elsewhere.start()
        second.write(an_event(1), an_event(2))
        service.write(an_event(1))
        eraser = eraser_of(second)
        asyncio.run(eraser.look())
        erase(service)
        look(service)
        assert names_in(elsewhere.log_file)[0] == "user1@example.com"
        asyncio.run(eraser.look())
        assert names_in(elsewhere.log_file)[:2] == [None, "user2@example.com"]
        elsewhere.stop()

    def test_the_work_is_done_once_for_all_processes_and_starts(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.write(an_event(1))
        first, second = eraser_of(service), eraser_of(service)
        erase(service)
        asyncio.run(first.look())
        scanned: list[object] = []
        monkeypatch.setattr("authctl.server.audit.file_erasing.scrub", lambda *_: scanned.append(1))
        for eraser in (first, second, eraser_of(service)):
            asyncio.run(eraser.look())
        assert scanned == []

    def test_it_is_done_again_when_the_mark_is_lost_or_unreadable(self, site: Site, service: Service) -> None:
        service.write(an_event(1))
        erase(service)
        look(service)
        mark = site.folder / ".app.log.erased"
        line = orjson.dumps({"older": 1})
        for content in (b"", b"[]", line):
            mark.write_bytes(content)
            assert Marks(site.log_file).load() == Applied()

    def test_it_is_left_to_the_process_that_is_at_it(self, site: Site, service: Service) -> None:
        service.write(an_event(1))
        erase(service)
        eraser = eraser_of(service)
        with Workplace(site.log_file).taken(0.0) as is_ours:
            assert is_ours
            asyncio.run(eraser.look())
            assert names_in(site.log_file)[0] == "user1@example.com"
        asyncio.run(eraser.look())
        assert names_in(site.log_file)[0] is None

    def test_carrying_out_says_when_another_process_does_not_come_to_an_end(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("authctl.server.audit.file_erasing._PATIENCE", 0.01)
        with Workplace(site.log_file).taken(0.0), pytest.raises(AuditUnavailable):
            eraser_of(service).carry_out("user1@example.com", ("id-1",))

    def test_it_is_done_where_no_mark_can_be_made(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse_marks(monkeypatch)
        service.write(an_event(1))
        erase(service)
        eraser = look(service)
        assert names_in(site.log_file)[0] is None
        scanned: list[object] = []
        monkeypatch.setattr("authctl.server.audit.file_erasing.scrub", lambda *_: scanned.append(1))
        asyncio.run(eraser.look())
        assert scanned == []

    def test_it_is_done_where_no_file_can_be_made(
        self, site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.open

        def refuse(path: Any, flags: int, *mode: int) -> int:
            if str(path).endswith(".erasing"):
                raise PermissionError(errno.EACCES, "no")
            return real(path, flags, *mode)

        refuse_marks(monkeypatch)
        service.write(an_event(1))
        erase(service)
        monkeypatch.setattr(os, "open", refuse)
        look(service)
        monkeypatch.undo()
        assert names_in(site.log_file)[0] is None

    def test_what_cannot_be_done_is_said_once_in_a_while(
        self, site: Site, service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.write(an_event(1))
        erase(service)
        (site.folder / ".app.log.erasing").mkdir()
        eraser = eraser_of(service)
        for _ in range(3):
            asyncio.run(eraser.look())
        assert caplog.text.count("erased lines are not blanked yet") == 1
        (site.folder / ".app.log.erasing").rmdir()
        eraser._pause_ends = 0
        asyncio.run(eraser.look())
        assert names_in(site.log_file)[0] is None

    def test_marks_forget_what_is_old_enough(self) -> None:
        first = Applied().with_more([("a", START)])
        assert ("a", START) in first
        assert ("b", START) not in first
        later = first.with_more([("b", START + timedelta(days=3))])
        assert later.others == {("b", START + timedelta(days=3))}
        assert ("a", START) in later

    def test_a_mark_changes_its_stamp_and_keeps_what_it_says(self, tmp_path: Path) -> None:
        marks = Marks(tmp_path / "app.log")
        assert marks.stamp() is None
        applied = Applied().with_more([("a", START)])
        stamps = set()
        for _ in range(20):
            assert marks.store(applied)
            stamps.add(marks.stamp())
        assert len(stamps) == 20
        assert marks.load() == applied
        assert (tmp_path / ".app.log.erased").stat().st_mode & 0o777 == 0o600
        assert not Marks(tmp_path / "nowhere" / "app.log").store(applied)


class TestCrashes:
    @pytest.mark.parametrize("cut", [47, 100, 300])
    def test_a_line_left_half_blank_is_finished(self, cut: int, site: Site, service: Service) -> None:
        service.write(an_event(2), an_event(1), an_event(2))
        lines = site.log_file.read_bytes().splitlines(keepends=True)
        erase(service)
        new, offset = blanked(lines[1]), len(lines[0])
        with Workplace(site.log_file).taken(0.0), site.log_file.open("r+b") as file:
            status = os.fstat(file.fileno())
            file.seek(offset)
            file.write(new[:cut])
        note = {"file": [status.st_dev, status.st_ino], "writes": [[offset, new.decode()]]}
        (site.folder / ".app.log.erasing").write_bytes(orjson.dumps(note))
        look(service)
        assert site.log_file.read_bytes().splitlines(keepends=True)[:3] == [lines[0], new, lines[2]]
        assert (site.folder / ".app.log.erasing").stat().st_size == 0

    @pytest.mark.parametrize("note", [b"{torn", b"[]", b'{"file": [0, 0], "writes": []}'])
    def test_a_note_that_says_nothing_is_dropped(self, note: bytes, site: Site, service: Service) -> None:
        service.write(an_event(1))
        before = site.log_file.read_bytes()
        (site.folder / ".app.log.erasing").write_bytes(note)
        with Workplace(site.log_file).taken(0.0) as is_ours:
            assert is_ours
        assert site.log_file.read_bytes() == before
        assert (site.folder / ".app.log.erasing").stat().st_size == 0

    def test_a_note_touches_no_other_line(self, site: Site, service: Service) -> None:
        """The file was emptied and filled again since the crash."""
        service.write(an_event(1), an_event(2))
        before = site.log_file.read_bytes()
        lines = before.splitlines(keepends=True)
        status = site.log_file.stat()
        wrong = [[0, blanked(lines[1]).decode()], [3, blanked(lines[0]).decode()], [0, lines[0][:50].decode() + "\n"]]
        note = {"file": [status.st_dev, status.st_ino], "writes": [*wrong, [len(before), lines[0].decode()]]}
        (site.folder / ".app.log.erasing").write_bytes(orjson.dumps(note))
        with Workplace(site.log_file).taken(0.0):
            pass
        assert site.log_file.read_bytes() == before

    def test_a_line_that_is_not_what_was_read_is_not_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "app.log"
        path.write_bytes(b"one\ntwo\n")
        with Workplace(path).taken(0.0) as _, overwriting.opened(path) as fd:
            workplace = Workplace(path)
            with workplace.taken(1.0) as is_ours:
                assert not is_ours
        with workplace.taken(1.0), overwriting.opened(path) as fd:
            changes = [Overwrite(0, b"xxx\n", b"   \n"), Overwrite(4, b"two\n", b"   \n")]
            assert workplace.overwrite(fd, changes[:1]) == 0
            assert workplace.overwrite(fd, changes, is_noted=False) == 1
        assert path.read_bytes() == b"one\n   \n"
