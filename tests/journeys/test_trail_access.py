"""Who may ask the trail over HTTP, at this very request, and what happens when the answer cannot be given."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit import bounded_reading
from authctl.server.audit.bounded_reading import TookTooLong
from authctl.server.audit.events import Caller
from authctl.server.audit.stepwise import StepwiseSource
from tests.builders import JANE, JOHN, Visitor
from tests.journeys.outages import refused_events

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from authctl.server.audit.bounded_reading import BoundedReading
    from authctl.server.audit.records import EventRecord
    from tests.builders import Instance

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
FORBIDDEN = "You don't have permission to access this resource"


def ask(visitor: Visitor, query: str = "", *, token: str | None = None) -> httpx2.Response:
    """The answer to a question; without a token where it is empty."""
    bearer = visitor.token if token is None else token
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return visitor.service.call("GET", f"/audit/events?{query}", headers=headers)


def promote(instance: Instance) -> None:
    """Makes Jane an admin."""
    asyncio.run(instance.service.roles.promote(JANE, OPERATOR))


def demote(instance: Instance) -> None:
    """Takes that back, though she is the last."""
    asyncio.run(instance.service.roles.demote(JANE, OPERATOR, allow_no_admin=True))


@pytest.fixture
def admin(each_instance: Instance) -> Visitor:
    """Jane, an admin who is logged in; on each kind of database."""
    jane = Visitor(each_instance)
    jane.register()
    promote(each_instance)
    jane.log_in()
    each_instance.new_events()
    return jane


def told(instance: Instance) -> EventRecord:
    """The one event since the last look."""
    (event,) = instance.new_events()
    return event


def test_an_admin_reads_what_happened_and_that_is_told(each_instance: Instance, admin: Visitor) -> None:
    """R-LG-10, R-AZ-07: the look at the trail is one of its events."""
    john = Visitor(each_instance, JOHN)
    john.register()
    assert john.see(admin.id, token="nonsense").status_code == 401
    each_instance.new_events()
    answer = ask(admin, f"user={JOHN}&success=true")
    assert answer.status_code == 200
    assert {event["event_type"] for event in answer.json()["events"]} == {"registration_begin", "registration_complete"}
    event = told(each_instance)
    assert (event.event_type, event.success, event.reason) == ("audit_query", True, None)
    assert (event.actor, event.user_id, event.user_email) == (admin.id, admin.id, JANE)
    assert event.target_user_id == john.id
    assert event.request_id == answer.headers["x-request-id"]
    assert event.details == (
        f"Audit trail read by Jane Doe (role: admin) from IP: 192.0.2.1: 2 events for user={JOHN} success=true"
    )
    assert each_instance.is_intact()


def test_events_are_counted_on_each_kind_of_database(each_instance: Instance, admin: Visitor) -> None:
    Visitor(each_instance, JOHN).begin_login()
    groups = ask(admin, "count_by=event_type,success,day&event=login_begin,login_complete").json()["groups"]
    assert [(list(group["values"].values()), group["total"], group["failures"]) for group in groups] == [
        (["login_begin", True, "2026-01-01"], 2, 0),
        (["login_complete", True, "2026-01-01"], 1, 0),
    ]


def test_a_user_is_refused_and_that_is_told(each_instance: Instance, admin: Visitor) -> None:
    """R-AZ-05, R-ER-01: before anything of the question is looked at."""
    john = Visitor(each_instance, JOHN)
    john.register()
    john.log_in()
    each_instance.new_events()
    for query in ("", "nonsense=1"):
        answer = ask(john, query)
        assert (answer.status_code, answer.json()["detail"]) == (403, FORBIDDEN)
        event = told(each_instance)
        assert (event.event_type, event.success, event.reason) == ("audit_query", False, "access_denied")
        assert (event.actor, event.user_id, event.user_email) == (john.id, john.id, JOHN)
        assert event.details == (
            f"Authorization failed: User {JOHN} (role: user) attempted to read the audit trail from IP: 192.0.2.1"
        )


def test_nobody_is_answered_without_a_token_that_is_good(each_instance: Instance, admin: Visitor) -> None:
    """R-ER-01, R-TK-08."""
    answer = ask(admin, token="")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Not authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    event = told(each_instance)
    assert (event.event_type, event.success, event.reason) == ("audit_query", False, "not_authenticated")
    assert event.details == (
        "Authorization failed: a caller without token attempted to read the audit trail from IP: 192.0.2.1"
    )
    answer = ask(admin, token=f"{admin.token}x")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Could not validate credentials")
    event = told(each_instance)
    assert (event.event_type, event.success) == ("token_rejected", False)
    assert (event.details or "").startswith("Access token for the audit trail rejected from IP: 192.0.2.1: ")


def test_promotion_needs_a_new_login_and_demotion_acts_on_the_next_question(each_instance: Instance) -> None:
    """R-AZ-01, R-AZ-02: the role in force is the one that token and table agree on."""
    jane = Visitor(each_instance)
    jane.register()
    as_user = jane.log_in()
    promote(each_instance)
    as_admin = jane.log_in()
    assert [ask(jane, token=token).status_code for token in (as_user, as_admin)] == [403, 200]
    demote(each_instance)
    assert ask(jane, token=as_admin).status_code == 403


def test_an_admin_who_is_disabled_or_logged_out_is_known_no_more(instance: Instance) -> None:
    """R-TK-07: with whose token it was in the event."""
    jane = Visitor(instance)
    jane.register()
    promote(instance)
    jane.log_in()
    asyncio.run(instance.service.users.logout(JANE, OPERATOR))
    instance.new_events()
    assert ask(jane).status_code == 401
    event = told(instance)
    assert (event.event_type, event.reason, event.user_id) == ("token_rejected", "session_ended", jane.id)


@pytest.fixture
def meanwhile(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Makes something happen between a question and its answer."""
    reading: BoundedReading = instance.service.trail._reading
    ask_really = reading.ask

    def arrange(happens: Callable[[], Any]) -> None:
        async def ask_and_wait(question: Any) -> Any:
            found = await ask_really(question)
            await asyncio.to_thread(happens)
            return found

        monkeypatch.setattr(reading, "ask", ask_and_wait)

    return arrange


def admin_of(instance: Instance) -> Visitor:
    """Jane, an admin who is logged in, on SQLite."""
    jane = Visitor(instance)
    jane.register()
    promote(instance)
    jane.log_in()
    instance.new_events()
    return jane


def test_rights_that_end_while_the_trail_is_read_count(
    instance: Instance, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    """R-AZ-01: nothing is shown that may not be shown any more."""
    jane = admin_of(instance)
    meanwhile(lambda: demote(instance))
    for query in ("", "count_by=reason"):
        answer = ask(jane, query)
        assert (answer.status_code, answer.json()["detail"]) == (403, FORBIDDEN)
        assert "events" not in answer.json()
    assert [event.reason for event in instance.new_events() if event.event_type == "audit_query"] == [
        "access_denied",
        "access_denied",
    ]


@pytest.mark.parametrize("query", ["", "count_by=reason", "nonsense=1"])
def test_nothing_is_answered_when_the_event_cannot_be_written(
    each_instance: Instance, admin: Visitor, query: str
) -> None:
    """R-LG-01."""
    with refused_events(each_instance.settings.database_url):
        answer = ask(admin, query)
    assert answer.status_code == 503
    assert set(answer.json()) == {"type", "title", "status", "detail", "instance"}
    assert answer.headers["retry-after"]
    assert each_instance.new_events() == []
    assert ask(admin).status_code == 200


def test_a_question_that_takes_too_long_is_refused_with_a_way_out(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_too_long(_: Any) -> Any:
        raise TookTooLong

    jane = admin_of(instance)
    monkeypatch.setattr(instance.service.trail._reading, "ask", take_too_long)
    answer = ask(jane, "contains=x")
    assert (answer.status_code, answer.json()["detail"]) == (422, "The question takes too long to answer")
    (error,) = answer.json()["errors"]
    assert error["field"] == "since"
    assert error["message"].startswith("stopped after 10 seconds: ask for a shorter time")
    event = told(instance)
    assert (event.event_type, event.success, event.reason) == ("audit_query", False, "took_too_long")
    assert (event.details or "").endswith("stopped after 10 seconds")


def test_more_groups_than_can_be_counted_are_refused_with_a_way_out(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-RL-07: however many different values clients bring along, the memory of an answer is bounded."""
    jane = admin_of(instance)
    monkeypatch.setattr(bounded_reading, "StepwiseSource", partial(StepwiseSource, rows=2, most=3))
    assert len(ask(jane, "count_by=success").json()["groups"]) == 1
    answer = ask(jane, "count_by=request_id")
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [
            {
                "field": "count_by",
                "message": "There are more than 3 different combinations: "
                "ask for a shorter time, or count by fewer columns",
            }
        ],
    )
    event = instance.new_events()[0]
    assert (event.event_type, event.success, event.reason) == ("audit_query", False, "invalid_request")
    assert (event.details or "").endswith("refused: too many groups")


def test_a_closed_service_answers_no_questions(instance: Instance) -> None:
    jane = admin_of(instance)
    assert ask(jane).status_code == 200
    instance.service.trail.close()
    assert ask(jane).status_code == 503
    assert jane.see().status_code == 200
