"""What operators do to accounts, and what the trail keeps of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuditUnavailable, NotFound, Refused
from authctl.server.audit.events import Caller, EventType
from authctl.server.storage.tables import AuditLog
from tests.server.accounts.office import BROWSER, OPERATOR, Office

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from authctl.server.accounts.roles import RoleChange
    from authctl.server.storage.transaction import Transaction


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs one use case."""
    return asyncio.run(work)


def change_of(office: Office, verb: str, email: str, **options: bool) -> RoleChange:
    """Promotes or demotes."""
    change: RoleChange = run(getattr(office.roles, verb)(email, OPERATOR, **options))
    return change


def _add_event(tx: Transaction, *, values: dict[str, object]) -> None:
    tx.events.add(values)


def admins(office: Office) -> int:
    """How many admins can act."""
    return office.database.read_now(lambda tx: tx.users.count_admins())


class TestLooking:
    def test_list_shows_everyone_in_the_order_of_registration(self, office: Office) -> None:
        office.register("Jane")
        office.clock.advance(1)
        office.register("John")
        assert [user.first_name for user in run(office.users.list())] == ["Jane", "John"]
        assert office.journal.events == []

    @pytest.mark.parametrize("typed", ["jane@example.com", " JANE@Example.COM "])
    def test_find_takes_the_email_however_it_is_typed(self, office: Office, typed: str) -> None:
        jane = office.register("Jane")
        assert run(office.users.find(typed)).id == jane.id
        assert office.journal.events == []

    def test_find_says_so_when_nobody_has_the_email(self, any_office: Office) -> None:
        any_office.register("Jane")
        for typed in ("nobody@example.com", "user@x", "", "a\udcffb", "a\0b", "%", "j\u0131ne@example.com"):
            with pytest.raises(NotFound, match="No user has the e-mail"):
                run(any_office.users.find(typed))


class TestRoles:
    def test_promotion_changes_the_role_and_leaves_its_event(self, any_office: Office) -> None:
        """R-AZ-04, R-CL-03."""
        jane = any_office.register("Jane")
        change = change_of(any_office, "promote", "Jane@Example.com")
        assert (change.user.id, change.before, change.after, change.changed) == (jane.id, "user", "admin", True)
        assert change.user.role == "admin"
        stored = any_office.stored(jane)
        assert stored is not None
        assert stored.role == "admin"
        event = any_office.event()
        assert (event.type, event.success, event.caller) == (EventType.ROLE_CHANGE, True, OPERATOR)
        assert (event.user_email, event.user_id) == (jane.email, jane.id)
        assert event.details == "User Jane Doe changed from user to admin by os:root(0) from the command line"

    def test_promotion_changes_nothing_when_the_user_is_admin(self, office: Office) -> None:
        office.register("Jane", role="admin")
        change = change_of(office, "promote", "jane@example.com")
        assert (change.before, change.after, change.changed) == ("admin", "admin", False)
        assert office.journal.events == []

    def test_demotion_changes_the_role_and_leaves_its_event(self, office: Office) -> None:
        jane = office.register("Jane", role="admin")
        office.register("Boss", role="admin")
        change = change_of(office, "demote", jane.email)
        assert (change.before, change.after, change.changed) == ("admin", "user", True)
        assert office.event().details == "User Jane Doe changed from admin to user by os:root(0) from the command line"
        assert admins(office) == 1

    def test_demotion_changes_nothing_when_the_user_is_no_admin(self, office: Office) -> None:
        office.register("Jane")
        assert not change_of(office, "demote", "jane@example.com").changed
        assert office.journal.events == []

    @pytest.mark.parametrize("verb", ["promote", "demote"])
    def test_role_of_nobody_cannot_be_changed(self, office: Office, verb: str) -> None:
        """`promote user@x` is a look-up like any other."""
        with pytest.raises(NotFound):
            change_of(office, verb, "user@x")
        assert office.journal.events == []

    def test_role_stays_when_the_event_cannot_be_written(self, office: Office) -> None:
        """R-CL-03, R-LG-02."""
        jane = office.register("Jane")
        office.journal.is_broken = True
        with pytest.raises(AuditUnavailable):
            change_of(office, "promote", jane.email)
        stored = office.stored(jane)
        assert stored is not None
        assert stored.role == "user"


class TestLastAdmin:
    @pytest.mark.parametrize(
        ("verb", "event_type"),
        [
            ("demote", EventType.ROLE_CHANGE),
            ("disable", EventType.USER_DISABLED),
            ("delete", EventType.USER_DELETED),
        ],
    )
    def test_last_admin_is_kept_unless_told_otherwise(self, office: Office, verb: str, event_type: EventType) -> None:
        """R-CL-04: demoting or removing; the refusal leaves its event."""
        office.register("John")
        boss = office.register("Boss", role="admin")
        use_case = getattr(office.roles if verb == "demote" else office.users, verb)
        with pytest.raises(Refused) as caught:
            run(use_case(boss.email, OPERATOR))
        assert "--allow-no-admin" in (caught.value.hint or "")
        assert admins(office) == 1
        event = office.event()
        assert (event.type, event.success, event.reason, event.user_id) == (event_type, False, "last_admin", boss.id)
        assert event.details.endswith("by os:root(0) from the command line: refused, last admin")
        run(use_case(boss.email, OPERATOR, allow_no_admin=True))
        assert admins(office) == 0
        assert office.event_types() == [event_type]

    def test_admin_who_is_disabled_does_not_count(self, office: Office) -> None:
        boss, spare = office.register("Boss", role="admin"), office.register("Spare", role="admin")
        run(office.users.disable(spare.email, OPERATOR))
        with pytest.raises(Refused):
            change_of(office, "demote", boss.email)
        assert change_of(office, "demote", spare.email).changed
        assert admins(office) == 1


class TestDisabling:
    def test_disabled_user_loses_every_session(self, any_office: Office) -> None:
        """R-TK-07."""
        jane, john = any_office.register("Jane"), any_office.register("John")
        for user in (jane, jane, john):
            any_office.log_in(user)
        assert run(any_office.users.disable(jane.email, OPERATOR)).disabled_at == any_office.clock.now()
        stored = any_office.stored(jane)
        assert stored is not None
        assert stored.disabled_at == any_office.clock.now()
        assert [session.ended_reason for session in any_office.sessions(jane)] == ["user_disabled"] * 2
        assert [session.ended_reason for session in any_office.sessions(john)] == [None]
        event = any_office.event()
        assert (event.type, event.user_id, event.user_email) == (EventType.USER_DISABLED, jane.id, jane.email)
        assert event.details == "User Jane Doe disabled, 2 sessions ended, by os:root(0) from the command line"

    def test_disabling_and_enabling_change_nothing_when_done_before(self, office: Office) -> None:
        jane = office.register("Jane")
        assert run(office.users.enable(jane.email, OPERATOR)).disabled_at is None
        assert office.journal.events == []
        first = run(office.users.disable(jane.email, OPERATOR)).disabled_at
        office.clock.advance(60)
        assert run(office.users.disable(jane.email, OPERATOR)).disabled_at == first
        assert office.event_types() == [EventType.USER_DISABLED]

    def test_enabled_user_is_let_in_again(self, office: Office) -> None:
        jane = office.register("Jane")
        run(office.users.disable(jane.email, OPERATOR))
        office.journal.events.clear()
        assert run(office.users.enable(jane.email, OPERATOR)).disabled_at is None
        assert office.event().details == "User Jane Doe enabled by os:root(0) from the command line"
        token = office.log_in(jane)
        assert run(office.users.me(token, BROWSER)).id == jane.id

    def test_event_names_somebody_when_the_caller_has_no_name(self, office: Office) -> None:
        jane = office.register("Jane")
        run(office.users.disable(jane.email, Caller("192.0.2.7", None, None, None)))
        assert office.event().details.endswith("by somebody from IP: 192.0.2.7")


class TestLoggingOut:
    def test_logout_ends_every_live_session(self, office: Office) -> None:
        """R-TK-07."""
        jane = office.register("Jane")
        office.log_in(jane)
        office.clock.advance(4000)
        office.log_in(jane)
        office.log_in(jane)
        assert run(office.users.logout(jane.email, OPERATOR)) == 2
        event = office.event()
        assert (event.type, event.user_id) == (EventType.SESSION_REVOKED, jane.id)
        assert event.details == "User Jane Doe logged out of 2 sessions by os:root(0) from the command line"
        assert run(office.users.logout(jane.email, OPERATOR)) == 0
        assert office.journal.events == []


class TestDeleting:
    def test_deleted_user_is_gone_with_credentials_and_sessions(self, any_office: Office) -> None:
        jane, john = any_office.register("Jane"), any_office.register("John")
        any_office.log_in(jane)
        assert run(any_office.users.delete("Jane@example.com", OPERATOR)).id == jane.id
        assert any_office.stored(jane) is None
        assert any_office.sessions(jane) == []
        held = any_office.database.read_now(
            lambda tx: (tx.credentials.of_user(jane.id), tx.credentials.of_user(john.id))
        )
        assert [len(credentials) for credentials in held] == [0, 1]
        event = any_office.event()
        assert (event.type, event.user_id, event.user_email) == (EventType.USER_DELETED, jane.id, jane.email)
        assert event.details == (
            "User Jane Doe deleted with 1 credential and 1 session by os:root(0) from the command line"
        )

    def test_user_stays_when_the_event_cannot_be_written(self, office: Office) -> None:
        """R-LG-02."""
        jane = office.register("Jane")
        office.journal.is_broken = True
        with pytest.raises(AuditUnavailable):
            run(office.users.delete(jane.email, OPERATOR))
        assert office.stored(jane) is not None

    @pytest.mark.parametrize("verb", ["disable", "enable", "logout", "delete"])
    def test_nobody_cannot_be_changed(self, office: Office, verb: str) -> None:
        with pytest.raises(NotFound):
            run(getattr(office.users, verb)("nobody@example.com", OPERATOR))
        assert office.journal.events == []


class TestExporting:
    def test_export_holds_everything_about_one_person(self, any_office: Office) -> None:
        jane, john = any_office.register("Jane"), any_office.register("John")
        any_office.log_in(jane)
        any_office.log_in(john)
        now = any_office.clock.now()
        for number, (email, user_id, target) in enumerate(
            [(jane.email, jane.id, None), (john.email, john.id, None), (john.email, john.id, jane.id)]
        ):
            row = AuditLog(
                id=f"event-{number}",
                event_type="user_access",
                user_email=email,
                user_id=user_id,
                target_user_id=target,
                success=1,
                created_at=now + timedelta(seconds=number),
                writer_id="w",
                seq=number,
                personal_digest=b"d",
                mac=b"m",
            )
            values = {name: getattr(row, name) for name in AuditLog.model_fields}
            values["created_at"] = "2026-01-01 00:00:00.00000" + str(number)
            any_office.database.write_now(partial(_add_event, values=values))
        held = run(any_office.personal_data.export(" JANE@example.com", OPERATOR))
        assert set(held) == {
            "export", "person", "user", "credentials", "sessions", "pending_ceremonies", "limit_counters",
            "audit_events",
        }  # fmt: skip
        assert held["export"] == {"schema_version": 1, "exported_at": now, "exported_by": "os:root(0)"}
        assert held["user"]["email"] == "jane@example.com"
        assert held["user"]["user_handle"] == jane.user_handle
        (credential,) = held["credentials"]
        assert (credential["public_key"], credential["transports"]) == (b"key of Jane", ["internal"])
        (session,) = held["sessions"]
        assert session["created_at"] == now
        assert [event["id"] for event in held["audit_events"]] == ["event-0", "event-2"]
        assert held["audit_events"][0]["success"] is True
        assert not {"mac", "salt", "personal_digest"} & held["audit_events"][0].keys()
        event = any_office.event()
        assert (event.type, event.success, event.user_id) == (EventType.USER_EXPORT, True, jane.id)
        assert event.details == (
            "User Jane Doe exported with 1 credential, 1 session and 2 events by os:root(0) from the command line"
        )

    def test_nothing_is_exported_when_the_event_cannot_be_written(self, office: Office) -> None:
        """R-LG-10."""
        jane = office.register("Jane")
        office.journal.is_broken = True
        with pytest.raises(AuditUnavailable):
            run(office.personal_data.export(jane.email, OPERATOR))
