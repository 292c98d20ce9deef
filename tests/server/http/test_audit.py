"""GET /audit/events: what may be asked, what is answered, and what is left of either."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit.events import Caller
from authctl.server.audit.records import EventRecord
from authctl.server.http.query_string import LONGEST_VALUE
from authctl.server.http.trail_models import MOST_EVENTS, MOST_GROUPS, MOST_IDS
from tests.server.http.conftest import Api, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from authctl.clock import FixedClock

ADMIN = "admin@example.com"
JANE = "jane@example.com"
OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")


class Asker:
    """An admin of an application, logged in."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.id: str = api.register(ADMIN)["id"]
        asyncio.run(api.service.roles.promote(ADMIN, OPERATOR))
        self.token: str = api.log_in(ADMIN)["access_token"]

    def ask(self, query: str = "") -> httpx2.Response:
        """The answer to a question."""
        return self.api.get(f"/audit/events?{query}" if query else "/audit/events", self.token)

    def events(self, query: str = "") -> list[dict[str, Any]]:
        """The events that fit."""
        answer = self.ask(query)
        assert answer.status_code == 200, answer.text
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def types(self, query: str) -> list[str]:
        """Their types."""
        return [event["event_type"] for event in self.events(query)]

    def complaints(self, query: str) -> dict[str, str]:
        """What is wrong with a question, by parameter."""
        answer = self.ask(query)
        assert answer.status_code == 422, answer.text
        document = problem_of(answer)
        assert document["title"] == "Unprocessable content"
        return {error["field"]: error["message"] for error in document["errors"]}

    def told(self) -> EventRecord:
        """The newest event."""
        return self.api.rows()[-1]


@pytest.fixture
def asker(api: Api) -> Asker:
    return Asker(api)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One asker for questions that are refused."""
    from authctl.server.app import create_app
    from authctl.server.assembly import open_service
    from authctl.settings import load_settings

    settings = load_settings(
        environ={}, cwd=tmp_path_factory.mktemp("asked"), authenticator_attachment="any", rate_limits=False
    )
    service = open_service(settings)
    yield Asker(Api(service, create_app(service)))
    service.close()


def test_an_event_is_answered_with_its_members_and_no_other(asker: Asker) -> None:
    """R-AZ-06: nothing of the chain's own bytes."""
    answer = asker.ask("event=login_complete")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json()["next"] is None
    (event,) = answer.json()["events"]
    (row,) = (row for row in asker.api.rows() if row.event_type == "login_complete")
    assert tuple(event) == EventRecord._fields
    assert event == {**row._asdict(), "created_at": "2026-01-01T00:00:00Z"}
    assert (event["success"], event["user_email"], event["ip_address"]) == (True, ADMIN, asker.api.peer)


def test_groups_are_answered_with_their_values_and_outcomes(asker: Asker, clock: FixedClock) -> None:
    clock.advance(0.25)
    asker.api.get("/users/me", "no-token")
    answer = asker.ask("count_by=event_type,success&count_by=reason&event=token_rejected,role_change&top=1")
    (group,) = answer.json()["groups"]
    assert group == {
        "values": {"event_type": "role_change", "success": True, "reason": None},
        "total": 1,
        "failures": 0,
        "first": "2026-01-01T00:00:00Z",
        "last": "2026-01-01T00:00:00Z",
    }
    groups = asker.ask("count_by=success&event=token_rejected").json()["groups"]
    assert [(group["values"], group["total"], group["failures"]) for group in groups] == [({"success": False}, 1, 1)]
    assert groups[0]["first"] == groups[0]["last"] == "2026-01-01T00:00:00.250000Z"


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("event=login_complete,login_begin&order=oldest", ["login_begin", "login_complete"]),
        ("event=login_complete&event=login_begin", ["login_complete", "login_begin"]),
        (
            "event=!login_complete,!login_begin,!role_change&order=oldest",
            ["registration_begin", "registration_complete"],
        ),
        ("event=role%5Fchange", ["role_change"]),
        ("reason=unknown_user", []),
        ("user=ADMIN%40Example.com&event=login_begin", ["login_begin"]),
        ("ip=192.0.2.0/24&event=login_begin", ["login_begin"]),
        ("ip=::ffff:192.0.2.1&event=login_begin", ["login_begin"]),
        ("ip=198.51.100.1,2001:db8::/32", []),
        ("agent=PYTHON-HTTPX2&event=login_begin", ["login_begin"]),
        ("contains=from+user+to+admin", ["role_change"]),
        ("contains=%25", []),
        ("since=1h&until=2026-01-02&event=login_begin", ["login_begin"]),
        ("since=2026-01-01T00:00:00.000001", []),
        ("since=2026-01-01T00:30:00+01:00&event=role_change", ["role_change"]),
        ("until=2026-01-01", []),
        ("success=true&event=role_change", ["role_change"]),
        ("success=false", []),
        ("only_others=true", []),
        ("only_others=false&event=role_change", ["role_change"]),
        ("limit=1&event=role_change", ["role_change"]),
    ],
)
def test_each_parameter_chooses_events(asker: Asker, query: str, types: list[str]) -> None:
    """R-IN-08: whatever a value holds is data."""
    assert sorted(asker.types(query)) == sorted(types)  # within a moment, the order is that of their ids


def test_events_are_found_by_their_ids_and_by_a_users_id(asker: Asker) -> None:
    rows = asker.api.rows()
    wanted = {row.id for row in rows[1:3]}
    assert {event["id"] for event in asker.events("id=" + ",".join(wanted))} == wanted
    assert {event["id"] for event in asker.events("&".join(f"id={one}" for one in wanted))} == wanted
    assert set(asker.types(f"user={asker.id.upper()}&event=!audit_query")) == {
        "registration_complete", "role_change", "login_begin", "login_complete"
    }  # fmt: skip


def test_an_email_with_a_plus_sign_is_found_when_nobody_escaped_it(asker: Asker) -> None:
    asker.api.post("/login/begin", {"email": "jane+news@example.com"})
    for spelled in ("jane+news@example.com", "jane%2Bnews%40example.com"):
        assert asker.types(f"user={spelled}&event=login_begin") == ["login_begin"]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("evnt=x", "evnt", "is not known; did you mean event?"),
        ("EVENT=x", "EVENT", "is not known; did you mean event?"),
        ("q=1", "q", "is not known; one of event, user, ip, "),
        ("role=admin", "role", "is not known; "),
        ("event=login_complet", "event", "There is no event type login_complet; did you mean login_complete?"),
        ("event=login_begin,!login_begin", "event", "login_begin is both asked for and left out"),
        ("event=,", "event", "is empty"),
        ("event=", "event", "is empty"),
        ("user=a&user=b", "user", "was given more than once"),
        ("user=", "user", "is empty"),
        ("ip=192.0.2.1/8", "ip", "192.0.2.1/8 is no IP address or network; did you mean 192.0.0.0/8 or 192.0.2.1?"),
        ("ip=localhost", "ip", "localhost is no IP address or network; such as "),
        ("reason=unknown_usr", "reason", "There is no reason unknown_usr; did you mean unknown_user?"),
        ("reason=!", "reason", "A reason has to be named"),
        ("since=yesterday", "since", "yesterday: that is not a time; write a span back from now (30m, 24h"),
        ("until=9999999w", "until", "9999999w: that is not a time"),
        ("since=999999w", "since", "999999w: that is before the calendar begins"),
        ("since=2026-01-02&until=2026-01-01", "until", "has to be after since: the time range is empty"),
        ("since=1h&until=1h", "until", "has to be after since: the time range is empty"),
        ("success=yes", "success", "Input should be true or false"),
        ("success=", "success", "is empty"),
        ("only_others=1", "only_others", "Input should be true or false"),
        ("order=random", "order", "Input should be 'newest' or 'oldest'"),
        ("limit=0", "limit", "Input should be greater than or equal to 1"),
        (f"limit={MOST_EVENTS + 1}", "limit", f"Input should be less than or equal to {MOST_EVENTS}"),
        ("limit=1_0", "limit", "Input should be a whole number"),
        ("limit=1e2", "limit", "Input should be a whole number"),
        ("limit=-1", "limit", "Input should be a whole number"),
        ("limit=%D9%A1", "limit", "Input should be a whole number"),
        ("limit=" + "9" * 400, "limit", "Input should be "),
        ("limit=5&limit=5", "limit", "was given more than once"),
        ("id=" + ",".join(map(str, range(MOST_IDS + 1))), "id", f"Tuple should have at most {MOST_IDS} items"),
        ("count_by=username", "count_by", "Events cannot be counted by username; did you mean user"),
        ("count_by=mac", "count_by", "Events cannot be counted by mac; "),
        ("count_by=id;drop", "count_by", "Events cannot be counted by id;drop; "),
        ("count_by=reason,actor,day,user_id,hour", "count_by", "Tuple should have at most 4 items"),
        ("count_by=reason&limit=5", "limit", "means nothing with count_by"),
        ("count_by=reason&order=oldest", "order", "means nothing with count_by"),
        ("count_by=reason&cursor=x", "cursor", "means nothing with count_by"),
        (f"count_by=reason&top={MOST_GROUPS + 1}", "top", f"Input should be less than or equal to {MOST_GROUPS}"),
        ("top=5", "top", "means nothing without count_by"),
        ("cursor=x", "cursor", "is none of this question: ask again without it"),
        ("contains=%ff", "contains", "is not UTF-8"),
        ("contains=%00", "contains", "has a NUL"),
        ("agent=" + "x" * (LONGEST_VALUE + 1), "agent", f"is longer than {LONGEST_VALUE} characters"),
        ("agent=50%", "agent", "has a percent sign that begins no escape: write %25"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_by_name(shared: Asker, query: str, field: str, message: str) -> None:
    """R-IN-04, R-IN-08: never a 500, and never an answer to another question than the one that was meant."""
    complaints = shared.complaints(query)
    assert list(complaints) == [field]
    assert complaints[field].startswith(message)


def test_everything_that_is_wrong_is_said_at_once(shared: Asker) -> None:
    complaints = shared.complaints("evnt=x&success=maybe&user=a&user=b")
    assert set(complaints) == {"evnt", "success", "user"}
    complaints = shared.complaints("event=x&ip=y&since=z")
    assert set(complaints) == {"event", "ip", "since"}


def test_a_refused_question_leaves_an_event_that_repeats_nothing_of_it(asker: Asker) -> None:
    asker.complaints("evnt=hello-there")
    told = asker.told()
    assert (told.event_type, told.success, told.reason) == ("audit_query", False, "invalid_request")
    assert (told.user_email, told.user_id, told.actor) == (ADMIN, asker.id, asker.id)
    assert told.details == (
        "Question to the audit trail by Jane Doe (role: admin) from IP: 192.0.2.1 refused: invalid request"
    )


def test_an_answer_leaves_an_event_with_its_question_and_its_size(asker: Asker) -> None:
    """R-LG-10."""
    asker.events("event=login_complete,login_begin&success=true&limit=1&contains=two+words&since=2h")
    told = asker.told()
    assert (told.event_type, told.success, told.reason, told.target_user_id) == ("audit_query", True, None, None)
    assert (told.user_email, told.user_id, told.actor) == (ADMIN, asker.id, asker.id)
    assert told.details == (
        "Audit trail read by Jane Doe (role: admin) from IP: 192.0.2.1: 0 events for "
        "event=login_complete,login_begin contains=two words since=2h success=true limit=1"
    )
    asker.events("limit=1")
    assert (asker.told().details or "").endswith(": 1 event for limit=1")
    asker.ask("count_by=reason,success")
    assert (asker.told().details or "").endswith(": 1 group for count_by=reason,success")
    asker.ask()
    assert (asker.told().details or "").endswith(" events for everything")


def test_the_event_is_one_about_the_person_whom_the_question_names(asker: Asker) -> None:
    """An erasure of that person finds it, for its sentence names them."""
    jane = asker.api.register(JANE)
    for named in (JANE, jane["id"]):
        asker.events(f"user={named}")
        assert asker.told().target_user_id == jane["id"]
    asker.events("user=nobody@example.com")
    assert asker.told().target_user_id is None


def test_what_the_event_tells_of_a_question_is_bounded_and_holds_no_secret(asker: Asker) -> None:
    """R-LG-05."""
    asker.events(f"contains={asker.token[:LONGEST_VALUE]}")
    assert (asker.told().details or "").endswith("for contains=[redacted]")
    asker.events("&".join(f"reason={'x' * 400}{number}" for number in range(20)))
    details = asker.told().details or ""
    assert len(details) < 1200
    assert details.endswith("…")


def test_every_event_is_met_once_when_pages_are_turned(asker: Asker, clock: FixedClock) -> None:
    for number in range(7):
        clock.advance(number % 2)
        asker.api.post("/login/begin", {"email": f"p{number}@example.com"})
    clock.advance(1)
    everything = [row.id for row in asker.api.rows()]
    for order, expected in (("newest", everything[::-1]), ("oldest", everything)):
        query = f"order={order}&event=!audit_query"
        met = turn_pages(asker, query, sizes=[3, 1, 5, 100])
        assert met == sorted(expected, key=met.index)
        assert len(met) == len(expected)


def turn_pages(asker: Asker, query: str, sizes: list[int]) -> list[str]:
    """The ids of all events, page after page of these sizes."""
    met: list[str] = []
    cursor = ""
    for size in sizes:
        page = asker.ask(f"{query}&limit={size}{cursor}").json()
        met += [event["id"] for event in page["events"]]
        if page["next"] is None:
            return met
        cursor = f"&cursor={page['next']}"
    raise AssertionError("the pages have no end")


def test_a_listing_ends_with_what_was_there_when_it_began(asker: Asker, clock: FixedClock) -> None:
    """Each page is an event itself: with pages of one, the listing would run ahead of its reader for ever."""
    clock.advance(1)
    count = len(asker.api.rows())
    page = asker.ask("order=oldest&limit=1").json()
    met = 1
    while page["next"]:
        clock.advance(1)
        page = asker.ask(f"order=oldest&limit=1&cursor={page['next']}").json()
        met += 1
        assert met <= count + 2
    assert met in (count, count + 1)


def test_a_span_reaches_back_from_the_first_page(asker: Asker, clock: FixedClock) -> None:
    clock.advance(500)
    page = asker.ask("since=10m&limit=2&event=!audit_query").json()
    clock.advance(500)
    later = asker.ask(f"since=10m&limit=100&event=!audit_query&cursor={page['next']}").json()
    assert later["next"] is None
    assert len(later["events"]) == len(asker.api.rows()) - 2 - 2  # of this listing, and the events of its two pages
    assert asker.events("since=10m&event=!audit_query") == []
    assert "(a further page)" in (asker.api.rows()[-2].details or "")


def test_a_cursor_is_refused_in_another_question(asker: Asker) -> None:
    cursor = asker.ask("limit=1").json()["next"]
    assert asker.ask(f"limit=2&cursor={cursor}").status_code == 200
    for query in (f"success=true&cursor={cursor}", f"order=oldest&cursor={cursor}", f"cursor={cursor}x"):
        assert asker.complaints(query) == {"cursor": "is none of this question: ask again without it"}


def test_head_is_answered_like_get_without_a_body(asker: Asker) -> None:
    headers = {"authorization": f"Bearer {asker.token}"}
    answer = asker.api.call("HEAD", "/audit/events", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 100
    assert asker.told().event_type == "audit_query"


def test_an_admin_who_asks_too_often_is_told_when_to_come_back(make_api: Callable[..., Api], clock: FixedClock) -> None:
    """R-RL-01, R-RL-08: by admin, from wherever they ask; a flood leaves two events and a count."""
    asker = Asker(make_api(rate_limits=True, rate_limit_questions_per_admin_per_minute=2))
    assert [asker.ask().status_code for _ in range(2)] == [200, 200]
    asker.api.peer = "198.51.100.1"
    clock.advance(15)
    answer = asker.ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "45")
    asker.ask()
    alarms = [(row.event_type, row.reason, row.user_email) for row in asker.api.rows() if row.reason == "rate_limited"]
    assert alarms == [("audit_query", "rate_limited", ADMIN), ("rate_limited", "rate_limited", ADMIN)]
    clock.advance(45)
    assert asker.ask().status_code == 200


def test_a_flood_without_a_usable_token_is_counted_and_not_written_down_one_by_one(api: Api) -> None:
    """R-RL-08: together with the other routes that want a token."""
    for _ in range(15):
        assert api.get("/audit/events", "nonsense").status_code == 401
        assert api.get("/users/me", "nonsense").status_code == 401
    assert len(api.rows()) == 20
    asyncio.run(api.service.users.tell_floods(everything=True))
    assert (api.rows()[-1].details or "").startswith("10 more requests without a usable token")
