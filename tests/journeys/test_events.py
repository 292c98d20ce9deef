"""Every outcome leaves one event that says who did what to whom, from where, and why it was refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit.events import Caller
from authctl.virtual_authenticator import Client, CounterPolicy, VirtualAuthenticator
from tests.builders import JANE, JOHN, PEER, Visitor, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.audit.records import EventRecord
    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
NOBODY = "00000000-0000-4000-8000-000000000000"
AGENT = {"user-agent": "Firefox/133.0"}


def only_event(instance: Instance) -> EventRecord:
    """The one event since the last look."""
    events = instance.new_events()
    assert len(events) == 1, [(event.event_type, event.reason) for event in events]
    return events[0]


def told_by(event: EventRecord) -> tuple[str, int, str | None]:
    """Type, outcome and reason."""
    return event.event_type, event.success, event.reason


def test_a_registration_leaves_its_two_events(each_instance: Instance) -> None:
    """R-LG-01, R-LG-03: the account has no id before it exists, and acts for itself from then on."""
    jane = Visitor(each_instance)
    options = jane.begin_registration()
    begun = only_event(each_instance)
    assert told_by(begun) == ("registration_begin", 1, None)
    assert (begun.user_email, begun.user_id, begun.actor) == (JANE, None, None)
    assert begun.details == f"Registration of {JANE} started from IP: {PEER}"

    document = {"email": JANE, "credential": jane.browser.create(options)}
    answer = each_instance.call("POST", "/register/complete", json=document, headers=AGENT)
    completed = only_event(each_instance)
    assert told_by(completed) == ("registration_complete", 1, None)
    user_id = answer.json()["id"]
    assert (completed.user_email, completed.user_id, completed.actor) == (JANE, user_id, user_id)
    assert (completed.ip_address, completed.peer_address, completed.user_agent) == (PEER, PEER, AGENT["user-agent"])
    assert completed.request_id == answer.headers["x-request-id"]
    assert completed.details == f"User Jane Doe registered from IP: {PEER}"


def test_a_login_leaves_its_two_events(each_instance: Instance) -> None:
    """R-LG-01, R-LG-03."""
    jane = Visitor(each_instance)
    jane.register()
    each_instance.new_events()
    options = jane.begin_login()
    begun = only_event(each_instance)
    assert told_by(begun) == ("login_begin", 1, None)
    assert (begun.user_email, begun.user_id) == (JANE, jane.id)
    assert jane.complete_login(jane.browser.get(options)).status_code == 200
    completed = only_event(each_instance)
    assert told_by(completed) == ("login_complete", 1, None)
    assert (completed.user_email, completed.user_id, completed.actor) == (JANE, jane.id, jane.id)
    assert completed.details == f"User Jane Doe logged in from IP: {PEER}"


def test_a_login_without_an_email_names_its_user_when_it_is_complete(jane: Visitor, instance: Instance) -> None:
    options = jane.begin_login(is_named=False)
    begun = only_event(instance)
    assert (told_by(begun), begun.user_email, begun.user_id) == (("login_begin", 1, None), None, None)
    assert jane.complete_login(jane.browser.get(options), is_named=False).status_code == 200
    completed = only_event(instance)
    assert (told_by(completed), completed.user_email) == (("login_complete", 1, None), JANE)


def test_a_login_begun_for_an_unknown_email_is_a_success_with_a_reason(instance: Instance) -> None:
    """What the caller may not learn, the analyst does."""
    Visitor(instance, JOHN).begin_login()
    event = only_event(instance)
    assert told_by(event) == ("login_begin", 1, "unknown_user")
    assert (event.user_email, event.user_id) == (JOHN, None)


def test_a_refused_completion_names_the_email_that_was_given(jane: Visitor, instance: Instance) -> None:
    """One event per refusal, with the reason in words."""
    jane.complete_registration({})
    event = only_event(instance)
    assert (told_by(event), event.user_email) == (("registration_complete", 0, "malformed_response"), JANE)
    assert event.details == f"Registration of {JANE} refused from IP: {PEER}: malformed response"
    Visitor(instance, JOHN).complete_login({})
    event = only_event(instance)
    assert (told_by(event), event.user_email) == (("login_complete", 0, "malformed_response"), JOHN)
    assert event.details == f"Login of {JOHN} refused from IP: {PEER}: malformed response"


def test_a_login_with_anothers_passkey_names_both(jane: Visitor, instance: Instance) -> None:
    """The one it was meant for, and as target the owner of the passkey."""
    john = Visitor(instance, JOHN)
    john.register()
    options = john.begin_login()
    mixed = {**options, "allowCredentials": jane.begin_login()["allowCredentials"]}
    instance.new_events()
    john.complete_login(jane.browser.get(mixed))
    event = only_event(instance)
    assert told_by(event) == ("login_complete", 0, "credential_user_mismatch")
    assert (event.user_email, event.user_id, event.target_user_id) == (JOHN, john.id, jane.id)


def test_a_suspected_clone_leaves_an_alarm_beside_the_refusal(jane: Visitor, instance: Instance) -> None:
    """One answer, its own event, and the alarm."""
    jane.log_in()
    copy = VirtualAuthenticator(store=jane.authenticator.store, counter_override=CounterPolicy("fixed", 1))
    signed = Client(copy, instance.origin).get(jane.begin_login())
    instance.new_events()
    assert jane.complete_login(signed).status_code == 401
    events = sorted(instance.new_events(), key=lambda event: event.event_type)
    assert [told_by(event) for event in events] == [
        ("credential_clone_suspected", 0, "clone_suspected"),
        ("login_complete", 0, "clone_suspected"),
    ]
    assert {event.user_id for event in events} == {jane.id}


@pytest.mark.parametrize(
    ("path", "event_type"),
    [
        ("/register/begin", "registration_begin"),
        ("/register/complete", "registration_complete"),
        ("/login/begin", "login_begin"),
        ("/login/complete", "login_complete"),
    ],
)
@pytest.mark.parametrize(
    ("body", "status"), [(b'{"email": 7, "more": 1}', 422), (b"{", 400), (b"[]", 400)], ids=["members", "JSON", "array"]
)
def test_a_body_that_cannot_be_used_leaves_the_event_of_its_ceremony(
    instance: Instance, path: str, event_type: str, body: bytes, status: int
) -> None:
    """A refusal before the ceremony is one all the same."""
    answer = instance.call("POST", path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert told_by(only_event(instance)) == (event_type, 0, "invalid_request")


def test_a_request_over_the_limit_leaves_its_event_and_an_alarm(open_instance: OpenInstance) -> None:
    """R-RL-08: the first of a minute leaves both, the others are counted."""
    limited = open_instance(rate_limits=True, rate_limit_begins_per_source_per_minute=1)
    limited.call("POST", "/register/begin", json=person())
    limited.new_events()
    answers = [limited.call("POST", "/register/begin", json=person()) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {429}
    assert sorted(told_by(event) for event in limited.new_events()) == [
        ("rate_limited", 0, "rate_limited"),
        ("registration_begin", 0, "rate_limited"),
    ]


def test_every_look_at_a_user_leaves_an_event_with_both_ids(each_instance: Instance) -> None:
    """R-AZ-07: by oneself, by an admin, and refused; in the sentences that analysts search for."""
    jane, john = Visitor(each_instance), Visitor(each_instance, JOHN)
    jane.register()
    john.register(first_name="John")
    asyncio.run(each_instance.service.roles.promote(JANE, OPERATOR))
    jane.log_in()
    john.log_in()
    each_instance.new_events()

    looks = [
        (jane, "me", jane.id, 1, None, f"User Jane Doe accessed by Jane Doe (role: admin) from IP: {PEER}"),
        (jane, john.id, john.id, 1, None, f"User John Doe accessed by Jane Doe (role: admin) from IP: {PEER}"),
        (
            jane, NOBODY, NOBODY, 0, "unknown_user",
            f"User {NOBODY} does not exist, asked for by Jane Doe (role: admin) from IP: {PEER}",
        ),
        (
            john, jane.id, jane.id, 0, "access_denied",
            f"Authorization failed: User {JOHN} (role: user) attempted to access user {jane.id}'s data from IP: {PEER}",
        ),
    ]  # fmt: skip
    for visitor, path, target, success, reason, sentence in looks:
        visitor.see(path)
        event = only_event(each_instance)
        assert told_by(event) == ("user_access", success, reason)
        assert (event.user_email, event.user_id, event.actor) == (visitor.email, visitor.id, visitor.id)
        assert event.target_user_id == target
        assert event.details == sentence


def test_a_look_without_a_token_and_with_a_bad_one_are_told_apart(jane: Visitor, instance: Instance) -> None:
    """R-AZ-07, R-TK-08: the caller gets 401 for both."""
    instance.call("GET", f"/users/{jane.id}")
    event = only_event(instance)
    assert (told_by(event), event.target_user_id) == (("user_access", 0, "not_authenticated"), jane.id)
    jane.see(token="no-token")
    assert told_by(only_event(instance))[:2] == ("token_rejected", 0)


def test_a_token_that_outlived_its_session_names_its_user(jane: Visitor, instance: Instance) -> None:
    """R-TK-07: revoked, and then expired."""
    jane.log_in()
    asyncio.run(instance.service.users.logout(JANE, OPERATOR))
    instance.new_events()
    jane.see()
    event = only_event(instance)
    assert (told_by(event), event.user_email) == (("token_rejected", 0, "session_ended"), JANE)


def acts() -> list[Any]:
    """What an operator does, the event's type, and the words of its sentence."""
    by = "by os:root(0) from the command line"
    return [
        pytest.param(
            lambda service: service.roles.promote(JANE, OPERATOR),
            "role_change", f"User Jane Doe changed from user to admin {by}", id="promote",
        ),
        pytest.param(
            lambda service: service.users.disable(JANE, OPERATOR),
            "user_disabled", f"User Jane Doe disabled, 1 session ended, {by}", id="disable",
        ),
        pytest.param(
            lambda service: service.users.logout(JANE, OPERATOR),
            "session_revoked", f"User Jane Doe logged out of 1 session {by}", id="log out",
        ),
        pytest.param(
            lambda service: service.personal_data.export(JANE, OPERATOR),
            "user_export", f"User Jane Doe exported with 1 credential, 1 session and 4 events {by}", id="export",
        ),
        pytest.param(
            lambda service: service.users.delete(JANE, OPERATOR),
            "user_deleted", f"User Jane Doe deleted with 1 credential and 1 session {by}", id="delete",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("act", "event_type", "sentence"), acts())
def test_an_operators_act_leaves_one_event_with_the_operating_system_user_as_actor(
    jane: Visitor, instance: Instance, act: Callable[[Any], Any], event_type: str, sentence: str
) -> None:
    """R-LG-01: concerning the user, done by the operator."""
    jane.log_in()
    instance.new_events()
    asyncio.run(act(instance.service))
    event = only_event(instance)
    assert told_by(event) == (event_type, 1, None)
    assert (event.user_email, event.user_id, event.actor) == (JANE, jane.id, "os:root(0)")
    assert (event.ip_address, event.peer_address) == (None, None)
    assert event.details == sentence


def test_acts_that_change_nothing_leave_no_event(jane: Visitor, instance: Instance) -> None:
    """Promoting an admin again, enabling who is not disabled, ending no session."""
    asyncio.run(instance.service.roles.promote(JANE, OPERATOR))
    instance.new_events()
    asyncio.run(instance.service.roles.promote(JANE, OPERATOR))
    asyncio.run(instance.service.users.enable(JANE, OPERATOR))
    asyncio.run(instance.service.users.logout(JANE, OPERATOR))
    assert instance.new_events() == []


def test_table_and_file_tell_the_same(each_instance: Instance) -> None:
    """R-LG-02: one line per row, and one row per line, after a clean stop."""
    jane = Visitor(each_instance)
    jane.register()
    jane.log_in()
    jane.see()
    jane.see("other")
    each_instance.restart()
    lines = Path(each_instance.settings.log_file).read_text(encoding="utf-8").splitlines()
    in_file = {entry["id"]: entry["event_type"] for entry in map(json.loads, lines)}
    in_table = {row.id: row.event_type for row in each_instance.rows()}
    assert in_file == in_table
    assert len(lines) == len(in_table)
    assert each_instance.is_intact()


@pytest.mark.parametrize("text", ["a\r\nb", "tab\tseparated", "\x1b[31mred", "zero\u200bwidth", "right\u202eleft"])
def test_text_that_could_trick_a_terminal_stays_on_one_harmless_line(instance: Instance, text: str) -> None:
    """R-LG-04: in the user agent, which is all that a stranger may choose freely."""
    header = [(b"user-agent", text.encode("utf-8"))]
    instance.call("POST", "/login/begin", json={"email": JANE}, headers=header)
    stored = only_event(instance).user_agent
    assert stored is not None
    assert stored.isprintable()
    line = instance.settings.log_file.read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(line)["user_agent"] == stored
