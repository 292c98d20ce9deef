"""Challenges as a client meets them: good once, for five minutes, for the ceremony that they were issued for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import JOHN, Visitor, person
from tests.journeys.sql import counts, execute

if TYPE_CHECKING:
    import httpx2

    from authctl.clock import FixedClock
    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

JUST_IN_TIME = 4 * 60 + 59
JUST_TOO_LATE = 5 * 60 + 1


def reason_of(instance: Instance) -> str | None:
    """Why the last thing that was refused was refused."""
    (event,) = instance.new_events()
    return event.reason


def is_refused_login(answer: httpx2.Response) -> bool:
    """Whether this is the one answer to every login that fails."""
    return (answer.status_code, answer.json()["detail"]) == (401, "Invalid credentials")


def is_refused_registration(answer: httpx2.Response) -> bool:
    """Whether this is the one answer to every registration that fails."""
    return (answer.status_code, answer.json()["detail"]) == (400, "Registration failed")


def test_a_login_without_an_email_finds_its_user_by_the_passkey(each_instance: Instance) -> None:
    """The usernameless flow, as passkey autofill uses it."""
    visitor = Visitor(each_instance)
    visitor.register()
    options = visitor.begin_login(is_named=False)
    assert options["allowCredentials"] == []
    answer = visitor.complete_login(visitor.browser.get(options), is_named=False)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == visitor.id
    assert visitor.see(token=answer.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("is_named_at_begin", [True, False], ids=["begun with", "begun without"])
def test_a_login_is_refused_when_it_ends_otherwise_than_it_began(
    jane: Visitor, instance: Instance, is_named_at_begin: bool
) -> None:
    """R-CH-06: an e-mail at begin is an e-mail at the end, none is none."""
    assertion = jane.sign(is_named=is_named_at_begin)
    instance.new_events()
    assert is_refused_login(jane.complete_login(assertion, is_named=not is_named_at_begin))
    assert reason_of(instance) == "email_mismatch"
    assert is_refused_login(jane.complete_login(assertion, is_named=is_named_at_begin))


def test_a_login_is_refused_when_it_ends_with_another_email(jane: Visitor, instance: Instance) -> None:
    """R-CH-06, R-WA-03."""
    john = Visitor(instance, JOHN)
    john.register()
    assertion = jane.sign()
    instance.new_events()
    assert is_refused_login(john.complete_login(assertion))
    assert reason_of(instance) == "credential_user_mismatch"


def test_a_challenge_is_refused_for_the_other_ceremony(jane: Visitor, instance: Instance) -> None:
    """R-CH-06: a challenge of a registration opens no session."""
    options = jane.begin_registration()
    passkey = jane.begin_login()["allowCredentials"]
    instance.new_events()
    signed = jane.browser.get({"challenge": options["challenge"], "rpId": "localhost", "allowCredentials": passkey})
    assert is_refused_login(jane.complete_login(signed))
    assert reason_of(instance) == "purpose_mismatch"


def test_a_challenge_is_good_once(each_instance: Instance) -> None:
    """R-CH-02: the very same assertion again, right after and after a restart (R-CH-05)."""
    visitor = Visitor(each_instance)
    visitor.register()
    assertion = visitor.sign()
    assert visitor.complete_login(assertion).status_code == 200
    assert is_refused_login(visitor.complete_login(assertion))
    each_instance.restart()
    assert is_refused_login(visitor.complete_login(assertion))
    assert each_instance.is_intact()


def test_a_challenge_is_used_up_by_a_failure(jane: Visitor) -> None:
    """R-CH-03: a wrong signature first, the right one after it."""
    assertion = jane.sign()
    spoilt = {**assertion, "response": {**assertion["response"], "signature": "MAYCAQECAQE"}}
    assert is_refused_login(jane.complete_login(spoilt))
    assert is_refused_login(jane.complete_login(assertion))


@pytest.mark.parametrize("defect", ["id", "type", "authenticatorData", "userHandle"])
def test_a_challenge_is_used_up_by_an_assertion_that_cannot_be_read(jane: Visitor, defect: str) -> None:
    """R-CH-03: as long as the challenge can be read."""
    assertion = jane.sign()
    spoilt: dict[str, Any] = {**assertion, "response": {**assertion["response"], defect: 7}, defect: 7}
    assert is_refused_login(jane.complete_login(spoilt))
    assert is_refused_login(jane.complete_login(assertion))


def test_two_begun_logins_can_both_be_completed(each_instance: Instance) -> None:
    """R-CH-07: in either order; a stranger's begin for the same e-mail disturbs neither."""
    visitor = Visitor(each_instance)
    visitor.register()
    first, second = visitor.begin_login(), visitor.begin_login()
    assert first["challenge"] != second["challenge"]
    for _ in range(10):
        Visitor(each_instance, visitor.email).begin_login()
    for options in (second, first):
        assert visitor.complete_login(visitor.browser.get(options)).status_code == 200


def test_the_first_of_two_begun_registrations_to_complete_decides(each_instance: Instance) -> None:
    """R-CH-07, R-WA-01: the other gets the generic answer, and leaves nothing behind."""
    attacker, victim = Visitor(each_instance), Visitor(each_instance)
    begun, stolen = victim.begin_registration(), attacker.begin_registration()
    assert victim.complete_registration(victim.browser.create(begun)).status_code == 201
    each_instance.new_events()
    assert is_refused_registration(attacker.complete_registration(attacker.browser.create(stolen)))
    assert reason_of(each_instance) == "account_exists"
    assert counts(each_instance.settings.database_url, "users", "webauthn_credentials") == {
        "users": 1,
        "webauthn_credentials": 1,
    }
    assert victim.log_in()


def test_a_challenge_is_good_a_second_before_its_end_and_not_a_second_after(
    each_instance: Instance, clock: FixedClock
) -> None:
    """R-CH-04: at 4:59 and at 5:01, for registrations and logins."""
    in_time, too_late = Visitor(each_instance), Visitor(each_instance, JOHN)
    options = in_time.begin_registration()
    clock.advance(JUST_IN_TIME)
    assert in_time.complete_registration(in_time.browser.create(options)).status_code == 201
    options = too_late.begin_registration()
    clock.advance(JUST_TOO_LATE)
    each_instance.new_events()
    assert is_refused_registration(too_late.complete_registration(too_late.browser.create(options)))
    assert reason_of(each_instance) == "challenge_expired"

    assertion = in_time.sign()
    clock.advance(JUST_IN_TIME)
    assert in_time.complete_login(assertion).status_code == 200
    assertion = in_time.sign()
    clock.advance(JUST_TOO_LATE)
    each_instance.new_events()
    assert is_refused_login(in_time.complete_login(assertion))
    assert reason_of(each_instance) == "challenge_expired"


def test_a_challenge_stays_expired_when_the_clock_is_set_back(
    jane: Visitor, instance: Instance, clock: FixedClock
) -> None:
    """R-CH-10: also across a restart, and nothing that is begun afterwards suffers."""
    first, second = jane.sign(), jane.sign()
    clock.advance(JUST_TOO_LATE)
    clock.set_wall(clock.now() - timedelta(hours=1))
    instance.new_events()
    assert is_refused_login(jane.complete_login(first))
    assert reason_of(instance) == "challenge_expired"
    instance.restart()
    assert is_refused_login(jane.complete_login(second))
    assert jane.log_in()


def test_a_begun_ceremony_survives_a_restart(each_instance: Instance) -> None:
    """R-CH-05: a registration and a login are begun before and completed after."""
    visitor = Visitor(each_instance)
    options = visitor.begin_registration()
    each_instance.restart()
    assert visitor.complete_registration(visitor.browser.create(options)).status_code == 201
    assertion = visitor.sign()
    each_instance.restart()
    assert visitor.complete_login(assertion).status_code == 200


def test_a_begun_ceremony_is_refused_after_a_restart_with_another_origin(
    jane: Visitor, instance: Instance, open_instance: OpenInstance
) -> None:
    """R-CH-06: bound to the origins that were in force."""
    assertion = jane.sign()
    instance.close()
    changed = open_instance(instance.settings.database_url, origins="http://localhost:8000,http://localhost:9000")
    answer = changed.call("POST", "/login/complete", json={"email": jane.email, "assertion": assertion})
    assert is_refused_login(answer)
    assert {row.reason for row in changed.rows()} >= {"settings_changed"}


def test_begins_beyond_the_outstanding_ones_of_a_source_are_told_to_come_back(open_instance: OpenInstance) -> None:
    """R-CH-08: nobody else's challenge is lost, and other sources are served."""
    limited = open_instance(rate_limits=True, rate_limit_outstanding_per_source=5)
    visitor = Visitor(limited)
    begun = [visitor.begin_registration() for _ in range(5)]
    limited.new_events()
    refused = limited.call("POST", "/login/begin", json={})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert sorted(event.event_type for event in limited.new_events()) == ["login_begin", "rate_limited"]
    assert counts(limited.settings.database_url, "challenges") == {"challenges": 5}
    other = limited.call("POST", "/register/begin", json=person(JOHN), peer="192.0.2.2")
    assert other.status_code == 200
    assert visitor.complete_registration(visitor.browser.create(begun[0])).status_code == 201
    assert limited.call("POST", "/login/begin", json={}).status_code == 200


def test_challenges_are_kept_as_hashes(jane: Visitor, instance: Instance) -> None:
    """R-CH-09: what stands in the table completes no ceremony."""
    options = jane.begin_login()
    rows = execute(instance.settings.database_url, "SELECT * FROM challenges")
    assert len(rows) == 1
    assert options["challenge"] not in repr(rows)
