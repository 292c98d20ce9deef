"""R-WA-23, R-WA-24: people add passkeys, tell them apart by their names, and shut out the device that was lost."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from authctl.errors import AuthenticatorError
from authctl.server.accounts.credential_access import MOST_CREDENTIALS
from authctl.server.audit.events import Caller
from authctl.server.ceremonies import login
from authctl.virtual_authenticator import VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.presets import PLATFORM
from tests.builders import JANE, JOHN, Instance, Visitor, statuses, together
from tests.journeys.own_passkeys import (
    MINE,
    add_passkey,
    ask,
    bearer,
    begin,
    complete,
    listed,
    signed_in,
    with_another_device,
)

if TYPE_CHECKING:
    from tests.journeys.conftest import OpenInstance

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
SEED = b"the same device twice"
APPLE = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"


def live(instance: Instance, visitor: Visitor) -> list[str]:
    """Ids of what the visitor can log in with, as the database has them."""
    found = instance.service.database.read_now(lambda tx: tx.credentials.live_of_user(visitor.id))
    return [one.id for one in found]


def tick(instance: Instance) -> None:
    """A second passes, so that what comes next is younger."""
    assert isinstance(instance.clock, FixedClock)
    instance.clock.advance(1)


def test_a_passkey_is_added_used_renamed_and_removed(each_instance: Instance) -> None:
    jane = signed_in(each_instance)
    (first,) = listed(jane)
    tick(each_instance)
    phone, second = add_passkey(jane, name="Phone")
    assert listed(jane) == [first, second]
    assert (first["name"], second["name"], second["last_used_at"]) == ("Passkey", "Phone", None)
    jane.log_in()
    phone.log_in()
    phone.log_in(is_named=False)
    assert listed(jane)[1]["last_used_at"] == "2026-01-01T00:00:01Z"
    renamed = ask(jane, "PATCH", f"{MINE}/{second['id']}", json={"name": "  Blue phone "})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Blue phone")
    assert listed(phone)[1] == renamed.json()

    gone = ask(phone, "DELETE", f"{MINE}/{first['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert [one["name"] for one in listed(phone)] == ["Blue phone"]
    assert jane.see().status_code == 401
    each_instance.new_events()
    last = ask(phone, "DELETE", f"{MINE}/{second['id']}")
    assert (last.status_code, last.json()["type"]) == (409, "urn:authctl:problem:last-credential")
    (event,) = each_instance.new_events()
    assert (event.event_type, event.success, event.reason) == ("credential_removed", 0, "last_credential")
    assert live(each_instance, phone) == [second["id"]]
    assert each_instance.is_intact()


@pytest.mark.parametrize("is_named", [True, False])
def test_a_removed_passkey_is_refused_like_any_other_and_the_trail_says_why(
    each_instance: Instance, is_named: bool
) -> None:
    """R-WA-24, R-EN-02: begun before the removal or after it, by e-mail or without."""
    jane = signed_in(each_instance)
    phone, _ = add_passkey(jane)
    phone.log_in()
    (first,) = (one for one in listed(phone) if one["name"] == "Passkey")
    early = jane.sign(is_named=is_named)
    assert ask(phone, "DELETE", f"{MINE}/{first['id']}").status_code == 204
    answers = [jane.complete_login(early, is_named=is_named)]
    if not is_named:
        answers.append(jane.complete_login(jane.sign(is_named=False), is_named=False))
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid credentials")
    failures = [row for row in each_instance.rows() if row.event_type == "login_complete" and not row.success]
    assert [row.reason for row in failures] == ["credential_removed"] * len(answers)
    assert {(row.user_email, row.user_id) for row in failures} == {(JANE, jane.id)}
    assert first["credential_id"] not in {one["id"] for one in phone.begin_login()["allowCredentials"]}


def test_a_login_that_meets_a_removal_half_way_is_no_clone(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another writer has removed after it was read here is refused for that reason, without an alarm."""
    jane = signed_in(instance)
    phone, second = add_passkey(jane)
    jane.log_in()
    assertion = phone.sign()
    assert ask(jane, "DELETE", f"{MINE}/{second['id']}").status_code == 204
    monkeypatch.setattr(login, "_objection", lambda *_: None)
    instance.new_events()
    assert phone.complete_login(assertion).status_code == 401
    (event,) = instance.new_events()
    assert (event.event_type, event.reason) == ("login_complete", "credential_removed")


def test_of_removals_at_once_one_passkey_is_left(each_instance: Instance) -> None:
    """The last-one rule holds also for those who look before the other has acted: by an admin, as no session ends."""
    jane = signed_in(each_instance)
    for _ in range(3):
        add_passkey(jane)
    boss = signed_in(each_instance, JOHN)
    asyncio.run(each_instance.service.roles.promote(JOHN, OPERATOR))
    boss.log_in()
    path = f"/users/{jane.id}/credentials"
    calls = [each_instance.request("DELETE", f"{path}/{one['id']}", headers=bearer(boss)) for one in listed(boss, path)]
    assert statuses(asyncio.run(together(calls))) == {204: 3, 409: 1}
    assert len(live(each_instance, jane)) == 1
    assert each_instance.is_intact()


def test_of_two_who_remove_the_one_they_are_not_signed_in_with_one_stays(each_instance: Instance) -> None:
    jane = signed_in(each_instance)
    phone, second = add_passkey(jane)
    phone.log_in()
    (first,) = (one for one in listed(jane) if one["id"] != second["id"])
    calls = [
        each_instance.request("DELETE", f"{MINE}/{second['id']}", headers=bearer(jane)),
        each_instance.request("DELETE", f"{MINE}/{first['id']}", headers=bearer(phone)),
    ]
    found = statuses(asyncio.run(together(calls)))
    assert found == {204: 1, 401: 1}
    assert len(live(each_instance, jane)) == 1


def test_whoever_removes_the_passkey_they_came_in_with_is_signed_out(instance: Instance) -> None:
    jane = signed_in(instance)
    (first,) = listed(jane)
    phone, _ = add_passkey(jane)
    phone.log_in()
    assert ask(jane, "DELETE", f"{MINE}/{first['id']}").status_code == 204
    assert (jane.see().status_code, phone.see().status_code) == (401, 200)


def test_the_options_are_those_of_a_registration_with_what_the_account_has(instance: Instance) -> None:
    """R-WA-23: the same user handle, and every passkey that is there named with its transports.

    The platform authenticator has one then, so that any kind is welcome.
    """
    jane = Visitor(instance)
    registered = jane.begin_registration()
    assert jane.complete_registration(jane.browser.create(registered)).status_code == 201
    jane.log_in()
    options = begin(jane)
    (first,) = listed(jane)
    expected = [{"type": "public-key", "id": first["credential_id"], "transports": first["transports"]}]
    assert options.pop("excludeCredentials") == expected
    assert options.pop("challenge") != registered.pop("challenge")
    del registered["excludeCredentials"], registered["authenticatorSelection"]["authenticatorAttachment"]
    assert options == registered


def test_an_authenticator_that_has_a_passkey_makes_no_second_one(instance: Instance) -> None:
    jane = signed_in(instance)
    with pytest.raises(AuthenticatorError):
        jane.browser.create(begin(jane))


def test_a_removed_passkey_is_not_excluded_and_its_id_stays_taken(instance: Instance) -> None:
    """R-WA-24: the device may have a new passkey, and never the old one again."""
    jane = signed_in(instance)
    phone, second = add_passkey(jane, VirtualAuthenticator(seed=SEED))
    assert ask(jane, "DELETE", f"{MINE}/{second['id']}").status_code == 204
    assert [one["id"] for one in begin(jane)["excludeCredentials"]] == [listed(jane)[0]["credential_id"]]
    john = signed_in(instance, JOHN)
    for somebody in (jane, john):
        copy = with_another_device(somebody, VirtualAuthenticator(seed=SEED))
        credential = copy.browser.create(begin(somebody))
        assert credential["id"] == second["credential_id"]
        instance.new_events()
        answer = complete(somebody, credential)
        assert (answer.status_code, answer.json()["detail"]) == (400, "Registration failed")
        (event,) = instance.new_events()
        assert (event.event_type, event.reason) == ("credential_added", "credential_exists")
    again, _ = add_passkey(jane, phone.authenticator)
    again.log_in()


def test_passkeys_are_named_after_their_authenticators_until_somebody_says_otherwise(instance: Instance) -> None:
    jane = signed_in(instance)
    apple = replace(PLATFORM, aaguid=uuid.UUID(APPLE).bytes)
    names = [add_passkey(jane, VirtualAuthenticator(apple))[1]["name"] for _ in range(2)]
    names += [add_passkey(jane)[1]["name"], add_passkey(jane, name="Passkey")[1]["name"]]
    assert names == ["Apple Passwords", "Apple Passwords 2", "Passkey 2", "Passkey"]
    (document,) = (one for one in listed(jane) if one["name"] == "Apple Passwords")
    assert (document["authenticator"], document["aaguid"]) == ("Apple Passwords", APPLE)


def test_a_full_account_takes_no_more(each_instance: Instance) -> None:
    """Also when several were begun while there was room."""
    jane = signed_in(each_instance)
    for _ in range(MOST_CREDENTIALS - 3):
        add_passkey(jane)
    begun = [with_another_device(jane).browser.create(begin(jane)) for _ in range(4)]
    calls = [
        each_instance.request("POST", f"{MINE}/complete", headers=bearer(jane), json={"credential": one})
        for one in begun
    ]
    assert statuses(asyncio.run(together(calls))) == {201: 2, 409: 2}
    each_instance.new_events()
    answer = ask(jane, "POST", f"{MINE}/begin", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:authctl:problem:too-many-credentials")
    (event,) = each_instance.new_events()
    assert (event.event_type, event.success, event.reason) == ("credential_begin", 0, "too_many_credentials")
    oldest = listed(jane)[1]
    assert ask(jane, "DELETE", f"{MINE}/{oldest['id']}").status_code == 204
    assert len(live(each_instance, jane)) == MOST_CREDENTIALS - 1


def test_a_passkey_survives_restarts_with_its_name_and_its_end(open_instance: OpenInstance) -> None:
    instance = open_instance()
    jane = signed_in(instance)
    phone, second = add_passkey(jane, name="Phone")
    tablet, third = add_passkey(jane, name="Tablet")
    options = begin(jane)
    assert ask(jane, "DELETE", f"{MINE}/{third['id']}").status_code == 204
    instance.restart()
    assert [one["name"] for one in listed(jane)].count("Phone") == 1
    assert complete(jane, with_another_device(jane).browser.create(options)).status_code == 201
    phone.log_in()
    assert (
        tablet.complete_login(tablet.browser.get(tablet.begin_login(is_named=False)), is_named=False).status_code == 401
    )
    assert second["id"] in live(instance, jane)
