"""The facade: what the service asks of its trail."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authctl.server.audit.events import EventType
from authctl.server.audit.health import HEALTHY
from authctl.server.audit.queries import EventQuery
from tests.server.audit.workbench import CALLER, START, Service, Site, an_event, reset

if TYPE_CHECKING:
    from authctl.server.audit.records import EventRecord


def ask(service: Service, query: EventQuery) -> list[EventRecord]:
    return asyncio.run(service.trail.list(query))


def test_a_refused_request_leaves_its_event(site: Site, service: Service) -> None:
    asyncio.run(service.trail.record_refused(EventType.LOGIN_BEGIN, "invalid_request", CALLER))
    (row,) = site.rows()
    assert (row["event_type"], row["success"], row["reason"]) == ("login_begin", 0, "invalid_request")
    assert (row["user_email"], row["user_id"], row["actor"]) == (None, None, None)
    assert row["details"] == "Login begin refused from IP: 192.0.2.1: invalid request"


def test_start_and_stop_are_events(site: Site, service: Service) -> None:
    async def life() -> None:
        await service.trail.record_start("Serving http://localhost:8000")
        await service.trail.record_stop("Stopped")

    asyncio.run(life())
    service.stop()
    assert [row["event_type"] for row in site.rows()] == ["server_start", "server_stop", "checkpoint"]
    assert {row["actor"] for row in site.rows()} == {"authctl"}


def test_the_trail_verifies_while_it_is_written(service: Service) -> None:
    service.write(an_event(1), an_event(2))
    assert asyncio.run(service.trail.verify()).is_intact


@pytest.mark.parametrize("with_file", [True, False])
def test_a_trail_without_a_file_is_complete_in_its_table(site: Site, with_file: bool) -> None:
    service = site.start(with_file=with_file)
    service.write(an_event(1))
    asyncio.run(service.trail.checkpoint_if_due())
    assert asyncio.run(service.trail.verify()).counts.lines == int(with_file)
    assert service.trail.health() == HEALTHY
    service.stop()
    assert site.log_file.exists() == with_file


def test_a_checkpoint_is_signed_each_minute_and_only_when_something_moved(site: Site, service: Service) -> None:
    """D-11: 60 s."""
    service.write(an_event(1))
    counts = []
    for seconds in (59, 1, 30, 31, 60):
        site.clock.advance(seconds)
        asyncio.run(service.trail.checkpoint_if_due())
        counts.append(sum(row["event_type"] == "checkpoint" for row in site.rows()))
        if seconds == 30:
            service.write(an_event(2))
    assert counts == [0, 1, 1, 2, 2]


def test_a_checkpoint_on_demand_says_whether_there_was_anything_to_sign(service: Service) -> None:
    assert not asyncio.run(service.trail.checkpoint())
    service.write(an_event(1))
    assert asyncio.run(service.trail.checkpoint())
    assert not asyncio.run(service.trail.checkpoint())


def test_a_loss_is_noticed_and_mended_in_quiet_times(site: Site, service: Service) -> None:
    """R-LG-07."""
    service.write(an_event(1), an_event(2))
    site.log_file.unlink()
    asyncio.run(service.trail.checkpoint_if_due())
    assert [row["event_type"] for row in site.rows()][-1] == "audit_gap"
    assert site.sequences() == [1, 2, 3]


def test_no_line_is_doubled_when_a_look_at_the_file_knows_only_the_trail_before_a_reset(
    site: Site, service: Service
) -> None:
    """R-LG-08: the look reads the generation first, and a reset may come in between."""
    service.write(an_event(1))
    site.start(kind="cli").database.write_now(reset)
    service.write(an_event(2))
    service.shipper.inspect(1)
    service.write(an_event(3))
    service.tick()
    assert [line["user_email"] for line in site.lines()] == [
        "user1@example.com",
        "user2@example.com",
        "user3@example.com",
    ]
    assert site.verify().counts.lines_repeated == 0


def test_a_reset_by_another_process_is_no_damage_in_quiet_times(
    site: Site, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.write(an_event(1), an_event(2))
    command = site.start(kind="cli")
    command.database.write_now(reset)
    asyncio.run(service.trail.checkpoint_if_due())
    assert service.trail.health() == HEALTHY
    assert caplog.messages == []
    service.write(an_event(3))
    rows = site.rows("SELECT event_type FROM audit_logs ORDER BY id")
    assert [row["event_type"] for row in rows] == ["database_reset", "login_complete"]
    assert asyncio.run(service.trail.verify()).is_intact


def test_quiet_times_end_when_the_file_stays_unusable(site: Site, service: Service) -> None:
    service.write(an_event(1))
    site.log_file.unlink()
    site.log_file.mkdir()
    asyncio.run(service.trail.checkpoint_if_due())
    degraded = service.trail.health().degraded
    assert degraded is not None
    assert "Is a directory" in degraded


# Questions.


@pytest.fixture
def asked(site: Site, service: Service) -> Service:
    """Four events, an hour apart."""
    for number, (event_type, success) in enumerate(
        [
            (EventType.LOGIN_BEGIN, True),
            (EventType.LOGIN_COMPLETE, False),
            (EventType.LOGIN_COMPLETE, True),
            (EventType.USER_ACCESS, True),
        ],
        1,
    ):
        service.write(an_event(number, type=event_type, success=success))
        site.clock.advance(3600)
    return service


@pytest.mark.parametrize(
    ("query", "users"),
    [
        (EventQuery(), [4, 3, 2, 1]),
        (EventQuery(limit=2), [4, 3]),
        (EventQuery(events=("login_complete",)), [3, 2]),
        (EventQuery(events=("login_begin", "user_access")), [4, 1]),
        (EventQuery(user="user2@example.com"), [2]),
        (EventQuery(user="user%@example.com"), []),
        (EventQuery(ips=("192.0.2.1",)), [4, 3, 2, 1]),
        (EventQuery(ips=("203.0.113.7",)), []),
        (EventQuery(success=False), [2]),
        (EventQuery(success=True, events=("login_complete",)), [3]),
        (EventQuery(since=START + timedelta(hours=1)), [4, 3, 2]),
        (EventQuery(until=START + timedelta(hours=1)), [1]),
        (EventQuery(since=START + timedelta(hours=1), until=START + timedelta(hours=2)), [2]),
    ],
)
def test_events_are_listed_newest_first_and_filtered(asked: Service, query: EventQuery, users: list[int]) -> None:
    assert [row.user_email for row in ask(asked, query)] == [f"user{number}@example.com" for number in users]


def test_an_address_is_found_in_any_spelling(service: Service) -> None:
    service.write(an_event(caller=type(CALLER)("2001:db8::1", None, None, None)))
    (row,) = ask(service, EventQuery(ips=(" 2001:DB8:0:0::1 ",)))
    assert row.ip_address == "2001:db8::1"
    assert row.created_at == START
