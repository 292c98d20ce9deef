"""GET /audit/events."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from authctl.errors import InvalidRequest, UsageError
from authctl.server.accounts.normalising import email_to_look_up
from authctl.server.accounts.trail_access import Question
from authctl.server.audit.moments import read_moment
from authctl.server.audit.neutralising import redact, shorten
from authctl.server.audit.queries import EventQuery, to_filter
from authctl.server.http.answers import Answer, json_answer
from authctl.server.http.authentication import bearer_token
from authctl.server.http.cursors import Cursor, read_cursor
from authctl.server.http.trail_models import TrailQuery, said
from authctl.server.reasons import KNOWN_REASONS
from authctl.server.storage.event_query import Position

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from authctl.server.accounts.trail_access import Page
    from authctl.server.audit.records import Group
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request
    from authctl.server.storage.event_query import EventFilter

LONGEST_WORDS: Final = 1000
"""Characters of a question that its event tells."""

_MICROSECOND: Final = timedelta(microseconds=1)
_NOT_THE_QUESTION: Final = frozenset({"cursor", "limit"})
_FIELDS: Final = {
    "event": "events",
    "user": "user",
    "ip": "ips",
    "agent": "agent",
    "reason": "reasons",
    "contains": "contains",
    "id": "ids",
}
"""Parameters whose values only the trail can judge, and what EventQuery calls them."""


async def events(request: Request, edge: Edge) -> Answer:
    """Events that fit, or with count_by how many there are of each kind; for admins."""
    trail = edge.service.trail
    asker = await trail.admit(bearer_token(request.lines(b"authorization")), request.caller)
    await edge.gate.admit_question(asker.user_id, asker.email, request.caller)
    now = edge.service.database.clock.now()
    try:
        asked = TrailQuery.read(request.scope["query_string"])
        cursor = _cursor_in(asked)
        asked_at = now if cursor is None else cursor.asked_at
        question = Question(_filter(asked, asked_at, cursor), _words(asked))
    except InvalidRequest:
        await trail.tell_unusable(asker)
        raise
    if asked.count_by:
        groups = await trail.groups(asker, question, asked.count_by, asked.top)
        return json_answer({"groups": [_group_document(group, asked.count_by) for group in groups]})
    page = await trail.events(asker, question)
    return json_answer(
        {"events": [event._asdict() for event in page.events], "next": _next_cursor(page, asked, asked_at)}
    )


def _cursor_in(asked: TrailQuery) -> Cursor | None:
    if asked.cursor is None:
        return None
    cursor = read_cursor(asked.cursor, _identity_of(asked))
    if cursor is None:
        raise InvalidRequest((("cursor", "is none of this question: ask again without it"),))
    return cursor


def _next_cursor(page: Page, asked: TrailQuery, asked_at: datetime) -> str | None:
    if not page.has_more:
        return None
    last = page.events[-1]
    return Cursor(asked_at, Position(last.created_at, last.id)).text(_identity_of(asked))


def _identity_of(asked: TrailQuery) -> bytes:
    """The question that a cursor belongs to; pages may differ in size."""
    return orjson.dumps(asked.asked_for(beside=_NOT_THE_QUESTION))


def _filter(asked: TrailQuery, asked_at: datetime, cursor: Cursor | None) -> EventFilter:
    """The filter that the parameters mean. Raises InvalidRequest with every parameter that no event can fit."""
    since, until, wrong = _span(asked, asked_at)
    if cursor is not None and asked.order == "oldest":
        # Every page is an event itself: without an end, small pages would never come to one.
        end = cursor.asked_at + _MICROSECOND
        until = end if until is None else min(until, end)
    given: dict[str, Any] = {}
    for name, member in _FIELDS.items():
        if value := _value(asked, name):
            given[member] = value
            try:
                to_filter(EventQuery(**{member: value}), KNOWN_REASONS)  # by itself, so that its name can be told
            except UsageError as error:
                wrong.append((name, said(error)))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return to_filter(
        EventQuery(
            **given,
            since=since,
            until=until,
            success=asked.success,
            only_others=asked.only_others,
            limit=asked.limit,
            order=asked.order,
            after=None if cursor is None else cursor.position,
        ),
        KNOWN_REASONS,
    )


def _value(asked: TrailQuery, name: str) -> Any:
    value = getattr(asked, name)
    # A plus sign that nobody escaped came as a space, which no address has.
    return email_to_look_up(value.replace(" ", "+")) if name == "user" and value else value


def _span(asked: TrailQuery, asked_at: datetime) -> tuple[datetime | None, datetime | None, list[tuple[str, str]]]:
    moments: dict[str, datetime | None] = {"since": None, "until": None}
    wrong: list[tuple[str, str]] = []
    for name in moments:
        text: str | None = getattr(asked, name)
        if text is not None:
            try:
                # Behind a time of day, a space was the plus sign of an offset that nobody escaped.
                moments[name] = read_moment(text.replace(" ", "+") if "T" in text else text, asked_at, UTC)
            except UsageError as error:
                wrong.append((name, said(error)))
    since, until = moments["since"], moments["until"]
    if since is not None and until is not None and since >= until:
        wrong.append(("until", "has to be after since: the time range is empty"))
    return since, until, wrong


def _words(asked: TrailQuery) -> str:
    """The question as its event tells it."""
    parts = [f"{name}={_spelled(value)}" for name, value in asked.asked_for(beside=frozenset({"cursor"}))]
    words = shorten(redact(" ".join(parts)), LONGEST_WORDS) or "everything"
    return f"{words} (a further page)" if asked.cursor else words


def _spelled(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _group_document(group: Group, by: Sequence[str]) -> dict[str, Any]:
    values: dict[str, object] = dict(zip(by, group.values, strict=True))
    if "success" in values:
        values["success"] = bool(values["success"])
    return {
        "values": values,
        "total": group.total,
        "failures": group.failures,
        "first": group.first,
        "last": group.last,
    }
