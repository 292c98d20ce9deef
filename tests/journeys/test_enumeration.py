"""Who asks which addresses have an account learns nothing: answers for known and unknown ones have one shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator import Client, CounterPolicy, Gesture, VirtualAuthenticator
from tests.builders import JANE, JOHN, Visitor, options_in, person

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from authctl.clock import FixedClock
    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

UNKNOWN = "nobody@example.com"
CHANGING = frozenset({"date", "x-request-id", "content-length"})

Attempt = tuple[str | None, dict[str, Any]]
"""What a completion sends: e-mail and assertion."""


def begin(instance: Instance, email: str) -> httpx2.Response:
    """The answer to a login that is begun."""
    return instance.call("POST", "/login/begin", json={"email": email})


def allowed(instance: Instance, email: str) -> list[dict[str, Any]]:
    """The credentials that a begun login asks for."""
    found: list[dict[str, Any]] = options_in(begin(instance, email))["allowCredentials"]
    return found


def fields_of(answer: httpx2.Response) -> dict[str, str]:
    """The header fields that do not differ between any two answers."""
    return {name: value for name, value in answer.headers.items() if name not in CHANGING}


def looks_of(answer: httpx2.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Everything of a refusal but its request id."""
    document = answer.json()
    del document["instance"]
    return answer.status_code, fields_of(answer), document


def test_a_begun_login_looks_the_same_for_known_and_unknown_emails(jane: Visitor, instance: Instance) -> None:
    """R-EN-01: status, fields, members, and the number of bytes but for the length of the ids."""
    known, unknown = begin(instance, JANE), begin(instance, "jean@example.com")
    assert known.status_code == unknown.status_code == 200
    assert fields_of(known) == fields_of(unknown)
    pair = [options_in(answer) for answer in (known, unknown)]
    assert pair[0].keys() == pair[1].keys()
    for options in pair:
        assert options["allowCredentials"]
        assert {frozenset(item) for item in options["allowCredentials"]} == {frozenset({"type", "id"})}
        del options["allowCredentials"]
    assert len(json.dumps(pair[0])) == len(json.dumps(pair[1]))


def test_decoys_are_the_same_for_ever_and_everywhere(any_url: str, open_instance: OpenInstance) -> None:
    """R-EN-02: before and after a restart, from two instances, however the address is spelt."""
    first, second = open_instance(any_url), open_instance(any_url)
    known = allowed(first, UNKNOWN)
    spellings = (UNKNOWN, "Nobody@Example.COM", f"  {UNKNOWN} ", "NOBODY@EXAMPLE.COM")
    assert all(allowed(one, spelling) == known for one in (first, second) for spelling in spellings)
    first.restart()
    assert all(allowed(first, UNKNOWN) == known for _ in range(20))
    assert allowed(first, "somebody@example.com") != known


def test_decoys_do_not_repeat_between_emails(instance: Instance) -> None:
    """R-EN-02: and their lengths are those of real ids."""
    ids = [item["id"] for number in range(40) for item in allowed(instance, f"nobody{number}@example.com")]
    assert len(ids) >= 40
    assert len(set(ids)) == len(ids)
    assert len({len(one) for one in ids}) > 1


def test_a_begun_registration_looks_the_same_for_known_and_unknown_emails(jane: Visitor, instance: Instance) -> None:
    """R-EN-05: a fresh user handle in both, and nothing to exclude."""
    answers = [instance.call("POST", "/register/begin", json=person(email)) for email in (JANE, "jean@example.com")]
    assert fields_of(answers[0]) == fields_of(answers[1])
    known, again, unknown = (*map(options_in, answers[:1]), jane.begin_registration(), options_in(answers[1]))
    assert known.keys() == unknown.keys()
    assert known["excludeCredentials"] == unknown["excludeCredentials"] == []
    assert len({options["user"]["id"] for options in (known, again, unknown)}) == 3
    assert len(json.dumps(known)) == len(json.dumps(unknown))


def unknown_email(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """An address without account, with a passkey of another site's making."""
    stranger = Visitor(instance, UNKNOWN)
    stranger.browser.create(jane.begin_registration())
    return UNKNOWN, stranger.browser.get({**stranger.begin_login(), "allowCredentials": []})


def decoy(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """A decoy, answered as if one had it."""
    options = options_in(begin(instance, UNKNOWN))
    signed = jane.browser.get({**options, "allowCredentials": jane.begin_login()["allowCredentials"]})
    name = options["allowCredentials"][0]["id"]
    return UNKNOWN, {**signed, "id": name, "rawId": name}


def unknown_credential(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """A passkey that was never registered, for an address that is."""
    stranger = Visitor(instance)
    stranger.browser.create(stranger.begin_registration())
    return JANE, stranger.browser.get({**stranger.begin_login(), "allowCredentials": []})


def wrong_signature(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """The signature of another login."""
    signed, other = jane.sign(), jane.sign()
    return JANE, {**signed, "response": {**signed["response"], "signature": other["response"]["signature"]}}


def expired_challenge(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """Too late."""
    signed = jane.sign()
    clock.advance(301)
    return JANE, signed


def used_challenge(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """A second time."""
    signed = jane.sign()
    assert jane.complete_login(signed).status_code == 200
    return JANE, signed


def wrong_origin(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """From a page on another port."""
    return JANE, Client(jane.authenticator, "http://localhost:9000").get(jane.begin_login())


def unverified_user(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """Without the flag that is asked for."""
    return JANE, jane.browser.get(jane.begin_login(), gesture=Gesture(is_user_verified=False, is_forced=True))


def clone(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """With a count that has been seen."""
    jane.log_in()
    copy = VirtualAuthenticator(store=jane.authenticator.store, counter_override=CounterPolicy("fixed", 1))
    return JANE, Client(copy, jane.service.origin).get(jane.begin_login())


def nonsense(jane: Visitor, instance: Instance, clock: FixedClock) -> Attempt:
    """No assertion at all."""
    return JANE, {}


REASONS: dict[Callable[[Visitor, Instance, FixedClock], Attempt], str] = {
    unknown_email: "credential_unknown",
    decoy: "credential_unknown",
    unknown_credential: "credential_unknown",
    wrong_signature: "signature_invalid",
    expired_challenge: "challenge_expired",
    used_challenge: "challenge_unknown",
    wrong_origin: "origin_mismatch",
    unverified_user: "user_verification_missing",
    clone: "clone_suspected",
    nonsense: "malformed_response",
}


@pytest.mark.parametrize("attempt", REASONS, ids=lambda attempt: attempt.__name__)
def test_a_login_that_fails_says_one_thing_to_its_caller_and_the_reason_to_the_trail(
    jane: Visitor, instance: Instance, clock: FixedClock, attempt: Callable[[Visitor, Instance, FixedClock], Attempt]
) -> None:
    """R-EN-03."""
    usual = looks_of(jane.complete_login({"id": "AAAA"}))
    email, assertion = attempt(jane, instance, clock)
    instance.new_events()
    answer = instance.call("POST", "/login/complete", json={"email": email, "assertion": assertion})
    assert looks_of(answer) == usual
    assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid credentials")
    (event,) = [row for row in instance.new_events() if row.event_type == "login_complete"]
    assert (event.success, event.reason) == (0, REASONS[attempt])


@pytest.mark.parametrize("path", ["/login/begin", "/login/complete"])
def test_limits_treat_known_and_unknown_emails_alike(open_instance: OpenInstance, clock: FixedClock, path: str) -> None:
    """R-EN-07: the same number of tries, the same answer after them."""
    limited = open_instance(
        rate_limits=True, rate_limit_begins_per_email_per_minute=3, rate_limit_completions_per_source_email=3
    )
    Visitor(limited).register()
    clock.advance(600)
    extra: dict[str, Any] = {"assertion": {}} if path == "/login/complete" else {}

    def tries(email: str) -> list[httpx2.Response]:
        return [limited.call("POST", path, json={"email": email, **extra}) for _ in range(4)]

    known, unknown = tries(JANE), tries(JOHN)
    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]
    assert [answer.status_code == 429 for answer in known] == [False, False, False, True]
    assert looks_of(known[-1]) == looks_of(unknown[-1])
