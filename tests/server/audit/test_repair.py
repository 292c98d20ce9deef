"""Log files and table mend each other, and neither takes anything from the other that nobody proves."""

from __future__ import annotations

import asyncio
import gzip
import os
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from authctl.errors import AuditUnavailable, Conflict, Refused, StorageMissing, StorageUnavailable, UsageError
from authctl.server.audit import expected_lines, file_repair, overwriting, row_restoring
from authctl.server.audit.blank_lines import blanked
from authctl.server.audit.erasure import Subject
from authctl.server.audit.events import Caller, EventType
from authctl.server.audit.keys import TrailKeys
from authctl.server.audit.lines import row_of
from authctl.server.audit.overwriting import Workplace
from authctl.server.audit.removals import ranges_of, remove_rows
from authctl.server.audit.repair import Repair
from authctl.server.storage.engine import open_database
from tests.server.audit.test_erasing_files import erase, look
from tests.server.audit.workbench import KEYS, Service, Site, an_event

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.file_repair import Mending
    from authctl.server.audit.row_restoring import Restoring
    from authctl.server.storage.transaction import Transaction

OPERATOR = Caller(None, None, None, "r9", actor="os:root(0)")


def repair_of(service: Service) -> Repair:
    return Repair(service.database, service.recording)


def mend(service: Service, path: Path | None = None, **options: Any) -> Mending:
    return asyncio.run(repair_of(service).mend_file(path, OPERATOR, **options))


def restore(service: Service, *files: Path, **options: Any) -> Restoring:
    return asyncio.run(repair_of(service).restore_rows(files, OPERATOR, **options))


def lines_in(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.strip()]


def filled(site: Site, count: int = 6) -> list[bytes]:
    """A trail of some writers that have ended, and the lines of its file."""
    for first in range(0, count, 3):
        service = site.start()
        service.write(*(an_event(number) for number in range(first, first + 3)))
        service.stop()
    return lines_in(site.log_file)


def types_in(site: Site) -> list[str]:
    return [row["event_type"] for row in site.rows("SELECT event_type FROM audit_logs ORDER BY created_at, id")]


def forged(line: bytes, **changes: Any) -> bytes:
    return orjson.dumps({**orjson.loads(line), **changes}) + b"\n"


class TestMendingAFile:
    def test_a_running_service_notices_nothing(self, site: Site, service: Service) -> None:
        """R-LG-07: the file stays the one that it is, and its end where it is."""
        service.write(*(an_event(number) for number in range(5)))
        lines = lines_in(site.log_file)
        foreign = b"x" * (len(lines[2]) - 1) + b"\n"
        site.log_file.write_bytes(b"".join([lines[0].replace(b"logged", b"jogged"), lines[1], foreign, *lines[3:]]))
        other = site.start()
        done = mend(other)
        assert (done.written, done.mended, done.rejected) == (1, 1, 1)
        service.write(an_event(8))
        other.stop()
        service.stop()
        assert site.verify().is_intact
        assert set(lines) <= set(lines_in(site.log_file))
        assert "audit_gap" not in types_in(site)

    def test_a_damaged_file_is_made_whole(self, site: Site) -> None:
        lines = filled(site)
        altered = lines[1].replace(b"logged in", b"looked in")
        longer = forged(lines[2], details="something much longer than what there was")
        shorter = forged(lines[3], details="x")
        foreign, torn = b"no event\n", b'{"torn'
        site.log_file.write_bytes(b"".join([lines[0], altered, longer, shorter, foreign, lines[4], *lines[6:], torn]))
        inode = site.log_file.stat().st_ino
        service = site.start()
        planned = mend(service, dry_run=True)
        assert (planned.written, planned.mended, planned.rejected) == (3, 1, 4)
        assert "audit_repair" not in types_in(site)
        done = mend(service)
        assert done == planned
        service.stop()
        assert site.verify().is_intact
        assert site.log_file.stat().st_ino == inode
        assert sorted(lines) == sorted(line for line in lines_in(site.log_file) if line in lines)
        rejected = site.folder / "app.log.rejected"
        assert sorted(lines_in(rejected)) == sorted([altered, longer, shorter, foreign, torn + b"\n"])
        assert rejected.stat().st_mode & 0o777 == 0o600
        (event,) = site.rows("SELECT * FROM audit_logs WHERE event_type = 'audit_repair'")
        assert event["details"] == (
            f"Audit file {site.log_file} repaired from the table by os:root(0) from the command line: "
            "3 lines written, 1 mended, 4 taken out"
        )

    def test_nothing_is_done_when_the_file_is_whole(self, site: Site) -> None:
        filled(site)
        before = site.log_file.read_bytes()
        service = site.start()
        assert mend(service).is_nothing
        service.stop()
        assert site.log_file.read_bytes() == before
        assert "audit_repair" not in types_in(site)

    @pytest.mark.parametrize("state", ["gone", "empty"])
    def test_a_lost_file_is_written_from_the_table(self, state: str, site: Site) -> None:
        """R-LG-08: a rotated log file plus the table can rebuild each other, one way."""
        lines = filled(site)
        if state == "gone":
            site.log_file.unlink()
        else:
            os.truncate(site.log_file, 0)
        service = site.start()
        assert mend(service).written == len(lines)
        service.stop()
        assert lines_in(site.log_file)[: len(lines)] == lines or set(lines) <= set(lines_in(site.log_file))
        assert site.log_file.stat().st_mode & 0o777 == 0o600
        assert site.verify().is_intact

    @pytest.mark.parametrize("is_packed", [False, True])
    def test_a_lost_file_gets_only_what_those_rotated_away_lack(self, is_packed: bool, site: Site) -> None:
        first = filled(site, 3)
        rotated = site.log_file.rename(site.folder / "app.log.1")
        if is_packed:
            (site.folder / "app.log.1.gz").write_bytes(gzip.compress(rotated.read_bytes()))
            rotated.unlink()
        second = filled(site, 3)
        site.log_file.unlink()
        service = site.start()
        assert mend(service).written == len(second)
        service.stop()
        assert set(second) <= set(lines_in(site.log_file))
        assert not set(first) & set(lines_in(site.log_file))
        assert site.verify().is_intact

    def test_a_file_that_was_rotated_away_is_mended_between_its_lines_and_up_to_the_next(self, site: Site) -> None:
        """R-LG-08."""
        service = site.start()
        service.write(*(an_event(number) for number in range(8)))
        rotated = site.log_file.rename(site.folder / "app.log.1")
        service.write(*(an_event(number) for number in range(3)))
        service.stop()
        lines, current = lines_in(rotated), site.log_file.read_bytes()
        rotated.write_bytes(b"".join([lines[0], lines[1], lines[4]]))
        other = site.start()
        assert mend(other, rotated).written == 5
        other.stop()
        assert sorted(lines_in(rotated)) == sorted(lines)
        assert site.log_file.read_bytes().startswith(current)
        assert site.verify().is_intact

    @pytest.mark.parametrize("content", [b"something else\n", bytes(4096), b"\x7fELF\x02\n\n\x01"])
    def test_a_file_without_an_event_is_refused_and_left_as_it_is(self, content: bytes, site: Site) -> None:
        """It may be anybody's, and taking out what is no event would leave nothing of it."""
        filled(site)
        other = site.folder / "app.log.7"
        other.write_bytes(content)
        with pytest.raises(UsageError, match="holds no event"):
            mend(site.start(), other)
        assert other.read_bytes() == content
        assert "audit_repair" not in types_in(site)

    def test_erased_lines_are_left_alone_and_come_back_blank(self, site: Site, service: Service) -> None:
        service.write(an_event(1), an_event(2), an_event(1))
        erase(service)
        look(service)
        before = site.log_file.read_bytes()
        assert mend(service).is_nothing
        assert site.log_file.read_bytes() == before
        lines = lines_in(site.log_file)
        site.log_file.write_bytes(b"".join(lines[1:]))
        assert mend(service).written == 0  # it stands before the first line of its chain
        site.log_file.write_bytes(b"".join([lines[0], lines[1], lines[3]]))
        assert mend(service).written == 1
        assert b"user1@" not in site.log_file.read_bytes()

    @pytest.mark.parametrize("change", ["same", "longer", "shorter"])
    def test_a_line_that_an_erasure_missed_is_blanked_and_kept_nowhere(
        self, change: str, site: Site, service: Service
    ) -> None:
        service.write(an_event(2), an_event(1), an_event(2))
        lines = lines_in(site.log_file)
        erase(service)
        details = {"same": "User 1 logged in from IP: 192.0.2.1", "longer": "x" * 400, "shorter": ""}[change]
        small = forged(lines[1], details=details)
        if change == "shorter":
            small = forged(small, salt="", user_email="user1@example.com", user_agent="", personal_digest="")
        site.log_file.write_bytes(b"".join([lines[0], small, *lines_in(site.log_file)[2:]]))
        done = mend(service)
        assert done.mended + done.rejected == 1
        assert not (site.folder / "app.log.rejected").exists()
        assert b"user1@" not in site.log_file.read_bytes()
        site.stop()
        assert site.verify().is_intact

    def test_a_row_that_was_tampered_with_mends_nothing(self, site: Site) -> None:
        """R-LG-06: the file may be the last that tells the truth."""
        lines = filled(site)
        site.damage("UPDATE audit_logs SET reason = 'forged' WHERE seq = 2")
        service = site.start()
        done = mend(service)
        assert (done.mended, done.doubtful) == (0, 2)
        assert site.log_file.read_bytes() == b"".join(lines)
        site.log_file.write_bytes(b"".join([lines[0], *lines[2:]]))
        done = mend(service)
        assert (done.written, done.doubtful) == (0, 2)

    def test_lines_without_rows_stay_when_they_are_genuine(self, site: Site) -> None:
        lines = filled(site)
        site.damage("DELETE FROM audit_logs WHERE seq IN (2, 3)")
        site.log_file.write_bytes(b"".join([lines[0], lines[1].replace(b"logged", b"jogged"), *lines[2:]]))
        service = site.start()
        done = mend(service)
        assert (done.without_row, done.rejected) == (3, 1)
        assert lines[2] in lines_in(site.log_file)

    def test_lines_of_removed_rows_stay_when_they_fit(self, site: Site) -> None:
        """R-LG-11."""
        lines = filled(site)
        service = site.start()

        def unit(tx: Transaction) -> None:
            rows = [row for row in tx.events.in_chains() if row[15] < 3]
            event = an_event(type=EventType.AUDIT_PRUNE, details="pruned", user_email=None, user_id=None)
            remove_rows(tx, event, ranges_of(rows))

        service.database.write_now(unit)
        wrong = [lines[0].replace(b"logged", b"jogged"), forged(lines[1], mac="00" * 32)]
        site.log_file.write_bytes(b"".join([*wrong, *lines[2:], *lines_in(site.log_file)[len(lines) :]]))
        done = mend(service)
        assert (done.written, done.rejected) == (0, 2)
        service.stop()
        assert site.verify().is_intact
        assert site.verify().counts.lines_of_removed_rows == 2

    def test_lines_of_earlier_and_of_no_trails(self, site: Site) -> None:
        lines = filled(site)
        text = b"".join([forged(lines[0], generation=0), forged(lines[1], generation=9), b" \n", *lines])
        site.log_file.write_bytes(text)
        service = site.start()
        assert mend(service).rejected == 1
        service.stop()
        assert site.verify().counts.lines_of_earlier_trails == 1

    def test_much_is_mended_in_portions(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(file_repair, "_AT_ONCE", 2)
        monkeypatch.setattr(file_repair, "_APPENDED_AT_ONCE", 1500)
        monkeypatch.setattr(expected_lines, "_PAGE", 2)
        lines = filled(site, 12)
        site.log_file.write_bytes(lines[0] + b"x\n" * 7 + b"\xff" * (3 << 20) + b"\n" + lines[5])
        service = site.start()
        done = mend(service)
        assert (done.written, done.rejected) == (5, 10)  # what may stand in an older file is not expected
        service.stop()
        assert site.verify().is_intact

    @pytest.mark.parametrize("after", [0, 1, 2, 3])
    def test_an_interrupted_mending_is_finished_by_running_it_again(
        self, after: int, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(file_repair, "_AT_ONCE", 1)
        monkeypatch.setattr(file_repair, "_APPENDED_AT_ONCE", 1)
        lines = filled(site)
        site.log_file.write_bytes(b"".join([lines[0], b"foreign\n", b"more\n", lines[3], *lines[5:]]))
        service = site.start()
        done: list[int] = []
        real = overwriting.lock

        def fail_later(fd: int) -> bool:
            done.append(1)
            return len(done) <= after and real(fd)

        monkeypatch.setattr(file_repair, "lock", fail_later)
        with pytest.raises(AuditUnavailable):
            mend(service)
        monkeypatch.undo()
        mend(service)
        service.stop()
        assert site.verify().is_intact
        assert {b"foreign\n", b"more\n"} == set(lines_in(site.folder / "app.log.rejected"))

    def test_a_packed_file_is_refused(self, site: Site, service: Service) -> None:
        packed = site.folder / "app.log.1.gz"
        packed.write_bytes(gzip.compress(b"x"))
        with pytest.raises(UsageError):
            mend(service, packed)

    def test_a_file_that_is_not_there_or_cannot_be_read_is_refused(self, site: Site, service: Service) -> None:
        with pytest.raises(StorageMissing):
            mend(service, site.folder / "app.log.9")
        (site.folder / "app.log.8").mkdir()
        with pytest.raises(AuditUnavailable):
            mend(service, site.folder / "app.log.8")

    def test_there_is_nothing_to_mend_without_a_file(self, site: Site) -> None:
        with pytest.raises(UsageError):
            mend(site.start(with_file=False))

    def test_another_key_proves_nothing(self, site: Site) -> None:
        lines = filled(site)
        site.log_file.write_bytes(lines[0].replace(b"logged", b"jogged") + lines[2])
        site.damage("DELETE FROM audit_logs WHERE seq = 3")
        service = site.start(keys=TrailKeys(bytes(32), KEYS.checkpoint))
        done = mend(service)
        assert (done.written, done.mended, done.rejected, done.without_row) == (0, 0, 0, 1)
        erase(service, Subject("nobody", ("id-1",)))
        with pytest.raises(Refused):
            mend(site.start())

    def test_two_do_not_mend_at_once(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = filled(site)
        site.log_file.write_bytes(b"".join([lines[0], *lines[2:]]))
        monkeypatch.setattr(file_repair, "_PATIENCE", 0.01)
        service = site.start()
        with Workplace(site.log_file).taken(0.0), pytest.raises(Conflict):
            mend(service)

    @pytest.mark.parametrize("disturbance", ["rotated", "changed", "locked", "full"])
    def test_it_says_so_when_the_file_does_not_hold_still(
        self, disturbance: str, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = filled(site)
        site.log_file.write_bytes(b"".join([lines[0], b"foreign\n", *lines[2:]]))
        service = site.start()
        service.write(an_event(9))
        size = site.log_file.stat().st_size
        real = overwriting.lock

        def disturb(fd: int) -> bool:
            if disturbance == "rotated":
                os.truncate(site.log_file, 0)
            elif disturbance == "changed":
                with site.log_file.open("r+b") as file:
                    file.seek(len(lines[0]))
                    file.write(b"FOREIGN")
            elif disturbance == "locked":
                return False
            return real(fd)

        def refuse(fd: int, data: bytes, offset: int) -> int:
            return 3

        monkeypatch.setattr(file_repair, "lock", disturb)
        if disturbance == "full":
            monkeypatch.setattr(os, "pwrite", refuse)
            monkeypatch.setattr(overwriting, "_write", lambda *_: None)
        with pytest.raises((Conflict, AuditUnavailable)):
            mend(service)
        if disturbance == "full":
            assert site.log_file.stat().st_size >= size


class TestRestoringRows:
    @pytest.mark.parametrize("lost", ["seq = 2", "seq >= 2", "seq >= 1"])
    def test_lost_rows_come_back_from_a_rotated_file(self, lost: str, site: Site) -> None:
        """R-LG-06, R-LG-08: a rotated log file plus the table can rebuild each other, the other way."""
        filled(site)
        rotated = site.log_file.rename(site.folder / "app.log.1")
        before = [tuple(row) for row in site.rows()]
        site.damage(f"DELETE FROM audit_logs WHERE {lost}")
        assert not site.verify(file=False).is_intact
        service = site.start()
        planned = restore(service, rotated, dry_run=True)
        assert [tuple(row) for row in site.rows()] != before
        done = restore(service, rotated)
        assert (done.restored, done.refused) == (planned.restored, 0)
        assert done.restored + done.present == len(before)
        service.stop()
        after = [tuple(row) for row in site.rows("SELECT * FROM audit_logs ORDER BY writer_id, seq")]
        assert set(before) <= set(after)
        assert site.verify().is_intact
        (event,) = site.rows("SELECT * FROM audit_logs WHERE event_type = 'audit_repair'")
        assert event["details"].startswith(f"{done.restored} rows restored by os:root(0) from the command line from ")

    def test_an_older_copy_of_the_database_catches_up(self, any_url: str, tmp_path: Path, clock: Any) -> None:
        """With its writers, in any order of lines and files, packed or not."""
        site = Site(tmp_path, any_url, clock)
        filled(site)
        lines = lines_in(site.log_file)
        database = open_database(any_url, clock)
        rows = database.read_now(lambda tx: list(tx.events.in_chains()))

        def lose(tx: Transaction) -> None:
            tx.instance.set_maintenance(True)
            newest = tx.writers.all()[-1]
            tx.removals.delete(newest.id, 1, 1 << 40)
            tx.removals.delete(tx.writers.all()[0].id, 3, 1 << 40)
            tx.instance.set_maintenance(False)
            tx._connection.script(f"DELETE FROM audit_writers WHERE id = '{newest.id}'")
            first = tx.writers.all()[0]
            tx.writers.advance(first.id, seq=2, mac=tx.events.mac_at(first.id, 2) or b"", shipped=2)

        database.write_now(lose)
        left = len(database.read_now(lambda tx: list(tx.events.in_chains())))
        lines.sort(key=lambda line: line[-20:])
        packed, plain = tmp_path / "old.gz", tmp_path / "new"
        packed.write_bytes(gzip.compress(b"".join(lines[:4])))
        plain.write_bytes(b"".join(lines[4:]))
        service = site.start()
        done = restore(service, plain, packed)
        assert (done.refused, done.restored) == (0, len(rows) - left)
        site.stop()
        found = database.read_now(lambda tx: list(tx.events.in_chains()))
        assert [row for row in found if row in rows] == rows
        assert "restored" in [writer.kind for writer in database.read_now(lambda tx: tx.writers.all())]
        database.close()
        assert site.verify(file=False).is_intact

    def test_nothing_comes_back_that_nobody_proves(self, site: Site) -> None:
        """R-LG-06."""
        lines = filled(site)
        site.damage("DELETE FROM audit_logs WHERE seq IN (2, 3)")
        source = site.folder / "source"
        made_up = forged(lines[0], id="01a20cd0-0000-7000-8000-000000000000", writer_id="0" * 36)
        source.write_bytes(
            b"".join(
                [
                    lines[0],
                    lines[1].replace(b"logged", b"jogged"),
                    lines[2],
                    b"no event\n",
                    made_up,
                    forged(lines[3], generation=0),
                    blanked(lines[4])[:-2] + b"\n",
                ]
            )
        )
        service = site.start()
        done = restore(service, source)
        assert (done.restored, done.present, done.earlier, done.refused) == (0, 2, 1, 4)
        assert [(line.line, line.why) for line in done.lines] == [
            (2, "does not fit its MAC"),
            (4, "is no event of this trail"),
            (5, "does not fit its MAC"),
            (3, "follows a row that is nowhere, so that nothing proves it"),
        ]
        assert "audit_repair" not in types_in(site)

    def test_what_was_removed_or_erased_stays_so(self, site: Site) -> None:
        """R-LG-11: an erasure is not undone by a file that was kept."""
        lines = filled(site)
        kept = site.folder / "kept"
        service = site.start()
        erase(service)
        rows = service.database.read_now(lambda tx: list(tx.events.in_chains()))
        gone = [row for row in rows if row[14] == orjson.loads(lines[-1])["writer_id"] and row[15] == 1]
        event = an_event(type=EventType.AUDIT_PRUNE, details="pruned", user_email=None, user_id=None)
        service.database.write_now(lambda tx: remove_rows(tx, event, ranges_of(gone)))
        service.stop()
        site.damage("DELETE FROM audit_logs WHERE salt IS NULL")
        kept.write_bytes(b"".join(lines))
        service = site.start()
        done = restore(service, kept)
        assert (done.restored, done.erased, done.removed) == (1, 1, 1)
        service.stop()
        assert "user1@example.com" not in [row["user_email"] for row in site.rows()]
        assert site.verify(file=False).is_intact

    def test_what_was_removed_or_erased_since_an_older_copy_is_so_again(self, site: Site) -> None:
        lines = filled(site)
        copy = (site.folder / "app.db").read_bytes()
        service = site.start()
        erase(service)
        rows = service.database.read_now(lambda tx: list(tx.events.in_chains()))
        gone = [row for row in rows if row[14] == orjson.loads(lines[-1])["writer_id"] and row[15] == 1]
        event = an_event(type=EventType.AUDIT_PRUNE, details="pruned", user_email=None, user_id=None)
        service.database.write_now(lambda tx: remove_rows(tx, event, ranges_of(gone)))
        service.stop()
        for path in site.folder.glob("app.db-*"):
            path.unlink()
        (site.folder / "app.db").write_bytes(copy)
        added = len(lines_in(site.log_file)) - len(lines)
        service = site.start()
        assert restore(service, site.log_file).restored == added
        look(service)
        service.stop()
        assert "user1@example.com" not in [row["user_email"] for row in site.rows()]
        assert site.verify(file=False).is_intact

    def test_the_chain_of_a_running_writer_is_not_gone_on_with(self, site: Site, service: Service) -> None:
        service.write(an_event(1), an_event(2))
        source = site.folder / "source"
        source.write_bytes(site.log_file.read_bytes())
        site.damage("DELETE FROM audit_logs WHERE seq = 2", "UPDATE audit_writers SET last_seq = 1")
        done = restore(site.start(), source)
        assert [line.why for line in done.lines] == ["belongs to a writer that still runs"]

    def test_two_at_once_restore_a_row_once(self, site: Site) -> None:
        lines = filled(site)
        site.damage("DELETE FROM audit_logs WHERE seq = 2")
        service = site.start()
        rows = [row for line in lines if (row := row_of(line)) is not None]
        assert service.database.write_now(lambda tx: row_restoring.restore_rows(tx, rows, lambda *_: None)) == 2
        assert service.database.write_now(lambda tx: row_restoring.restore_rows(tx, rows, lambda *_: None)) == 0

    def test_an_event_that_stands_elsewhere_is_said(self, site: Site) -> None:
        lines = filled(site)
        site.damage("UPDATE audit_logs SET seq = 99 WHERE seq = 2")
        service = site.start()
        with pytest.raises(UsageError):
            restore(service, site.log_file)
        assert lines

    def test_more_than_a_portion_is_restored_and_refused(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(row_restoring, "BATCH", 2)
        monkeypatch.setattr(row_restoring, "MOST_REFUSED", 3)
        monkeypatch.setattr(row_restoring, "MOST_WAITING", 1)
        filled(site)
        site.damage("DELETE FROM audit_logs")
        source = site.folder / "source"
        source.write_bytes(b"x\n" * 5 + site.log_file.read_bytes())
        done = restore(site.start(), source)
        assert (done.refused, len(done.lines)) == (5, 3)
        assert types_in(site).count("audit_repair") == done.restored / 2

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_an_interrupted_restoring_is_finished_by_running_it_again(
        self, after: int, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each portion is there with its event, or not at all."""
        monkeypatch.setattr(row_restoring, "BATCH", 2)
        filled(site)
        site.damage("DELETE FROM audit_logs")
        service = site.start()
        done: list[int] = []
        real = row_restoring.restore_rows

        def fail_later(tx: Transaction, rows: Any, tell: Any) -> int:
            if len(done) == after:
                raise StorageUnavailable
            done.append(1)
            return real(tx, rows, tell)

        monkeypatch.setattr(row_restoring, "restore_rows", fail_later)
        with pytest.raises(StorageUnavailable):
            restore(service, site.log_file)
        monkeypatch.undo()
        assert restore(service, site.log_file).restored == 8 - 2 * after
        service.stop()
        assert site.verify().is_intact

    def test_a_gap_too_large_to_wait_for_is_refused(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(row_restoring, "MOST_WAITING", 1)
        lines = filled(site)
        site.damage("DELETE FROM audit_logs")
        source = site.folder / "source"
        source.write_bytes(b"".join(lines[1:4]))
        assert restore(site.start(), source).refused == 3

    def test_a_file_that_is_not_there_is_said(self, site: Site, service: Service) -> None:
        with pytest.raises(StorageMissing):
            restore(service, site.folder / "nothing")
