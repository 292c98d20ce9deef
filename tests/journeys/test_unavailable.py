"""When the store cannot be written the answer is 503 and nothing has changed; when it can be again, all goes on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import JANE, JOHN, Visitor, person, statuses, together
from tests.journeys.outages import held, missing_table, refused_events
from tests.journeys.sql import counts, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from tests.journeys.conftest import OpenInstance

TABLES = ("users", "webauthn_credentials", "challenges", "login_sessions", "audit_logs")


def assert_unavailable(answer: httpx2.Response) -> None:
    """R-ER-03: an answer that says to come back, and nothing of what is wrong."""
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    problem = answer.json()
    assert problem["type"] == "urn:authctl:problem:storage-unavailable"
    assert "no more events" not in answer.text
    assert "audit_logs" not in answer.text


def everything(jane: Visitor, john: Visitor) -> list[Callable[[], httpx2.Response]]:
    """One request of each kind that would change something, or tell something."""
    options, assertion = john.begin_registration(), jane.sign()
    new = john.browser.create(options)
    return [
        lambda: jane.post("/register/begin", person("third@example.com")),
        lambda: john.complete_registration(new),
        lambda: jane.post("/login/begin", {"email": JANE}),
        lambda: jane.post("/login/begin", {}),
        lambda: jane.complete_login(assertion),
        lambda: jane.see(),
        lambda: jane.see("another"),
        lambda: jane.see(token="no-token"),
        lambda: jane.post("/login/begin", {"email": 7}),
    ]


def test_nothing_is_answered_and_nothing_changes_while_events_cannot_be_written(
    any_url: str, open_instance: OpenInstance
) -> None:
    """R-LG-01, R-ER-03: also refusals need their event; afterwards the very same requests succeed."""
    instance = open_instance(any_url)
    jane, john = Visitor(instance), Visitor(instance, JOHN)
    jane.register()
    jane.log_in()
    requests = everything(jane, john)
    before = counts(any_url, *TABLES)
    with refused_events(any_url):
        for request in requests:
            assert_unavailable(request())
        assert instance.call("GET", "/healthz").status_code == 200
        assert counts(any_url, *TABLES) == before
    assert [request().status_code for request in requests] == [200, 201, 200, 200, 200, 200, 403, 401, 422]
    assert instance.is_intact()


def test_requests_are_unavailable_while_a_table_is_missing(any_url: str, open_instance: OpenInstance) -> None:
    """R-ER-03: never a refusal that looks like a wrong passkey."""
    instance = open_instance(any_url)
    jane = Visitor(instance)
    jane.register()
    assertion = jane.sign()
    with missing_table(any_url):
        assert_unavailable(jane.complete_login(assertion))
        assert_unavailable(jane.post("/login/begin", {"email": JANE}))
    assert jane.complete_login(assertion).status_code == 200
    assert instance.is_intact()


def test_a_request_waits_for_a_lock_that_is_let_go_in_time(any_url: str, open_instance: OpenInstance) -> None:
    """F-06: half a second is waited for."""
    jane = Visitor(open_instance(any_url))
    jane.register()
    assertion = jane.sign()
    with held(any_url, 0.5):
        assert jane.complete_login(assertion).status_code == 200


def test_a_request_does_not_wait_for_ever_for_a_lock(any_url: str, open_instance: OpenInstance) -> None:
    """F-06, R-ER-03: 503 in time, liveness meanwhile, recovery right after."""
    instance = open_instance(any_url)
    jane = Visitor(instance)
    jane.register()
    assertion = jane.sign()
    document = {"email": JANE, "assertion": assertion}
    times: list[float] = []

    async def timed(path: str, **arguments: Any) -> httpx2.Response:
        started = time.monotonic()
        answer = await instance.request("POST" if arguments else "GET", path, **arguments)
        times.append(time.monotonic() - started)
        return answer

    with held(any_url):
        waiting, live = asyncio.run(together([timed("/login/complete", json=document), timed("/healthz")]))
        assert_unavailable(waiting)
        assert live.status_code == 200
        # In the order in which they ended; a busy machine is left some time.
        assert times[0] < 1.9 < times[1] < 5
    assert jane.complete_login(assertion).status_code == 200
    assert instance.is_intact()


@pytest.mark.postgres
def test_requests_are_unavailable_while_the_database_server_hangs_up(
    postgres_url: str, open_instance: OpenInstance
) -> None:
    """F-11: nothing that was answered is lost, and the connections come back by themselves."""
    instance = open_instance(postgres_url)
    jane = Visitor(instance)
    jane.register()
    assertions = [jane.sign() for _ in range(2)]
    base, _, name = postgres_url.rpartition("/")
    administer = f"{base}/postgres"
    execute(
        administer,
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    answers = [jane.complete_login(assertions[0]) for _ in range(3)]
    assert statuses(answers) == {503: 3}
    assert instance.call("GET", "/readyz").status_code == 503
    execute(administer, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert statuses(jane.complete_login(assertion) for assertion in assertions) == {200: 2}
    assert counts(postgres_url, "login_sessions") == {"login_sessions": 2}
    assert instance.is_intact()
