"""The trail asked over HTTP answers what the table answers: the same filters, order, pages and counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

import httpx2
import pytest

from authctl.commands import _remote
from authctl.commands._remote import RemoteSource
from authctl.server.audit.events import Caller
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter, Position
from authctl.server.storage.reader import open_reader
from tests.builders import JANE, JOHN, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.clock import FixedClock
    from authctl.server.audit.records import EventSource
    from tests.builders import Instance

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
WHAT_WAS_THERE = EventFilter(excluded_types=("audit_query",))
"""Every question is an event, which the next one would see."""


class ToInstance(httpx2.BaseTransport):
    """Carries requests to a service in this process."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The service's answer."""
        target = request.url.raw_path.decode()
        answer = self._instance.call(request.method, target, headers=request.headers)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def sources(each_instance: Instance, clock: FixedClock) -> Iterator[tuple[EventSource, EventSource]]:
    """The table and the service, which some people have used."""
    jane, john = Visitor(each_instance), Visitor(each_instance, JOHN)
    jane.register()
    asyncio.run(each_instance.service.roles.promote(JANE, OPERATOR))
    jane.log_in()
    for number in range(3):
        clock.advance(number * 600.25)
        john.complete_login({**jane.sign(), "response": {}})
        jane.see(john.id or "nobody", token="x")
    john.register()
    john.log_in()
    john.see(jane.id)
    jane.see(john.id)
    near = DatabaseSource(open_reader(each_instance.settings.database_url))
    far = RemoteSource(each_instance.origin, jane.token, transport=ToInstance(each_instance))
    yield near, far
    near.close()
    far.close()


FILTERS = {
    "everything": WHAT_WAS_THERE,
    "oldest first": replace(WHAT_WAS_THERE, newest_first=False),
    "types": EventFilter(event_types=("login_begin", "login_complete"), excluded_types=("user_access",)),
    "a reason": EventFilter(reasons=("access_denied",)),
    "other reasons": replace(WHAT_WAS_THERE, excluded_reasons=("access_denied",)),
    "an e-mail": replace(WHAT_WAS_THERE, user_email=JOHN),
    "a network": replace(WHAT_WAS_THERE, networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))),
    "another network": replace(WHAT_WAS_THERE, networks=(ip_network("198.51.100.7/32"),)),
    "an agent": replace(WHAT_WAS_THERE, agent="HTTPX2"),
    "a text": replace(WHAT_WAS_THERE, contains="+ & = % john"),
    "a word": replace(WHAT_WAS_THERE, contains="logged in"),
    "failures": replace(WHAT_WAS_THERE, success=False),
    "successes": replace(WHAT_WAS_THERE, success=True),
    "looks at others": replace(WHAT_WAS_THERE, only_others=True),
    "a few": replace(WHAT_WAS_THERE, limit=7),
    "none": replace(WHAT_WAS_THERE, limit=0),
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_a_filter_chooses_the_same_events(
    sources: tuple[EventSource, EventSource], wanted: EventFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_remote, "PAGE", 5)
    near, far = sources
    assert list(far.events(wanted)) == list(near.events(wanted))


def test_spans_ids_and_users_choose_the_same_events(sources: tuple[EventSource, EventSource]) -> None:
    near, far = sources
    events = list(near.events(WHAT_WAS_THERE))
    middle = events[len(events) // 2]
    for wanted in (
        EventFilter(ids=tuple(event.id for event in events[2:5])),
        replace(WHAT_WAS_THERE, user_id=next(event.user_id for event in events if event.user_id)),
        replace(WHAT_WAS_THERE, since=middle.created_at),
        replace(WHAT_WAS_THERE, until=middle.created_at),
        replace(WHAT_WAS_THERE, since=middle.created_at, until=middle.created_at + timedelta(microseconds=1)),
    ):
        found = list(near.events(wanted))
        assert found
        assert list(far.events(wanted)) == found


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_stands_behind_a_place_is_the_same(sources: tuple[EventSource, EventSource], newest_first: bool) -> None:
    near, far = sources
    order = replace(WHAT_WAS_THERE, newest_first=newest_first)
    for event in list(near.events(order))[::4]:
        behind = replace(order, after=Position(event.created_at, event.id))
        assert list(far.events(behind)) == list(near.events(behind))


@pytest.mark.parametrize(
    "by", [("event_type",), ("event_type", "success"), ("reason",), ("user_email", "ip_address"), ("hour",), ("actor",)]
)
def test_counts_are_the_same(sources: tuple[EventSource, EventSource], by: tuple[str, ...]) -> None:
    near, far = sources
    groups = near.groups(WHAT_WAS_THERE, by)
    assert far.groups(WHAT_WAS_THERE, by) == groups
    assert far.groups(WHAT_WAS_THERE, by, top=2) == groups[:2]
