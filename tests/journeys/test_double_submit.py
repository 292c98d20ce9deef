"""The same valid answer from many connections at once: one wins, wherever they arrive."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator import VirtualAuthenticator
from tests.builders import Visitor, statuses, together
from tests.journeys.sql import counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx2

    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

CROWDS = (2, 10, 50)


@pytest.fixture(params=[1, 2], ids=["one instance", "two instances"])
def instances(request: pytest.FixtureRequest, any_url: str, open_instance: OpenInstance) -> list[Instance]:
    """One or two over one database: on SQLite they stand for workers, on PostgreSQL for machines."""
    return [open_instance(any_url) for _ in range(request.param)]


def at_once(instances: Sequence[Instance], documents: Sequence[tuple[str, dict[str, Any]]]) -> list[httpx2.Response]:
    """The answers to all of them, sent to the instances in turn without waiting for any."""

    async def send() -> list[httpx2.Response]:
        targets = (instances[number % len(instances)] for number in range(len(documents)))
        requests = zip(targets, documents, strict=True)
        return await together(target.request("POST", path, json=document) for target, (path, document) in requests)

    return asyncio.run(send())


def outcomes(instances: Sequence[Instance], event_type: str) -> dict[tuple[int, str | None], int]:
    """How many new events of a type there are of each outcome and reason."""
    found: dict[tuple[int, str | None], int] = {}
    for event in instances[0].new_events():
        if event.event_type == event_type:
            key = (event.success, event.reason)
            found[key] = found.get(key, 0) + 1
    return found


def test_one_assertion_submitted_many_times_at_once_opens_one_session(instances: list[Instance]) -> None:
    """R-CH-02, F-13: one success and N-1 failures, in the answers and in the trail."""
    jane = Visitor(instances[0])
    jane.register()
    for crowd in CROWDS:
        document = {"email": jane.email, "assertion": jane.sign()}
        instances[0].new_events()
        answers = at_once(instances, [("/login/complete", document)] * crowd)
        assert statuses(answers) == {200: 1, 401: crowd - 1}
        assert outcomes(instances, "login_complete") == {(1, None): 1, (0, "challenge_unknown"): crowd - 1}
    assert counts(instances[0].settings.database_url, "login_sessions", "challenges") == {
        "login_sessions": len(CROWDS),
        "challenges": 0,
    }
    assert instances[0].is_intact()


def test_one_new_credential_submitted_many_times_at_once_makes_one_account(instances: list[Instance]) -> None:
    """R-CH-02, F-13."""
    for crowd in CROWDS:
        jane = Visitor(instances[0], f"jane{crowd}@example.com")
        document = {"email": jane.email, "credential": jane.browser.create(jane.begin_registration())}
        instances[0].new_events()
        answers = at_once(instances, [("/register/complete", document)] * crowd)
        assert statuses(answers) == {201: 1, 400: crowd - 1}
        assert outcomes(instances, "registration_complete") == {(1, None): 1, (0, "challenge_unknown"): crowd - 1}
        assert jane.log_in()
    assert counts(instances[0].settings.database_url, "users", "webauthn_credentials") == {
        "users": len(CROWDS),
        "webauthn_credentials": len(CROWDS),
    }


def spelling(number: int) -> str:
    """One address, written in another way for each number: case, blanks, and four forms of its domain."""
    domains = (
        "bücher.example",
        unicodedata.normalize("NFD", "bücher.example"),
        "BÜCHER.Example",
        "xn--bcher-kva.example",
    )
    names = ("jane.doe", "Jane.Doe", "JANE.DOE", "  jane.doe")
    return f"{names[number // 4 % 4]}@{domains[number % 4]}"


def test_one_email_registered_many_times_at_once_becomes_one_account(instances: list[Instance]) -> None:
    """F-14: 50 keys, and as many ways to write the address as there are."""
    visitors = [Visitor(instances[0], spelling(number)) for number in range(50)]
    assert len({visitor.email for visitor in visitors}) >= 16
    documents = [
        ("/register/complete", {"email": one.email, "credential": one.browser.create(one.begin_registration())})
        for one in visitors
    ]
    instances[0].new_events()
    answers = at_once(instances, documents)
    assert statuses(answers) == {201: 1, 400: 49}
    assert outcomes(instances, "registration_complete") == {(1, None): 1, (0, "account_exists"): 49}
    assert counts(instances[0].settings.database_url, "users", "webauthn_credentials") == {
        "users": 1,
        "webauthn_credentials": 1,
    }
    winner = next(one for one, answer in zip(visitors, answers, strict=True) if answer.status_code == 201)
    assert winner.log_in()
    assert instances[0].is_intact()


def test_one_credential_id_registered_for_many_emails_at_once_has_one_owner(instances: list[Instance]) -> None:
    """F-14: no account without a credential is left behind."""
    visitors = [
        Visitor(instances[0], f"jane{number}@example.com", VirtualAuthenticator(seed="the same for all"))
        for number in range(50)
    ]
    credentials = [one.browser.create(one.begin_registration()) for one in visitors]
    assert len({credential["id"] for credential in credentials}) == 1
    documents = [
        ("/register/complete", {"email": one.email, "credential": credential})
        for one, credential in zip(visitors, credentials, strict=True)
    ]
    answers = at_once(instances, documents)
    assert statuses(answers) == {201: 1, 400: 49}
    assert counts(instances[0].settings.database_url, "users", "webauthn_credentials") == {
        "users": 1,
        "webauthn_credentials": 1,
    }
    assert instances[0].is_intact()
