"""Events become chained rows, in the transaction of their change or not at all."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from authctl.errors import AuditUnavailable, StorageError, StorageUnavailable
from authctl.server.audit import journal as journal_module
from authctl.server.audit.events import Caller, EventType
from authctl.server.audit.findings import FindingKind
from authctl.server.audit.recorder import record
from authctl.server.storage.events import Events
from authctl.server.storage.writers import Writers
from tests.server.audit.workbench import CALLER, KEYS, Service, Site, an_event, reset

if TYPE_CHECKING:
    from authctl.server.storage.transaction import Transaction


def test_a_trail_is_intact_when_nobody_touched_it(site: Site, service: Service) -> None:
    """R-LG-06."""
    service.write(*(an_event(n) for n in range(1, 21)))
    service.checkpoint()
    service.stop()
    verdict = site.verify()
    assert verdict.findings == ()
    assert verdict.is_intact
    assert (verdict.counts.rows, verdict.counts.lines) == (21, 21)


def test_a_row_holds_everything_that_was_told(site: Site, service: Service) -> None:
    """R-LG-03."""
    caller = Caller("2001:db8::1", "198.51.100.9", "agent", "req", actor="os:root(0)")
    service.write(
        an_event(type=EventType.USER_ACCESS, success=False, caller=caller, reason="not_allowed", target_user_id="t1")
    )
    (row,) = site.rows()
    assert row["event_type"] == "user_access"
    assert (row["success"], row["reason"], row["actor"], row["target_user_id"]) == (
        0,
        "not_allowed",
        "os:root(0)",
        "t1",
    )
    assert (row["ip_address"], row["peer_address"]) == ("2001:db8::1", "198.51.100.9")
    assert (row["user_email"], row["user_id"]) == ("user1@example.com", "id-1")
    assert (row["user_agent"], row["request_id"]) == ("agent", "req")
    assert row["details"] == "User 1 logged in from IP: 192.0.2.1"
    assert row["created_at"] == "2100-01-01 00:00:00.000000"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", row["id"])
    assert row["seq"] == 1


def test_the_acting_user_is_the_actor_when_the_feature_says_so(site: Site, service: Service) -> None:
    service.write(an_event(actor="id-9"))
    assert site.rows()[0]["actor"] == "id-9"


HOSTILE = "\x1b]0;owned\x07\r\n\t\x00\x9b\u202e\u200b\ud800"


def test_an_event_stays_one_harmless_line_when_every_field_is_hostile(site: Site, service: Service) -> None:
    """R-LG-04: user agent, e-mail, name, forwarded address, path."""
    caller = Caller(HOSTILE, HOSTILE, HOSTILE, HOSTILE, actor=HOSTILE)
    service.write(
        an_event(
            caller=caller,
            details=f"User {HOSTILE} accessed",
            reason=HOSTILE,
            user_email=f"{HOSTILE}@example.com",
            user_id=HOSTILE,
            target_user_id=HOSTILE,
        )
    )
    data = site.log_file.read_bytes()
    assert data.count(b"\n") == 1
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data)
    (row,) = site.rows()
    (line,) = site.lines()
    for value in (*(value for value in row if isinstance(value, str)), line["user_agent"]):
        assert value.isprintable()
    assert line["user_agent"] == r"\u001b]0;owned\u0007\u000d\u000a\u0009\u0000\u009b\u202e\u200b\ud800"
    assert site.verify().is_intact


def test_secrets_reach_neither_table_nor_file_whatever_carries_them(site: Site, service: Service) -> None:
    """R-LG-05."""
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJlc2lnbmF0dXJl"
    caller = replace(CALLER, user_agent=f"Bearer {secret}", request_id=secret)
    service.write(an_event(caller=caller, details=f"token {secret} refused", target_user_id=secret, user_id=secret))
    service.stop()
    for artefact in site.folder.iterdir():
        assert b"c2lnbmF0dXJlc2lnbmF0dXJl" not in artefact.read_bytes()
        assert KEYS.audit not in artefact.read_bytes()


def test_nothing_is_opened_when_nothing_is_recorded(site: Site, service: Service) -> None:
    service.tick()
    service.stop()
    assert site.rows("SELECT * FROM audit_writers") == []
    assert not site.log_file.exists()


def test_a_change_and_its_event_are_undone_together_when_the_unit_fails(site: Site, service: Service) -> None:
    """R-LG-02."""
    service.write(an_event(1))

    def unit(tx: Transaction) -> None:
        record(tx, an_event(2))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        service.database.write_now(unit)
    service.write(an_event(3))
    assert [row["seq"] for row in site.rows()] == [1, 2]
    assert site.rows()[1]["user_email"] == "user3@example.com"
    assert site.verify().is_intact


def test_a_chain_is_not_begun_when_its_first_unit_fails(site: Site, service: Service) -> None:
    def unit(tx: Transaction) -> None:
        record(tx, an_event(1))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        service.database.write_now(unit)
    assert site.rows("SELECT * FROM audit_writers") == []
    service.write(an_event(2))
    assert len(site.rows("SELECT * FROM audit_writers")) == 1
    assert site.verify().is_intact


def test_events_of_an_abandoned_attempt_leave_no_hole(site: Site, service: Service) -> None:
    def unit(tx: Transaction) -> None:
        record(tx, an_event(1))
        try:
            with tx.attempt():
                record(tx, an_event(2))
                raise KeyError
        except KeyError:
            record(tx, an_event(3))

    service.database.write_now(unit)
    assert [row["user_email"] for row in site.rows()] == ["user1@example.com", "user3@example.com"]
    assert site.sequences() == [1, 2]
    assert site.verify().is_intact


@pytest.mark.parametrize("error", [StorageUnavailable(hint="the disk is full"), StorageError(debug="x")])
def test_nothing_changes_when_the_event_cannot_be_written(
    site: Site, service: Service, error: StorageError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-LG-01: fail closed."""

    def fail(self: Events, row: dict[str, object]) -> None:
        raise error

    def unit(tx: Transaction) -> None:
        tx.limits.hit("changed", 1, 60)
        record(tx, an_event())

    monkeypatch.setattr(Events, "add", fail)
    with pytest.raises(AuditUnavailable) as caught:
        service.database.write_now(unit)
    assert caught.value.hint == error.hint
    assert caught.value.__cause__ is error
    monkeypatch.undo()
    assert service.database.read_now(lambda tx: tx.limits.get("changed")) is None
    service.write()
    assert site.verify().is_intact


def test_the_chain_goes_on_when_a_whole_batch_was_rolled_back(
    site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.write(an_event(1))
    monkeypatch.setattr(Writers, "advance", lambda *args, **kwargs: False)
    with pytest.raises(StorageUnavailable):
        service.write(an_event(2))
    monkeypatch.undo()
    service.write(an_event(3))
    assert [row["seq"] for row in site.rows()] == [1, 2]
    assert site.verify().is_intact
    assert len(site.rows("SELECT * FROM audit_writers")) == 1


def test_another_chain_begins_when_the_first_batch_of_one_was_rolled_back(
    site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writers, "advance", lambda *args, **kwargs: False)
    with pytest.raises(StorageUnavailable):
        service.write(an_event(1))
    monkeypatch.undo()
    service.write(an_event(2))
    assert site.sequences() == [1]
    assert site.verify().is_intact


def test_a_writer_names_the_heads_that_no_checkpoint_covers(site: Site, service: Service) -> None:
    """D-11: the first row of a chain anchors those before it."""
    service.write(an_event(1), an_event(2))
    site.start(with_file=False).write(an_event(3))
    first, second = (orjson.loads(row["anchors"]) for row in site.rows() if row["seq"] == 1)
    start, other = (first, second) if second["heads"] else (second, first)
    assert start["heads"] == []
    (head,) = other["heads"]
    assert (head["writer"], head["seq"]) == (start["writer"], 2)


def test_a_clean_stop_signs_and_closes(site: Site, service: Service) -> None:
    """D-11: a checkpoint at clean stop."""
    service.write(an_event())
    service.stop()
    last = site.rows()[-1]
    assert last["event_type"] == "checkpoint"
    assert len(last["signature"]) == 64
    (writer,) = site.rows("SELECT * FROM audit_writers")
    assert writer["closed_at"] is not None
    assert (writer["last_seq"], writer["checkpointed_seq"]) == (2, 2)
    assert site.lines()[-1]["signature"] == last["signature"].hex()


def test_a_stop_adds_no_checkpoint_when_nothing_came_after_the_last(site: Site, service: Service) -> None:
    service.write(an_event())
    service.checkpoint()
    service.stop()
    assert [row["event_type"] for row in site.rows()] == ["login_complete", "checkpoint"]


def test_a_checkpoint_names_every_head_that_moved(site: Site, service: Service) -> None:
    service.write(an_event(1), an_event(2))
    other = site.start(with_file=False)
    other.write(an_event(3))
    other.checkpoint()
    (checkpoint,) = (row for row in site.rows() if row["event_type"] == "checkpoint")
    anchors = orjson.loads(checkpoint["anchors"])
    assert sorted((head["seq"], head["count"]) for head in anchors["heads"]) == [(1, 1), (2, 2)]
    assert anchors["public_key"] == KEYS.public_key.hex()
    assert site.rows("SELECT * FROM audit_writers WHERE checkpointed_seq < last_seq") == []


def test_a_checkpoint_can_be_the_first_row_of_a_chain(site: Site, service: Service) -> None:
    service.write(an_event())
    other = site.start()
    other.checkpoint()
    assert site.verify().is_intact
    assert sorted(row["seq"] for row in site.rows()) == [1, 1]


def test_a_checkpoint_comes_by_itself_when_many_events_have_come(
    site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "CHECKPOINT_EVERY", 5)
    service.write(*(an_event(n) for n in range(12)))
    types = [row["event_type"] for row in site.rows()]
    assert [place for place, name in enumerate(types, 1) if name == "checkpoint"] == [6, 12]
    assert site.verify().counts.checkpoints == 2


@pytest.mark.parametrize("policy", ["db", "all"])
def test_a_reset_begins_a_new_trail_that_carries_the_old_heads(site: Site, policy: Any) -> None:
    service = site.start(policy=policy)
    service.write(an_event(1), an_event(2))
    old = site.rows()[0]["writer_id"]
    service.database.write_now(reset)
    service.write(an_event(3))
    assert [row["event_type"] for row in site.rows()] == ["database_reset", "login_complete"]
    anchors = orjson.loads(site.rows()[0]["anchors"])
    assert (anchors["kind"], anchors["generation"]) == ("reset", 2)
    assert [(head["writer"], head["seq"]) for head in anchors["heads"]] == [(old, 2)]
    assert site.sequences() == [1, 2]
    assert site.verify().is_intact


def test_events_before_a_reset_in_the_same_transaction_are_gone_with_it(site: Site, service: Service) -> None:
    def unit(tx: Transaction) -> None:
        record(tx, an_event(1))
        reset(tx)
        record(tx, an_event(2))

    service.database.write_now(unit)
    assert [row["event_type"] for row in site.rows()] == ["database_reset", "login_complete"]
    assert site.sequences() == [1, 2]
    assert site.verify().is_intact


def test_a_running_service_begins_a_new_chain_when_another_process_has_reset(site: Site, service: Service) -> None:
    service.write(an_event(1))
    other = site.start(kind="cli")
    other.database.write_now(reset)
    service.write(an_event(2))
    other.stop()
    service.stop()
    verdict = site.verify()
    assert verdict.findings == ()
    assert not [row for row in site.rows() if row["event_type"] == "audit_gap"]
    assert {row["generation"] for row in site.rows("SELECT * FROM audit_writers")} == {2}


def test_the_trail_is_refused_when_it_was_reset_under_the_transaction(
    site: Site, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writers, "advance", lambda *args, **kwargs: False)
    with pytest.raises(AuditUnavailable):
        service.write(an_event())
    monkeypatch.undo()
    assert site.rows() == []


def test_the_answer_stands_when_shipping_fails_in_an_unforeseen_way(
    site: Site, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service.shipper, "ship", explode)
    service.write(an_event(1))
    monkeypatch.undo()
    assert "the audit file was not written" in caplog.text
    service.write(an_event(2))
    service.tick()
    assert site.sequences() == [1, 2]
    assert FindingKind.LINES_MISSING not in {finding.kind for finding in site.verify().findings}
