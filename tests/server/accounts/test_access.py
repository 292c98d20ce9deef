"""Who may see whom: by token, session and role, as they are at this very request."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from authctl.errors import AccessDenied, AuditUnavailable, NotAuthenticated, NotFound, TokenRejected
from authctl.server.audit.events import EventType
from authctl.server.storage.sqlite import dbapi
from tests.server.accounts.office import BROWSER, LIFETIME, OPERATOR, Office

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.storage.tables import User


def show(office: Office, token: str | None, user_id: str) -> User:
    """GET /users/{id}."""
    return asyncio.run(office.users.show(token, user_id, BROWSER))


def me(office: Office, token: str | None) -> User:
    """GET /users/me."""
    return asyncio.run(office.users.me(token, BROWSER))


def rejection(office: Office, token: str) -> str:
    """Why a token is rejected, by both routes alike, which it has to be; the caller learns nothing of it."""
    with pytest.raises(TokenRejected) as caught:
        me(office, token)
    event = office.event()
    assert (event.type, event.success, event.reason) == (EventType.TOKEN_REJECTED, False, caught.value.reason)
    assert caught.value.detail == "Could not validate credentials"
    with pytest.raises(TokenRejected) as again:
        show(office, token, str(uuid.uuid4()))
    assert office.event().reason == again.value.reason == caught.value.reason
    return caught.value.reason


class TestOwnData:
    def test_user_sees_their_own_data_by_id_and_as_me(self, any_office: Office) -> None:
        jane = any_office.register("Jane")
        token = any_office.log_in(jane)
        assert show(any_office, token, jane.id).email == "jane@example.com"
        event = any_office.event()
        assert (event.type, event.success, event.reason) == (EventType.USER_ACCESS, True, None)
        assert (event.user_email, event.user_id, event.target_user_id, event.actor) == (jane.email, *[jane.id] * 3)
        assert event.details == "User Jane Doe accessed by Jane Doe (role: user) from IP: 192.0.2.1"
        assert me(any_office, token).id == jane.id
        assert any_office.event() == event

    def test_data_is_that_of_the_database_when_the_token_is_older(self, office: Office, tmp_path: Path) -> None:
        jane = office.register("Jane")
        token = office.log_in(jane)
        with closing(dbapi.connect(str(tmp_path / "app.db"))) as shell:
            shell.execute("UPDATE users SET job_title = 'Director' WHERE email = 'jane@example.com'")
            shell.commit()
        assert me(office, token).job_title == "Director"

    def test_nothing_is_shown_when_the_event_cannot_be_written(self, office: Office) -> None:
        """R-LG-01."""
        token = office.log_in(office.register("Jane"))
        office.journal.is_broken = True
        with pytest.raises(AuditUnavailable):
            me(office, token)


class TestOtherData:
    @pytest.mark.parametrize("kind", ["another user", "an unused id", "an odd id", "own id in upper case", "nothing"])
    def test_user_gets_one_answer_when_the_id_is_not_their_own(self, office: Office, kind: str) -> None:
        """R-EN-06, R-AZ-07."""
        jane, john = office.register("Jane"), office.register("John")
        asked = {
            "another user": john.id,
            "an unused id": str(uuid.uuid4()),
            "an odd id": "'; DROP TABLE users; --\0",
            "own id in upper case": jane.id.upper(),
            "nothing": "",
        }[kind]
        with pytest.raises(AccessDenied) as caught:
            show(office, office.log_in(jane), asked)
        assert caught.value.detail == "You don't have permission to access this resource"
        event = office.event()
        assert (event.type, event.success, event.reason) == (EventType.USER_ACCESS, False, "access_denied")
        assert (event.user_email, event.user_id, event.target_user_id) == (jane.email, jane.id, asked)
        assert event.details == (
            f"Authorization failed: User jane@example.com (role: user) attempted to access user {asked}'s data "
            "from IP: 192.0.2.1"
        )

    def test_admin_sees_the_data_of_others(self, office: Office) -> None:
        """R-AZ-07: the event holds both ids."""
        john, boss = office.register("John"), office.register("Admin", role="admin")
        assert show(office, office.log_in(boss), john.id).email == "john@example.com"
        event = office.event()
        assert (event.user_id, event.target_user_id, event.actor) == (boss.id, john.id, boss.id)
        assert event.details == "User John Doe accessed by Admin Doe (role: admin) from IP: 192.0.2.1"

    @pytest.mark.parametrize("asked", [str(uuid.UUID(int=1)), "x", "a\0b", "", "x" * 5000, "\ud800"])
    def test_admin_is_told_when_there_is_no_such_user(self, office: Office, asked: str) -> None:
        boss = office.register("Admin", role="admin")
        with pytest.raises(NotFound):
            show(office, office.log_in(boss), asked)
        event = office.event()
        assert (event.type, event.success, event.reason) == (EventType.USER_ACCESS, False, "unknown_user")
        assert event.target_user_id == asked

    def test_any_text_is_only_an_id_to_each_database(self, any_office: Office) -> None:
        """R-IN-08, R-ST-06."""
        jane, boss = any_office.register("Jane"), any_office.register("Admin", role="admin")
        tokens = any_office.log_in(jane), any_office.log_in(boss)
        for asked in (str(uuid.uuid4()), "'; DROP TABLE users; --\0", "\ud800", "", "x" * 5000):
            with pytest.raises(AccessDenied):
                show(any_office, tokens[0], asked)
            with pytest.raises(NotFound):
                show(any_office, tokens[1], asked)
        assert show(any_office, tokens[1], jane.id).id == jane.id

    def test_admin_needs_the_id_as_it_is_written(self, office: Office) -> None:
        john, boss = office.register("John"), office.register("Admin", role="admin")
        with pytest.raises(NotFound):
            show(office, office.log_in(boss), john.id.upper())


class TestEffectiveRole:
    def test_demotion_counts_at_the_next_request(self, office: Office) -> None:
        """R-AZ-01, D-8."""
        john, boss = office.register("John"), office.register("Admin", role="admin")
        token = office.log_in(boss)
        assert show(office, token, john.id).id == john.id
        asyncio.run(office.roles.demote(boss.email, OPERATOR, allow_no_admin=True))
        with pytest.raises(AccessDenied):
            show(office, token, john.id)
        assert "(role: user)" in office.journal.events[-1].details
        assert me(office, token).role == "user"

    def test_promotion_counts_at_the_next_login(self, office: Office) -> None:
        """R-AZ-02, D-8."""
        john, jane = office.register("John"), office.register("Jane")
        before = office.log_in(jane)
        asyncio.run(office.roles.promote(jane.email, OPERATOR))
        with pytest.raises(AccessDenied):
            show(office, before, john.id)
        assert show(office, office.log_in(jane), john.id).id == john.id

    def test_role_counts_as_it_stands_when_somebody_changed_it_by_hand(self, office: Office, tmp_path: Path) -> None:
        john, jane = office.register("John"), office.register("Jane")
        with closing(dbapi.connect(str(tmp_path / "app.db"))) as shell:
            shell.execute("UPDATE users SET role = 'admin' WHERE email = 'jane@example.com'")
            shell.commit()
        token = office.log_in(jane)
        assert show(office, token, john.id).id == john.id
        with closing(dbapi.connect(str(tmp_path / "app.db"))) as shell:
            shell.execute("UPDATE users SET role = 'user' WHERE email = 'jane@example.com'")
            shell.commit()
        with pytest.raises(AccessDenied):
            show(office, token, john.id)

    def test_token_alone_makes_nobody_an_admin(self, office: Office) -> None:
        """D-8: also when it was signed with the right key."""
        john, jane = office.register("John"), office.register("Jane")
        with pytest.raises(AccessDenied):
            show(office, office.log_in(jane, role="admin"), john.id)


class TestNobody:
    def test_caller_without_token_is_asked_to_sign_in(self, office: Office) -> None:
        jane = office.register("Jane")
        with pytest.raises(NotAuthenticated):
            show(office, None, jane.id)
        event = office.event()
        assert (event.type, event.success, event.reason) == (EventType.USER_ACCESS, False, "not_authenticated")
        assert (event.user_id, event.user_email, event.target_user_id) == (None, None, jane.id)
        with pytest.raises(NotAuthenticated):
            me(office, None)
        assert office.event().details == (
            "Authorization failed: a caller without token attempted to access their own data from IP: 192.0.2.1"
        )

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 16_384, "é", "\ud800"])
    def test_text_that_is_no_token_is_rejected(self, office: Office, token: str) -> None:
        """R-TK-08: and appears nowhere."""
        assert rejection(office, token) in {"token_malformed", "token_too_long"}
        with pytest.raises(TokenRejected):
            me(office, token)
        assert not token or len(token) < 4 or token not in repr(office.event())

    def test_token_is_rejected_when_its_session_was_ended(self, any_office: Office) -> None:
        """R-TK-07."""
        jane = any_office.register("Jane")
        token, other = any_office.log_in(jane), any_office.log_in(any_office.register("John"))
        assert asyncio.run(any_office.users.logout(jane.email, OPERATOR)) == 1
        any_office.journal.events.clear()
        assert rejection(any_office, token) == "session_ended"
        assert me(any_office, other).email == "john@example.com"
        assert me(any_office, any_office.log_in(jane)).id == jane.id

    def test_token_is_rejected_when_its_user_is_disabled(self, office: Office) -> None:
        """R-TK-07: and the event says whose it was."""
        jane = office.register("Jane")
        token = office.log_in(jane)
        asyncio.run(office.users.disable(jane.email, OPERATOR))
        office.journal.events.clear()
        assert rejection(office, token) == "user_disabled"
        with pytest.raises(TokenRejected):
            me(office, token)
        event = office.event()
        assert (event.user_email, event.user_id) == (jane.email, jane.id)
        assert event.details == "Access token for their own data rejected from IP: 192.0.2.1: user disabled"

    def test_token_is_rejected_when_its_user_is_enabled_again(self, office: Office) -> None:
        """R-TK-07: what was ended stays ended."""
        jane = office.register("Jane")
        token = office.log_in(jane)
        asyncio.run(office.users.disable(jane.email, OPERATOR))
        asyncio.run(office.users.enable(jane.email, OPERATOR))
        office.journal.events.clear()
        assert rejection(office, token) == "session_ended"

    def test_token_is_rejected_when_its_user_is_deleted(self, office: Office) -> None:
        """R-TK-07."""
        jane = office.register("Jane")
        token = office.log_in(jane)
        asyncio.run(office.users.delete(jane.email, OPERATOR))
        office.journal.events.clear()
        assert rejection(office, token) == "session_unknown"

    def test_token_is_rejected_when_its_session_is_over(self, office: Office) -> None:
        """R-TK-04: one second late is late, for the session has no leeway."""
        token = office.log_in(office.register("Jane"))
        office.clock.advance(LIFETIME - 1)
        assert me(office, token).first_name == "Jane"
        office.journal.events.clear()
        office.clock.advance(2)
        assert rejection(office, token) == "session_expired"
        office.clock.advance(10)
        assert rejection(office, token) == "token_expired"

    def test_token_is_rejected_when_its_session_is_somebody_elses(self, office: Office) -> None:
        jane, john = office.register("Jane"), office.register("John")
        office.log_in(john)
        (session,) = office.sessions(john)
        token = office.issuer.issue(jane, session, office.clock.now(), True).text
        assert rejection(office, token) == "session_mismatch"

    def test_rejection_is_not_answered_when_its_event_cannot_be_written(self, office: Office) -> None:
        """R-LG-01, R-ER-03: 503 and not a false 401."""
        office.journal.is_broken = True
        with pytest.raises(AuditUnavailable):
            me(office, "a.b.c")
