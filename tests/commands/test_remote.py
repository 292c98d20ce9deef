from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from authctl.commands import _remote
from authctl.commands._remote import MOST_GROUPS, RemoteSource
from authctl.errors import Refused, ServerUnreachable, UsageError
from authctl.server.storage.event_query import EventFilter, Position
from tests.commands.trail_in_memory import START, an_event

if TYPE_CHECKING:
    from authctl.server.audit.records import EventRecord

URL = "https://login.example"


def told(event: EventRecord, **changes: Any) -> dict[str, Any]:
    """An event as the service writes it."""
    return {**event._asdict(), "created_at": event.created_at.isoformat().replace("+00:00", "Z"), **changes}


class Service:
    """Answers requests with what it was given, and keeps them."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    def source(self, url: str = URL) -> RemoteSource:
        return RemoteSource(url, "a.b.c", transport=httpx2.MockTransport(self))


def pages(*numbers: int, following: str | None = None) -> dict[str, Any]:
    return {"events": [told(an_event(number)) for number in numbers], "next": following}


def listed(service: Service, wanted: EventFilter | None = None) -> list[int]:
    return [event.seq for event in service.source().events(wanted or EventFilter())]


def test_events_come_as_they_are_in_the_trail() -> None:
    event = an_event(7, reason="x", user_agent="\x1b[2J", success=False, ip_address="192.0.2.1")
    (found,) = Service({"events": [told(event)], "next": None}).source().events(EventFilter())
    assert found == event
    assert found.created_at.tzinfo is UTC


def test_the_token_goes_in_the_header_and_never_into_the_address() -> None:
    service = Service(pages())
    listed(service)
    assert service.asked[0].headers["authorization"] == "Bearer a.b.c"
    assert "a.b.c" not in str(service.asked[0].url)


def test_every_filter_is_a_parameter() -> None:
    service = Service(pages())
    wanted = EventFilter(
        ids=("01a2", "01a3"),
        event_types=("login_complete",),
        excluded_types=("checkpoint",),
        reasons=("a", "b"),
        excluded_reasons=("c",),
        user_email="jane+x@example.com",
        networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::1")),
        agent="curl & co",
        contains="ü",
        since=START,
        until=START + timedelta(microseconds=1),
        success=False,
        only_others=True,
        newest_first=False,
        limit=5,
    )
    listed(service, wanted)
    assert service.asked[0].url.path == "/audit/events"
    assert service.asked[0].url.params.multi_items() == [
        ("id", "01a2"),
        ("id", "01a3"),
        ("event", "login_complete"),
        ("event", "!checkpoint"),
        ("reason", "a"),
        ("reason", "b"),
        ("reason", "!c"),
        ("ip", "192.0.2.0/24"),
        ("ip", "2001:db8::1/128"),
        ("user", "jane+x@example.com"),
        ("agent", "curl & co"),
        ("contains", "ü"),
        ("since", "2026-06-01T12:00:00Z"),
        ("until", "2026-06-01T12:00:00.000001Z"),
        ("success", "false"),
        ("only_others", "true"),
        ("order", "oldest"),
        ("limit", "5"),
    ]


def test_pages_are_followed_until_there_is_no_next() -> None:
    service = Service(pages(1, 2, following="c1"), pages(3, following="c2"), pages(4))
    assert listed(service) == [1, 2, 3, 4]
    assert [request.url.params.get("cursor") for request in service.asked] == [None, "c1", "c2"]


def test_no_more_is_asked_for_than_the_limit() -> None:
    service = Service(pages(*range(1000), following="c1"), pages(*range(1000, 1005), following="c2"))
    assert len(listed(service, EventFilter(limit=1005))) == 1005
    assert [request.url.params["limit"] for request in service.asked] == ["1000", "5"]


@pytest.mark.parametrize(
    ("wanted", "name", "bound", "rest"),
    [
        (EventFilter(newest_first=False), "since", "2026-06-01T12:00:00Z", [3, 4]),
        (EventFilter(newest_first=True), "until", "2026-06-01T12:00:00.000001Z", [1]),
        (EventFilter(newest_first=False, since=START - timedelta(1)), "since", "2026-06-01T12:00:00Z", [3, 4]),
        (EventFilter(newest_first=True, until=START + timedelta(1)), "until", "2026-06-01T12:00:00.000001Z", [1]),
        (EventFilter(newest_first=False, limit=1), "since", "2026-06-01T12:00:00Z", [3]),
    ],
)
def test_a_position_is_a_bound_of_time(wanted: EventFilter, name: str, bound: str, rest: list[int]) -> None:
    numbers = (1, 2, 3, 4) if not wanted.newest_first else (4, 3, 2, 1)
    service = Service(pages(*numbers))
    after = Position(START, an_event(2).id)
    assert listed(service, replace(wanted, after=after)) == rest
    assert service.asked[0].url.params[name] == bound


def group(**values: Any) -> dict[str, Any]:
    return {
        "values": values,
        "total": 3,
        "failures": 1,
        "first": "2026-06-01T12:00:00Z",
        "last": "2026-06-01T13:00:00.5Z",
    }


def test_groups_are_counted_by_the_service() -> None:
    service = Service({"groups": [group(user_email="a@b.cd", success=True)]})
    (found,) = service.source().groups(EventFilter(limit=7), ("user_email", "success"), top=5)
    assert (found.values, found.total, found.failures) == (("a@b.cd", True), 3, 1)
    assert found.last - found.first == timedelta(hours=1, milliseconds=500)
    assert service.asked[0].url.params.multi_items() == [("count_by", "user_email,success"), ("top", "5")]


def test_groups_are_not_taken_for_all_when_there_may_be_more() -> None:
    service = Service({"groups": [group(hour="x")] * MOST_GROUPS})
    with pytest.raises(UsageError, match="at most 10000 groups"):
        service.source().groups(EventFilter(), ("hour",))


def test_a_service_counts_by_something() -> None:
    with pytest.raises(UsageError):
        Service().source().groups(EventFilter(), ())


@pytest.mark.parametrize(
    ("wanted", "by", "text"),
    [
        (EventFilter(), (), f"GET {URL}/audit/events"),
        (EventFilter(agent="a b", newest_first=False), (), f"GET {URL}/audit/events?agent=a+b&order=oldest"),
        (
            EventFilter(success=True),
            ("day", "user_email"),
            f"GET {URL}/audit/events?success=true&count_by=day%2Cuser_email",
        ),
    ],
)
def test_a_question_is_described_as_the_request(wanted: EventFilter, by: tuple[str, ...], text: str) -> None:
    assert Service().source().describe(wanted, by) == text


def problem(status: int, **members: Any) -> httpx2.Response:
    return httpx2.Response(status, json={"detail": "Because.", **members})


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (problem(401), Refused, "does not take the token: Because."),
        (problem(403), Refused, "not an admin's: Because."),
        (problem(404), ServerUnreachable, "has no /audit/events"),
        (problem(503), ServerUnreachable, r"cannot answer \(status 503\): Because."),
        (problem(422, errors=[{"field": "ip", "message": "is none"}, 7]), UsageError, "Because.; ip is none"),
        (problem(422, errors=None), UsageError, "The service says: Because.$"),
        (
            httpx2.Response(302, headers={"location": "https://sso.example/"}),
            ServerUnreachable,
            "elsewhere: https://sso",
        ),
        (httpx2.Response(200, html="<p>hello"), ServerUnreachable, r"answers with text/html \(status 200\)"),
        (httpx2.Response(200, text="{", headers={"content-type": ""}), ServerUnreachable, "does not speak as"),
        (httpx2.Response(200, json=[]), ServerUnreachable, "JSON of another shape"),
        (httpx2.Response(200, json={}), ServerUnreachable, "answers in another form"),
        ({"events": [1], "next": None}, ServerUnreachable, "answers in another form"),
        ({"events": [told(an_event(1), seq="1")], "next": None}, ServerUnreachable, "another form"),
        ({"events": [told(an_event(1), id=None)], "next": None}, ServerUnreachable, "another form"),
        ({"events": [told(an_event(1), success=1)], "next": None}, ServerUnreachable, "another form"),
        ({"events": [told(an_event(1), created_at="soon")], "next": None}, ServerUnreachable, "another form"),
        (httpx2.ConnectError("refused"), ServerUnreachable, r"Nothing answers at .* \(refused\)"),
        (httpx2.ReadTimeout("slow"), ServerUnreachable, "did not answer within 30 seconds"),
        (httpx2.DecodingError("gzip"), ServerUnreachable, "garbled"),
        (httpx2.RemoteProtocolError("no HTTP"), ServerUnreachable, "closed the connection"),
    ],
    ids=str,
)
def test_whatever_else_answers_is_one_clear_line(answer: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        listed(Service(answer))


def test_groups_of_another_form_are_refused() -> None:
    with pytest.raises(ServerUnreachable, match="another form"):
        Service({"groups": [group(hour=["x"])]}).source().groups(EventFilter(), ("hour",), top=3)


def test_an_answer_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_remote, "LARGEST_ANSWER", 100)
    with pytest.raises(ServerUnreachable, match="too large"):
        listed(Service(httpx2.Response(200, content=b"x" * 101)))


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_remote, "SECONDS", -1.0)
    with pytest.raises(ServerUnreachable, match="did not answer within"):
        listed(Service(httpx2.Response(200, content=b"x")))


def test_a_service_that_is_asked_too_often_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    busy = httpx2.Response(429, json={"detail": "Too many"}, headers={"retry-after": "900"})
    silent = httpx2.Response(429, json={"detail": "Too many"})
    assert listed(Service(busy, silent, pages(1))) == [1]
    assert slept == [60, 1]
    assert capsys.readouterr().err.splitlines()[0] == "The service asks to wait 60 s."
    with pytest.raises(Refused, match="asked too often"):
        listed(Service(*[silent] * 4))


@pytest.mark.parametrize("url", ["http://login.example", "http://192.0.2.1:8000", "http://localhost.example"])
def test_a_token_is_not_sent_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError, match="not encrypted") as raised:
        RemoteSource(url, "a.b.c")
    assert raised.value.hint is not None
    assert "ssh -L" in raised.value.hint


@pytest.mark.parametrize("url", ["ftp://a", "login.example", "https://user@host", "https://host/?a=b"])
def test_what_is_no_address_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="not the address of a server"):
        RemoteSource(url, "a.b.c")


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "https://a.example/x"]
)
def test_this_machine_and_encrypted_places_are_asked(url: str) -> None:
    service = Service(pages(1))
    source = service.source(url)
    assert [event.seq for event in source.events(EventFilter())] == [1]
    source.close()
    assert str(service.asked[0].url).startswith(f"{url}/audit/events")


def test_times_are_read_whatever_their_offset() -> None:
    event = told(an_event(1), created_at="2026-06-01T14:00:00+02:00")
    (found,) = Service({"events": [event], "next": None}).source().events(EventFilter())
    assert found.created_at == datetime(2026, 6, 1, 12, tzinfo=UTC)
