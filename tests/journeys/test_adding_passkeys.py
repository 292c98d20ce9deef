"""R-WA-23, R-CH-02 to R-CH-09: the ceremony of a further passkey is bound to its purpose and to whoever began it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.server.audit.events import Caller
from authctl.virtual_authenticator import Gesture, VirtualAuthenticator
from tests.builders import JANE, JOHN, PEER, Instance, Visitor, statuses, together
from tests.journeys.own_passkeys import MINE, add_passkey, ask, bearer, begin, complete, signed_in, with_another_device

if TYPE_CHECKING:
    from authctl.server.audit.records import EventRecord
    from tests.journeys.conftest import OpenInstance

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")


def only_event(instance: Instance) -> EventRecord:
    """The one event since the last look."""
    (event,) = instance.new_events()
    return event


def make(visitor: Visitor, options: dict[str, Any] | None = None) -> dict[str, Any]:
    """A credential of a new device for these or for fresh options."""
    return with_another_device(visitor).browser.create(begin(visitor) if options is None else options)


def refused(visitor: Visitor, credential: object) -> EventRecord:
    """The event of a refusal that reads like any other; nothing is added."""
    instance = visitor.service
    assert isinstance(instance, Instance)
    instance.new_events()
    answer = complete(visitor, credential)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Registration failed")
    event = only_event(instance)
    assert (event.event_type, event.success) == ("credential_added", 0)
    assert (event.user_email, event.user_id, event.actor) == (visitor.email, visitor.id, visitor.id)
    return event


def test_both_halves_leave_their_event(each_instance: Instance) -> None:
    jane = signed_in(each_instance)
    each_instance.new_events()
    options = begin(jane)
    begun = only_event(each_instance)
    assert (begun.event_type, begun.success, begun.reason) == ("credential_begin", 1, None)
    assert (begun.user_email, begun.user_id, begun.actor) == (JANE, jane.id, jane.id)
    assert begun.details == f"Passkey registration of {JANE} started from IP: {PEER}"
    added = complete(jane, make(jane, options), name='A "key"').json()
    event = only_event(each_instance)
    assert (event.event_type, event.success, event.user_id, event.target_user_id) == (
        "credential_added",
        1,
        jane.id,
        None,
    )
    assert event.details == f"Passkey \"A 'key'\" ({added['id']}) added by user Jane Doe from IP: {PEER}"


def test_what_r_wa_24_asks_for_is_recorded(instance: Instance) -> None:
    jane = signed_in(instance)
    _, document = add_passkey(jane)
    rows = instance.service.database.read_now(lambda tx: tx.credentials.of_user(jane.id))
    (row,) = (one for one in rows if one.id == document["id"])
    assert (row.source_address, row.user_verified, row.attestation_format) == (PEER, True, "none")
    assert (row.backup_eligible, row.backup_state, row.last_used_at, row.removed_at) == (False, False, None, None)


def test_another_users_ceremony_completes_for_nobody(instance: Instance) -> None:
    """V-02: neither for the one who has the challenge nor, afterwards, for the one who began."""
    jane, john = signed_in(instance), signed_in(instance, JOHN)
    credential = make(jane)
    assert refused(john, credential).reason == "user_mismatch"
    assert refused(jane, credential).reason == "challenge_unknown"


def test_a_ceremony_does_not_outlive_the_account_even_when_the_email_comes_back(instance: Instance) -> None:
    jane = signed_in(instance)
    credential = make(jane)
    asyncio.run(instance.service.users.delete(JANE, OPERATOR))
    assert complete(jane, credential).status_code == 401
    credential = make(signed_in(instance, JOHN))
    again = signed_in(instance)
    assert refused(again, credential).reason == "user_mismatch"


def test_each_ceremony_completes_only_where_it_was_begun(instance: Instance) -> None:
    """R-WA-06: a registration is no further passkey, and a further passkey no registration and no login."""
    jane = signed_in(instance)
    somebody = Visitor(instance, JOHN)
    assert refused(jane, somebody.browser.create(somebody.begin_registration())).reason == "purpose_mismatch"
    assert somebody.complete_registration(make(jane)).status_code == 400
    registered = [row for row in instance.rows() if row.event_type == "registration_complete" and not row.success]
    assert [row.reason for row in registered] == ["purpose_mismatch"]
    options = begin(jane)
    asked = {"challenge": options["challenge"], "rpId": options["rp"]["id"], "userVerification": "required"}
    assert jane.complete_login(jane.browser.get({**asked, "allowCredentials": []})).status_code == 401
    assert refused(jane, make(jane, options)).reason == "challenge_unknown"


@pytest.mark.parametrize(("seconds", "status"), [(299, 201), (301, 400)])
def test_a_challenge_is_good_for_five_minutes(instance: Instance, seconds: int, status: int) -> None:
    """R-CH-04: by a login that is newer than it."""
    jane = signed_in(instance)
    credential = make(jane)
    assert isinstance(instance.clock, FixedClock)
    instance.clock.advance(seconds)
    jane.log_in()
    assert complete(jane, credential).status_code == status


def test_a_new_passkey_submitted_many_times_at_once_is_added_once(each_instance: Instance) -> None:
    """R-CH-02."""
    jane = signed_in(each_instance)
    body = {"credential": make(jane)}
    calls = [each_instance.request("POST", f"{MINE}/complete", headers=bearer(jane), json=body) for _ in range(5)]
    assert statuses(asyncio.run(together(calls))) == {201: 1, 400: 4}


def test_a_refused_answer_uses_up_its_challenge(instance: Instance) -> None:
    """R-CH-03."""
    jane = signed_in(instance)
    credential = make(jane)
    broken = {**credential, "response": {**credential["response"], "attestationObject": "AAAA"}}
    assert refused(jane, broken).reason == "attestation_object_malformed"
    event = refused(jane, credential)
    assert event.reason == "challenge_unknown"
    assert event.details == f"Passkey registration of {JANE} refused from IP: {PEER}: challenge unknown"


def test_nobody_uses_up_a_challenge_without_a_token(instance: Instance) -> None:
    jane = signed_in(instance)
    credential = make(jane)
    for headers in ({}, {"authorization": "Bearer x"}):
        body = {"credential": credential}
        assert instance.call("POST", f"{MINE}/complete", headers=headers, json=body).status_code == 401
    assert complete(jane, credential).status_code == 201


def test_an_authenticator_that_verified_nobody_is_refused(instance: Instance) -> None:
    """R-WA-10, V-15."""
    jane = signed_in(instance)
    device = with_another_device(jane, VirtualAuthenticator())
    options = begin(jane)
    lenient = {**options, "authenticatorSelection": {"userVerification": "discouraged"}}
    credential = device.browser.create(lenient, gesture=Gesture(is_user_verified=False))
    assert refused(jane, credential).reason == "user_verification_missing"


def test_too_many_open_ceremonies_are_refused_with_an_alarm(open_instance: OpenInstance) -> None:
    """R-CH-08."""
    instance = open_instance(rate_limits=True, rate_limit_outstanding_per_source=2)
    jane = signed_in(instance)
    begin(jane)
    begin(jane)
    instance.new_events()
    answer = ask(jane, "POST", f"{MINE}/begin", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    events = {(event.event_type, event.reason, event.user_email) for event in instance.new_events()}
    assert events == {
        ("credential_begin", "too_many_outstanding", JANE),
        ("rate_limited", "too_many_outstanding", JANE),
    }


LIMITS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("begin", {}, "begins_per_source_per_minute", "credential_begin", "Start of a passkey registration"),
    ("complete", {"credential": {}}, "completions_per_source", "credential_added", "Passkey registration"),
]


@pytest.mark.parametrize(("path", "body", "limit", "event_type", "words"), LIMITS)
def test_limits_of_ceremonies_hold_here_too(
    open_instance: OpenInstance, path: str, body: dict[str, Any], limit: str, event_type: str, words: str
) -> None:
    """R-RL-01: counted together with those of registrations and logins."""
    settings: dict[str, Any] = {"rate_limits": True, f"rate_limit_{limit}": 3}
    instance = open_instance(**settings)
    jane = signed_in(instance)
    found = [ask(jane, "POST", f"{MINE}/{path}", json=body).status_code for _ in range(3)]
    assert found[-1] == 429
    alarm, first = (event for event in instance.new_events() if event.reason == "rate_limited")
    assert {alarm.event_type, first.event_type} == {"rate_limited", event_type}
    assert f"{words} refused from IP: {PEER}: rate limited" in {alarm.details, first.details}


@pytest.mark.parametrize(
    "body", [{"x": 1}, {"credential": []}, {"credential": {}, "name": ""}, {"credential": {}, "x": 1}]
)
def test_a_body_of_another_shape_is_refused_and_told(instance: Instance, body: dict[str, Any]) -> None:
    jane = signed_in(instance)
    instance.new_events()
    answer = ask(jane, "POST", f"{MINE}/complete", json=body)
    assert answer.status_code == 422
    event = only_event(instance)
    assert (event.event_type, event.reason) == ("credential_added", "invalid_request")


def test_the_trail_finds_what_is_about_a_person_and_erases_it(instance: Instance) -> None:
    """Right to erasure: names of passkeys, and what an admin did with them."""
    jane, boss = signed_in(instance), signed_in(instance, JOHN, first_name="John", last_name="Boss")
    asyncio.run(instance.service.roles.promote(JOHN, OPERATOR))
    boss.log_in()
    _, document = add_passkey(jane, name="Unmistakable")
    path = f"/users/{jane.id}/credentials"
    assert ask(boss, "PATCH", f"{path}/{document['id']}", json={"name": "Unmistakable too"}).status_code == 200
    assert ask(boss, "DELETE", f"{path}/{document['id']}").status_code == 204
    rights = instance.service.personal_data
    held = asyncio.run(rights.export(JANE, OPERATOR))
    assert [one["name"] for one in held["credentials"] if one["removed_at"] is not None] == ["Unmistakable too"]
    told = {event["event_type"] for event in asyncio.run(rights.export(JOHN, OPERATOR))["audit_events"]}
    assert told >= {"credential_renamed", "credential_removed"}
    asyncio.run(rights.erase(asyncio.run(rights.find(JANE)), OPERATOR))
    assert not any("Unmistakable" in (row.details or "") for row in instance.rows())
    with instance.service.settings.log_file.open(encoding="utf-8") as file:
        assert "Unmistakable" not in file.read()
    assert instance.is_intact()
