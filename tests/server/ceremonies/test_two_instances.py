"""Two instances over one database: what one issues the other redeems, and one of any two wins (R-CH-02, R-CH-05)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import LoginFailed, RegistrationFailed
from authctl.server.ceremonies.reasons import Reason
from authctl.server.storage.engine import open_database
from tests.server.ceremonies.harness import CALLER, JANE, JOHN, Ceremonies, RecordingJournal, octets
from tests.server.ceremonies.messages import Passkey, authenticator_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.clock import FixedClock

Pair = tuple[Ceremonies, Ceremonies]


@pytest.fixture
def instances(any_url: str, clock: FixedClock) -> Iterator[Pair]:
    """Each with a connection, a thread and a journal of its own."""
    opened = []
    for _ in range(2):
        journal = RecordingJournal()
        database = open_database(any_url, clock, lambda journal=journal: journal, create=True)  # type: ignore[misc]
        opened.append(Ceremonies(database, journal))
    yield opened[0], opened[1]
    for instance in opened:
        instance.database.close()


async def spread(instances: Pair, feature: str, email: str, answers: list[object]) -> list[Any]:
    """Completes each answer at both instances at once."""
    calls = [getattr(instance, feature).complete(email, answer, CALLER) for answer in answers for instance in instances]
    return list(await asyncio.gather(*calls, return_exceptions=True))


def test_a_ceremony_begun_at_one_instance_completes_at_the_other(instances: Pair) -> None:
    first, second = instances
    options = first.begin_registration()
    passkey = Passkey(user_handle=octets(options["user"]["id"]))
    user = second.complete_registration(passkey.create(octets(options["challenge"])))
    assert first.complete_login(passkey.get(second.challenge())).user.id == user.id
    assert second.complete_login(passkey.get(first.challenge(None)), None).user.id == user.id
    assert (
        first.begin_login("x@example.com")["allowCredentials"]
        == (second.begin_login("x@example.com")["allowCredentials"])
    )


def test_of_one_assertion_posted_to_both_instances_exactly_one_succeeds(instances: Pair) -> None:
    """F-13."""
    jane = instances[0].register()
    for _ in range(5):
        answer = jane.get(instances[0].challenge())
        outcomes = asyncio.run(spread(instances, "login", JANE.email, [answer] * 5))
        assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
        assert {o.reason for o in outcomes if isinstance(o, LoginFailed)} == {Reason.CHALLENGE_UNKNOWN}


def test_of_two_assertions_with_one_count_exactly_one_succeeds(instances: Pair) -> None:
    """R-WA-13: by compare-and-set, wherever they arrive."""
    jane = instances[0].register(sign_count=1)
    data = authenticator_data(sign_count=2)
    answers: list[object] = [jane.get(instances[0].challenge(), data=data) for _ in range(4)]
    outcomes = asyncio.run(spread(instances, "login", JANE.email, answers))
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    reasons = [o.reason for o in outcomes if isinstance(o, LoginFailed)]
    assert (reasons.count(Reason.CLONE_SUSPECTED), reasons.count(Reason.CHALLENGE_UNKNOWN)) == (3, 4)


def test_of_many_registrations_of_one_email_exactly_one_succeeds(instances: Pair) -> None:
    """F-14: and none leaves a part of itself behind."""
    answers: list[object] = [
        Passkey().create(octets(instances[0].begin_registration(JOHN)["challenge"])) for _ in range(10)
    ]
    outcomes = asyncio.run(spread(instances, "registration", JOHN.email, answers))
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    reasons = {o.reason for o in outcomes if isinstance(o, RegistrationFailed)}
    assert reasons == {Reason.ACCOUNT_EXISTS, Reason.CHALLENGE_UNKNOWN}
    assert (instances[0].count("users"), instances[1].count("webauthn_credentials")) == (1, 1)
