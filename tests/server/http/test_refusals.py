"""R-RL-01, R-RL-03, R-RL-08: what a client over its limit is told, and what is left of a flood."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from authctl.server.audit.events import Caller, EventType
from authctl.server.http.refusals import Refusals
from tests.server.http.conftest import Api, person, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.clock import FixedClock

JANE = "jane@example.com"


@pytest.fixture
def limited(make_api: Callable[..., Api]) -> Api:
    return make_api(
        rate_limits=True,
        rate_limit_begins_per_source_per_minute=4,
        rate_limit_begins_per_email_per_minute=2,
        rate_limit_completions_per_source_email=2,
        rate_limit_completions_per_source=3,
    )


def test_a_source_over_its_limit_is_told_when_to_come_back(limited: Api, clock: FixedClock) -> None:
    for _ in range(4):
        assert limited.post("/login/begin", {}).status_code == 200
    clock.advance(15)
    answer = limited.post("/login/begin", {})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "45")
    assert problem_of(answer)["detail"] == "Too many requests"
    limited.peer = "198.51.100.1"
    assert limited.post("/login/begin", {}).status_code == 200


def test_both_kinds_of_begins_count_together(limited: Api) -> None:
    for number in range(2):
        assert limited.post("/register/begin", person(f"p{number}@example.com")).status_code == 200
        assert limited.post("/login/begin", {}).status_code == 200
    assert limited.post("/register/begin", person("p9@example.com")).status_code == 429


@pytest.mark.parametrize(
    "variants",
    [
        ("jane@example.com", "JANE@Example.COM", "Jane@example.com"),
        ("jane@example.com", " jane@example.com", "jane@example.com "),
        ("jane@example.com", "jane+a@example.com", "jane+b@example.com"),
    ],
)
def test_spellings_of_an_email_share_a_limit(limited: Api, variants: tuple[str, ...]) -> None:
    """R-RL-03."""
    statuses = []
    for number, email in enumerate(variants):
        limited.peer = f"198.51.100.{number}"
        statuses.append(limited.post("/login/begin", {"email": email}).status_code)
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip", "client-ip"])
def test_headers_do_not_change_the_source(limited: Api, name: str) -> None:
    """R-RL-03."""
    statuses = [
        limited.post("/login/begin", {}, headers={name: f"203.0.113.{number}"}).status_code for number in range(5)
    ]
    assert statuses == [200] * 4 + [429]


def test_completions_are_counted_by_source_and_email(limited: Api) -> None:
    """R-RL-04: another source still gets in."""
    body = {"email": JANE, "assertion": {}}
    assert [limited.post("/login/complete", body).status_code for _ in range(3)] == [401, 401, 429]
    limited.peer = "198.51.100.1"
    assert limited.post("/login/complete", body).status_code == 401


def test_wrong_bodies_are_counted_too(limited: Api) -> None:
    statuses = [limited.post_bytes("/login/begin", b"{").status_code for _ in range(6)]
    assert statuses == [400] * 4 + [429] * 2
    assert limited.events().count(("login_begin", 0, "invalid_request")) == 4


def test_a_flood_leaves_one_event_a_minute_with_a_count(limited: Api, clock: FixedClock) -> None:
    """R-RL-08."""
    for _ in range(4 + 50):
        limited.post("/login/begin", {})
    assert limited.events()[4:] == [("login_begin", 0, "rate_limited"), ("rate_limited", 0, "rate_limited")]
    clock.advance(61)
    for _ in range(4 + 1):
        limited.post("/login/begin", {})
    counted = [row.details for row in limited.rows() if row.event_type == "rate_limited"]
    assert counted == [
        "Too many requests from IP: 192.0.2.1: login begin refused",
        "Too many requests from IP: 192.0.2.1: login begin refused 49 more times within a minute",
        "Too many requests from IP: 192.0.2.1: login begin refused",
    ]


def test_the_first_refusal_names_whom_it_concerns(limited: Api) -> None:
    for _ in range(3):
        answer = limited.post("/login/begin", {"email": JANE})
    refused, alarm = limited.rows()[-2:]
    assert (refused.event_type, alarm.event_type) == ("login_begin", "rate_limited")
    assert refused.user_email == alarm.user_email == JANE
    assert refused.request_id == alarm.request_id == answer.headers["x-request-id"]


CALLER = Caller("192.0.2.1", "192.0.2.1", None, "r", network="192.0.2.1")


def test_tallies_are_written_when_their_minute_is_over_or_at_a_stop(api: Api, clock: FixedClock) -> None:
    refusals = Refusals(api.service.database, api.service.audit)

    async def refuse(counter: str, times: int) -> None:
        for _ in range(times):
            await refusals.limited(EventType.LOGIN_BEGIN, CALLER, None, counter)

    asyncio.run(refuse("one", 3))
    asyncio.run(refuse("two", 1))
    asyncio.run(refusals.flush())
    assert len(api.events()) == 4
    clock.advance(60)
    asyncio.run(refusals.flush())
    assert len(api.events()) == 5
    asyncio.run(refuse("one", 2))
    asyncio.run(refusals.flush(everything=True))
    asyncio.run(refusals.flush(everything=True))
    assert [row.details for row in api.rows()][-1] == (
        "Too many requests from IP: 192.0.2.1: login begin refused 1 more times within a minute"
    )
    assert len(api.events()) == 8


def test_tallies_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-RL-07."""
    monkeypatch.setattr("authctl.server.http.refusals.MOST_COUNTED", 3)
    refusals = Refusals(api.service.database, api.service.audit)

    async def refuse() -> None:
        for number in range(10):
            await refusals.limited(EventType.LOGIN_BEGIN, CALLER, None, f"counter {number}")

    asyncio.run(refuse())
    assert len(refusals._tallies) <= 3
