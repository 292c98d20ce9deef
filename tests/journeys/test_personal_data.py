"""A person asks for what is held about them, or to be forgotten; the trail goes on proving itself."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from authctl.clock import FixedClock
from authctl.errors import Conflict, NotFound, Refused, StorageUnavailable
from authctl.server.accounts import erasing, personal_data
from authctl.server.accounts.buckets import bucket_key, bucket_of
from authctl.server.accounts.erasing import Inventory
from authctl.server.audit.archive.writing import ArchiveWriter
from authctl.server.audit.erasure import blank_rows
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.keys import TrailKeys
from authctl.server.audit.recorder import record
from authctl.server.storage.erasures import empty_write_ahead_log
from tests.builders import JANE, JOHN, Instance, Visitor
from tests.journeys.sql import connect, execute

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from authctl.server.accounts.personal_data import Erased, PersonalData
    from authctl.server.storage.tables import AuditLog
    from authctl.server.storage.transaction import Transaction
    from tests.journeys.conftest import OpenInstance

OPERATOR = Caller(None, None, "authctl/test", "r1", actor="os:root(0)")
PERSONAL = ("user_email", "ip_address", "user_agent", "details", "peer_address", "salt")
NAMES = {"first_name": "Jacqueline", "last_name": "Unmistakable"}


def run(call: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(call)


def rights(instance: Instance) -> PersonalData:
    return instance.service.personal_data


def erase(instance: Instance, who: str = JANE, archive: Path | None = None, **options: Any) -> Erased:
    person = run(rights(instance).find(who, archive))
    done: Erased = run(rights(instance).erase(person, OPERATOR, archive, **options))
    return done


def live(instance: Instance, email: str = JANE, **names: str) -> Visitor:
    """Somebody who registers, logs in, and looks at themselves."""
    visitor = Visitor(instance, email)
    visitor.register(**(names or NAMES))
    visitor.log_in()
    visitor.see()
    return visitor


def rows_of(instance: Instance) -> list[AuditLog]:
    """Every row, whole, in the order of its chain."""

    def unit(tx: Transaction) -> list[AuditLog]:
        found = [tx.events.by_id(row[0]) for row in tx.events.in_chains()]
        return [row for row in found if row is not None]

    return instance.service.database.read_now(unit)


def is_blank(row: AuditLog) -> bool:
    return all(getattr(row, name) is None for name in PERSONAL)


def content_of(instance: Instance) -> bytes:
    """Every byte in the folder of an instance."""
    folder = instance.settings.log_file.parent
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def add_events(instance: Instance, *events: Event) -> None:
    for event in events:
        instance.service.database.write_now(partial(record, event=event))


class TestErasing:
    def test_nothing_is_left_of_a_person_and_everything_of_the_others(self, each_instance: Instance) -> None:
        """R-LG-06: right to erasure, with a chain that still verifies."""
        instance = each_instance
        jane, john = live(instance), live(instance, JOHN, first_name="John", last_name="Roe")
        john.see(jane.id)
        jane.begin_login()
        before = {row.id: row for row in rows_of(instance)}
        lines = instance.settings.log_file.read_bytes().splitlines()
        done = erase(instance)
        assert done.inventory == Inventory(True, 1, 1, 1, 0, 7)
        assert (done.is_file_clean, done.lines, done.left) == (True, 7, ())
        is_embedded = instance.settings.database_url.startswith("sqlite")
        assert [note.split()[0] for note in done.notes] == ([] if is_embedded else ["PostgreSQL"])
        assert not [text for text in (JANE.encode(), b"Unmistakable") if text in content_of(instance)]
        after = {row.id: row for row in rows_of(instance)}
        concerned = {row.id for row in before.values() if row.user_email == JANE or row.target_user_id == jane.id}
        assert all(is_blank(after[event_id]) for event_id in concerned)
        assert [after[other] == before[other] for other in before.keys() - concerned] == [True] * 5
        now = instance.settings.log_file.read_bytes().splitlines()
        assert [line for line in lines if line not in now] == [
            line for line in lines if after[orjson.loads(line)["id"]].salt is None
        ]
        assert run(instance.service.users.list()) == [run(instance.service.users.find(JOHN))]
        assert jane.see().status_code == 401
        assert john.see().status_code == 200
        assert instance.is_intact()

    def test_the_event_names_the_rows_and_nobody(self, instance: Instance) -> None:
        jane = live(instance)
        erase(instance)
        (event,) = [row for row in rows_of(instance) if row.event_type == "user_erased"]
        assert (event.user_id, event.user_email, event.actor, event.success) == (jane.id, None, "os:root(0)", 1)
        assert event.details == (
            "Personal data of a user erased by os:root(0) from the command line: "
            "the account, 1 credential, 1 session, 5 events"
        )
        assert [tuple(one)[1:3] for one in orjson.loads(event.anchors or "")["ranges"]] == [(1, 5)]

    def test_somebody_without_an_account_is_found_by_every_id_they_had(self, each_instance: Instance) -> None:
        instance = each_instance
        first = live(instance)
        run(instance.service.users.delete(JANE, OPERATOR))
        second = live(instance)
        boss = live(instance, JOHN, first_name="John", last_name="Roe")
        run(instance.service.roles.promote(JOHN, OPERATOR))
        boss.log_in()
        for user_id in (first.id, second.id):
            boss.see(user_id)
        run(instance.service.users.delete(JANE, OPERATOR))
        person = run(rights(instance).find(JANE))
        assert (person.user, set(person.subject.ids)) == (None, {first.id, second.id})
        erase(instance)
        assert b"Unmistakable" not in content_of(instance)
        assert all(is_blank(row) for row in rows_of(instance) if row.target_user_id in (first.id, second.id))
        with pytest.raises(NotFound):
            run(rights(instance).find(JANE))
        assert instance.is_intact()

    def test_an_id_finds_a_person_too(self, instance: Instance) -> None:
        jane = live(instance)
        assert run(rights(instance).find(jane.id)).subject.email == JANE
        run(instance.service.users.delete(JANE, OPERATOR))
        assert run(rights(instance).find(jane.id)).subject.email == JANE
        erase(instance, jane.id)
        person = run(rights(instance).find(jane.id))
        assert (person.subject.email, person.user) == ("", None)
        assert run(rights(instance).take_stock(person)).in_words() == "nothing"
        erase(instance, jane.id)
        assert instance.is_intact()

    @pytest.mark.parametrize("typed", ["nobody@example.com", "no address", "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11", ""])
    def test_nobody_cannot_be_erased(self, typed: str, instance: Instance) -> None:
        live(instance)
        with pytest.raises(NotFound):
            run(rights(instance).find(typed))

    def test_the_last_admin_is_kept_unless_told_otherwise(self, instance: Instance) -> None:
        """R-CL-04; and the refusal, which names the person, goes with the rest."""
        live(instance)
        run(instance.service.roles.promote(JANE, OPERATOR))
        with pytest.raises(Refused):
            erase(instance)
        (refusal,) = [row for row in rows_of(instance) if row.event_type == "user_erased"]
        assert (refusal.reason, refusal.user_email) == ("last_admin", JANE)
        assert run(instance.service.users.find(JANE)).role == "admin"
        erase(instance, allow_no_admin=True)
        assert JANE.encode() not in content_of(instance)
        assert instance.is_intact()

    def test_a_refusal_inside_the_transaction_changes_nothing(
        self, instance: Instance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another admin may go between the first look and the erasure."""

        async def too_early(*_: object) -> None:
            pass

        monkeypatch.setattr(personal_data, "refuse_if_last_admin", too_early)
        live(instance)
        run(instance.service.roles.promote(JANE, OPERATOR))
        with pytest.raises(Refused):
            erase(instance)
        assert run(instance.service.users.find(JANE)).email == JANE

    def test_pending_ceremonies_and_counters_go_too(self, open_instance: OpenInstance) -> None:
        instance = open_instance(rate_limits=True)
        jane = live(instance)
        jane.begin_login()
        Visitor(instance, JOHN).begin_registration()
        bucket = bucket_of(bucket_key(instance.service.keys.decoy), JANE)
        counters = f"SELECT count(*) FROM rate_limits WHERE key LIKE '%{bucket}%'"
        url = instance.settings.database_url
        assert execute(url, counters) == [(2,)]
        assert erase(instance).inventory.in_words().startswith("the account, 1 credential, 1 session, 1 pending")
        assert execute(url, counters) == [(0,)]
        assert execute(url, "SELECT email FROM challenges") == [(JOHN,)]

    def test_questions_that_name_the_person_are_blanked(self, instance: Instance) -> None:
        live(instance)

        def asked(details: str, **members: Any) -> Event:
            return Event(EventType.AUDIT_QUERY, True, OPERATOR, details, **members)

        add_events(
            instance,
            asked(f"2 events for user {JANE}, since yesterday"),
            asked(f"2 events for user mary{JANE}"),
            asked(f"2 events for user {JANE}.org"),
            asked("2 events for user jane_example.com"),
        )
        erase(instance)
        rows = sorted((row for row in rows_of(instance) if row.event_type == "audit_query"), key=lambda row: row.seq)
        assert [is_blank(row) for row in rows] == [True, False, False, False]
        assert instance.is_intact()

    def test_many_events_are_erased_in_portions(self, each_instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        instance = each_instance
        monkeypatch.setattr(erasing, "MOST_AT_ONCE", 4)
        monkeypatch.setattr(erasing, "MOST_FOUND", 10)
        jane, john = live(instance), live(instance, JOHN, first_name="John", last_name="Roe")
        for _ in range(9):
            jane.see()
            john.see()
        assert erase(instance).inventory.events == 14
        events = [row for row in rows_of(instance) if row.event_type == "user_erased"]
        assert len(events) == 4
        assert {row.user_id for row in events} == {jane.id}
        said = [(row.details or "").rpartition(": ")[2] for row in events]
        assert sorted(said)[:3] == ["2 further events", "4 further events", "4 further events"]
        assert JANE.encode() not in content_of(instance)
        assert instance.is_intact()

    @pytest.mark.parametrize("after", [0, 1, 2, 3])
    def test_an_interrupted_erasure_is_finished_by_running_it_again(
        self, after: int, instance: Instance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(erasing, "MOST_AT_ONCE", 2)
        jane, john = live(instance), live(instance, JOHN, first_name="John", last_name="Roe")
        for _ in range(3):
            john.see(jane.id)
        portions: list[int] = []
        real = blank_rows

        def fail_later(tx: Any, ids: Any) -> Any:
            if len(portions) == after:
                raise StorageUnavailable
            portions.append(1)
            return real(tx, ids)

        monkeypatch.setattr(erasing, "blank_rows", fail_later)
        with pytest.raises(StorageUnavailable):
            erase(instance)
        assert instance.is_intact() or after  # the file waits for the end, or for the next look of a service
        monkeypatch.undo()
        erase(instance)
        assert b"Unmistakable" not in content_of(instance)
        assert JANE.encode() not in content_of(instance)
        assert instance.is_intact()

    def test_nothing_is_erased_when_the_event_cannot_be_written(
        self, instance: Instance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R-CL-03."""

        def refuse(*_: object) -> None:
            raise StorageUnavailable

        live(instance)
        monkeypatch.setattr(erasing, "record", refuse)
        with pytest.raises(StorageUnavailable):
            erase(instance)
        assert run(instance.service.users.find(JANE)).email == JANE
        assert not any(is_blank(row) for row in rows_of(instance))

    def test_a_file_that_cannot_be_written_is_said(self, instance: Instance) -> None:
        live(instance)
        (instance.settings.log_file.parent / ".app.log.erasing").mkdir()
        done = erase(instance)
        assert (done.is_file_clean, done.lines, done.left) == (False, 0, ())
        assert "lines of this person may be left" in done.notes[0]

    def test_copies_in_unused_bytes_are_said(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        live(instance)
        monkeypatch.setattr(personal_data, "is_in_file", lambda driver, text: text == JANE)
        (note,) = erase(instance).notes
        assert "VACUUM in the sqlite3 program" in note

    def test_a_reader_that_keeps_the_old_pages_is_said(
        self, instance: Instance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(personal_data, "_TRIES", 2)
        monkeypatch.setattr(personal_data, "_PAUSE", 0)
        live(instance)
        with closing(connect(instance.settings.database_url)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM users").fetchall()
            done = erase(instance)
        assert done.notes == (
            "others are using the database: its write-ahead log keeps old pages until they let go of it",
        )
        assert empty_write_ahead_log(instance.service.database.driver)
        assert JANE.encode() not in content_of(instance)


class TestExporting:
    def test_somebody_without_an_account_gets_what_events_tell(self, each_instance: Instance) -> None:
        instance = each_instance
        jane = live(instance)
        jane.begin_login()
        run(instance.service.users.delete(JANE, OPERATOR))
        held = run(rights(instance).export(JANE, OPERATOR))
        assert (held["user"], held["credentials"], held["sessions"]) == (None, [], [])
        assert held["person"] == {"email": JANE, "ids": [jane.id]}
        assert [event["event_type"] for event in held["audit_events"]] == [
            "registration_begin", "registration_complete", "login_begin", "login_complete", "user_access",
            "login_begin", "user_deleted",
        ]  # fmt: skip
        (pending,) = held["pending_ceremonies"]
        assert (pending["purpose"], pending["context"]["user_id"]) == ("login", jane.id)
        (event,) = [row for row in rows_of(instance) if row.event_type == "user_export"]
        assert (event.user_email, event.user_id) == (JANE, jane.id)
        assert (event.details or "").startswith("Data of a former user exported with 0 credentials")

    def test_somebody_who_only_tried_has_no_id(self, instance: Instance) -> None:
        Visitor(instance, JANE).begin_login()
        held = run(rights(instance).export(JANE, OPERATOR))
        assert held["person"] == {"email": JANE, "ids": []}
        assert [event["reason"] for event in held["audit_events"]] == ["unknown_user"]
        erase(instance)
        assert JANE.encode() not in content_of(instance)
        assert instance.is_intact()


class TestArchives:
    @pytest.fixture
    def archive(self, tmp_path: Path) -> Path:
        return tmp_path / "archive"

    def move(self, instance: Instance, archive: Path) -> None:
        keys = TrailKeys(instance.service.keys.audit, instance.service.keys.checkpoint)
        writer = ArchiveWriter(instance.service.database, keys, instance.service.keys.instance_id, archive, OPERATOR)
        clock = instance.service.database.clock
        assert isinstance(clock, FixedClock)
        clock.advance(3600)
        writer.move(clock.now())

    def test_what_an_archive_holds_is_exported_and_erased(self, each_instance: Instance, archive: Path) -> None:
        """R-LG-11."""
        instance = each_instance
        jane = live(instance)
        live(instance, JOHN, first_name="John", last_name="Roe")
        run(instance.service.users.delete(JANE, OPERATOR))
        instance.restart()
        self.move(instance, archive)
        with pytest.raises(NotFound):
            run(rights(instance).find(JANE))
        held = run(rights(instance).export(JANE, OPERATOR, archive))
        assert len(held["audit_events"]) == 6
        assert held["person"]["ids"] == [jane.id]
        person = run(rights(instance).find(JANE, archive))
        stock = run(rights(instance).take_stock(person, archive))
        assert stock.in_words() == "1 event, 6 archived events"
        done = erase(instance, archive=archive)
        assert done.inventory.archived == 6
        assert JANE.encode() not in content_of(instance)
        with pytest.raises(NotFound):
            run(rights(instance).find(JANE, archive))
        assert len(run(rights(instance).export(JOHN, OPERATOR, archive))["audit_events"]) == 5
        assert run(instance.service.audit.verify()).is_intact
        assert run(instance.service.audit.verify(archive=archive)).is_intact

    def test_an_interrupted_erasure_of_an_archive_is_finished_by_running_it_again(
        self, instance: Instance, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise Conflict

        live(instance)
        instance.restart()
        self.move(instance, archive)
        monkeypatch.setattr("authctl.server.audit.archive.erasing.erase_in_archive", refuse)
        with pytest.raises(Conflict):
            erase(instance, archive=archive)
        assert run(instance.service.users.find(JANE)).email == JANE
        monkeypatch.undo()
        assert erase(instance, archive=archive).inventory.archived == 5
        assert JANE.encode() not in content_of(instance)
        assert run(instance.service.audit.verify(archive=archive)).is_intact
