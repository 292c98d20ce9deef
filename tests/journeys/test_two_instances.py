"""Two instances over one PostgreSQL, as two machines behind one load balancer run them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from authctl.errors import StorageDamaged
from authctl.server.audit.events import Caller
from tests.builders import JANE, JOHN, Visitor, shared_keys, statuses, together

if TYPE_CHECKING:
    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

pytestmark = pytest.mark.postgres

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")


@pytest.fixture
def pair(postgres_url: str, open_instance: OpenInstance) -> tuple[Instance, Instance]:
    """Two instances that share database and keys, and no file."""
    return open_instance(postgres_url), open_instance(postgres_url)


def test_a_journey_may_change_the_instance_at_every_step(pair: tuple[Instance, Instance]) -> None:
    """R-CH-02, R-TK-07: challenges, sessions and tokens belong to all of them."""
    here, there = pair
    jane = Visitor(here)
    options = jane.begin_registration()
    jane.service = there
    answer = jane.complete_registration(jane.browser.create(options))
    assert answer.status_code == 201
    jane.id = answer.json()["id"]

    assertion = jane.sign()
    jane.service = here
    answer = jane.complete_login(assertion)
    assert answer.status_code == 200
    jane.token = answer.json()["access_token"]
    jane.service = there
    assert jane.complete_login(assertion).status_code == 401
    assert jane.see(jane.id).json()["email"] == JANE


def test_what_an_operator_does_at_one_is_felt_at_the_other_on_the_next_request(
    pair: tuple[Instance, Instance],
) -> None:
    """R-TK-07, R-AZ-01: within a second is promised; at once is what happens."""
    here, there = pair
    jane, john = Visitor(here), Visitor(there, JOHN)
    jane.register()
    john.register()
    asyncio.run(there.service.roles.promote(JANE, OPERATOR))
    jane.log_in()
    assert jane.see(john.id).status_code == 200
    asyncio.run(there.service.roles.demote(JANE, OPERATOR, allow_no_admin=True))
    assert jane.see(john.id).status_code == 403
    asyncio.run(there.service.users.logout(JANE, OPERATOR))
    assert jane.see().status_code == 401


def test_logins_at_both_leave_chains_that_each_of_them_verifies(pair: tuple[Instance, Instance]) -> None:
    """R-LG-06: every writer thread has a chain, and they vouch for each other."""
    visitors = [Visitor(pair[number % 2], f"jane{number}@example.com") for number in range(12)]
    for visitor in visitors:
        visitor.register()
    signed = [(visitor, visitor.sign()) for visitor in visitors]
    targets = dict(zip((visitor.email for visitor in visitors), pair * 6, strict=True))
    answers = asyncio.run(
        together(
            targets[visitor.email].request(
                "POST", "/login/complete", json={"email": visitor.email, "assertion": assertion}
            )
            for visitor, assertion in signed
        )
    )
    assert statuses(answers) == {200: 12}
    for instance in pair:
        assert asyncio.run(instance.service.audit.checkpoint()) in (True, False)
    verdicts = [asyncio.run(instance.service.audit.verify()) for instance in pair]
    assert [verdict.findings for verdict in verdicts] == [(), ()]
    assert verdicts[0].counts.rows >= 12 * 4
    assert verdicts[0].counts.writers > 2


def test_an_instance_with_other_keys_is_not_let_near_the_database(
    pair: tuple[Instance, Instance], open_instance: OpenInstance
) -> None:
    """D-6: one trail is chained under one key, and decoys are the same everywhere."""
    url = pair[0].settings.database_url
    with pytest.raises(StorageDamaged, match="other keys"):
        open_instance(url, audit_key=shared_keys()["audit_key"][::-1])
    with pytest.raises(StorageDamaged, match="other keys"):
        open_instance(url, decoy_key=shared_keys()["decoy_key"][::-1])
    assert Visitor(pair[1]).register()["email"] == JANE


def test_limits_are_counted_over_both(postgres_url: str, open_instance: OpenInstance) -> None:
    """R-RL-06: whoever goes to the other instance is known there."""
    limited = [
        open_instance(postgres_url, rate_limits=True, rate_limit_begins_per_source_per_minute=4) for _ in range(2)
    ]
    answers = [limited[number % 2].call("POST", "/login/begin", json={}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
