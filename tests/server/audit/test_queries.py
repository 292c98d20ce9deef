"""What a person asks becomes one filter, or one line that says which word is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from authctl.errors import UsageError
from authctl.server.audit.events import EventType
from authctl.server.audit.queries import MOST_VALUES, EventQuery, to_columns, to_filter, to_network
from authctl.server.reasons import KNOWN_REASONS
from authctl.server.storage.event_query import GROUP_COLUMNS, EventFilter, Position

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ID = "019a1b2c-7d4e-7a10-9c3f-5b6d7e8f9a0b"
USER = "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (EventQuery(), EventFilter()),
        (EventQuery(ids=(ID.upper(), "019a")), EventFilter(ids=(ID, "019a"))),
        (
            EventQuery(events=("login_begin", "!checkpoint", "login_begin")),
            EventFilter(event_types=("login_begin",), excluded_types=("checkpoint",)),
        ),
        (EventQuery(user="ann@example.com"), EventFilter(user_email="ann@example.com")),
        (EventQuery(user=USER.upper()), EventFilter(user_id=USER)),
        (
            EventQuery(reasons=("signature_invalid", "!a_new_reason")),
            EventFilter(reasons=("signature_invalid",), excluded_reasons=("a_new_reason",)),
        ),
        (EventQuery(agent="curl", contains="it's"), EventFilter(agent="curl", contains="it's")),
        (EventQuery(contains="a\x1b[b"), EventFilter(contains=r"a\u001b[b")),
        (EventQuery(contains=r"a\u001b[b"), EventFilter(contains=r"a\u001b[b")),
        (EventQuery(user="a\0@b"), EventFilter(user_email=r"a\u0000@b")),
        (EventQuery(reasons=("a\u202eb",)), EventFilter(reasons=(r"a\u202eb",))),
        (EventQuery(since=NOW, until=NOW + timedelta(1)), EventFilter(since=NOW, until=NOW + timedelta(1))),
        (EventQuery(success=False, only_others=True), EventFilter(success=False, only_others=True)),
        (EventQuery(order="oldest", limit=5), EventFilter(newest_first=False, limit=5)),
        (EventQuery(after=Position(NOW, ID)), EventFilter(after=Position(NOW, ID))),
        (
            EventQuery(ips=("192.0.2.1", "192.0.2.0/24", "192.0.2.1/32")),
            EventFilter(networks=(ip_network("192.0.2.1/32"), ip_network("192.0.2.0/24"))),
        ),
    ],
)
def test_a_question_becomes_a_filter(query: EventQuery, wanted: EventFilter) -> None:
    assert to_filter(query, KNOWN_REASONS) == wanted


@pytest.mark.parametrize(
    ("query", "detail", "hint"),
    [
        ({"events": ("login_complet",)}, "There is no event type login_complet", "did you mean login_complete?"),
        ({"events": ("!checkpont",)}, "There is no event type checkpont", "did you mean checkpoint?"),
        ({"events": ("LOGIN_BEGIN",)}, "There is no event type LOGIN_BEGIN", "did you mean login_begin?"),
        ({"events": ("zzz",)}, "There is no event type zzz", "one of registration_begin"),
        ({"events": ("login_begin", "!login_begin")}, "login_begin is both asked for and left out", None),
        ({"reasons": ("signature_invald",)}, "There is no reason signature_invald", "did you mean signature_invalid?"),
        ({"reasons": ("!Unknown_User",)}, "There is no reason Unknown_User", "did you mean unknown_user?"),
        ({"reasons": ("!",)}, "A reason has to be named", None),
        ({"ips": ("localhost",)}, "localhost is no IP address or network", "such as 192.0.2.1"),
        ({"ips": ("192.0.2.1/24",)}, "192.0.2.1/24 is no IP address or network", "192.0.2.0/24 or 192.0.2.1?"),
        ({"ips": ("2001:db8::1/32",)}, "2001:db8::1/32 is no IP address or network", "2001:db8::/32 or 2001:db8::1?"),
        ({"ips": ("192.0.2.0/33",)}, "192.0.2.0/33 is no IP address or network", "such as"),
        ({"ips": ("",)}, " is no IP address or network", "such as"),
        ({"limit": 0}, "The limit has to be at least 1", None),
        ({"since": NOW, "until": NOW}, "The time range is empty", "--since has to be before --until"),
        ({"contains": ""}, "The text for contains is empty", None),
        ({"agent": ""}, "The text for agent is empty", None),
        ({"user": ""}, "The text for user is empty", None),
        ({"ids": ("%",)}, "% is no id of an event", "such as"),
        ({"ids": ("0",) * (MOST_VALUES + 1)}, f"At most {MOST_VALUES} ids can be asked for at once", None),
        ({"ips": ("::1",) * (MOST_VALUES + 1)}, f"At most {MOST_VALUES} ips can be asked for at once", None),
    ],
)
def test_a_question_is_refused_when_no_event_could_answer_it(
    query: dict[str, Any], detail: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        to_filter(EventQuery(**query), KNOWN_REASONS)
    assert caught.value.detail == detail
    assert (hint or "") in str(caught.value.hint)


def test_a_reason_that_resembles_none_may_be_a_new_one() -> None:
    assert to_filter(EventQuery(reasons=("made_elsewhere",)), KNOWN_REASONS).reasons == ("made_elsewhere",)
    assert to_filter(EventQuery(reasons=("signature_invald",))).reasons == ("signature_invald",)


@pytest.mark.parametrize("name", EventType)
def test_every_event_type_can_be_asked_for_and_left_out(name: str) -> None:
    assert to_filter(EventQuery(events=(name,))).event_types == (name,)
    assert to_filter(EventQuery(events=(f"!{name}",))).excluded_types == (name,)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        (" 192.0.2.1 ", "192.0.2.1/32"),
        ("2001:DB8:0:0::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("::/0", "::/0"),
        ("::1:0/112", "::1:0/112"),
    ],
)
def test_an_address_is_understood_in_any_spelling(text: str, network: str) -> None:
    assert to_network(text) == ip_network(network)


def test_columns_are_known_and_counted_once() -> None:
    assert to_columns(("day", "event_type", "day")) == ("day", "event_type")
    assert to_columns(GROUP_COLUMNS) == GROUP_COLUMNS


@pytest.mark.parametrize(
    ("name", "hint"),
    [("user_mail", "did you mean user_email?"), ("Day", "did you mean day?"), ("zz", "one of event_type")],
)
def test_an_unknown_column_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="cannot be counted by") as caught:
        to_columns((name,))
    assert hint in str(caught.value.hint)


def test_the_known_reasons_are_those_of_every_feature() -> None:
    assert {"signature_invalid", "token_expired", "access_denied", "invalid_request"} < KNOWN_REASONS
