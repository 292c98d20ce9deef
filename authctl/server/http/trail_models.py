"""The shapes of GET /audit/events: the question in the query of its target, and the two kinds of answers."""

from __future__ import annotations

import difflib
from datetime import datetime  # noqa: TC003  pydantic reads annotations at run time
from typing import Annotated, Any, Final, Literal, Self, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from authctl.errors import InvalidRequest, UsageError
from authctl.server.audit.events import EventType
from authctl.server.audit.queries import to_columns
from authctl.server.http.models import AnswerBody, complaints
from authctl.server.http.query_string import LONGEST_VALUE, read_query
from authctl.server.storage.event_query import GROUP_COLUMNS

MOST_EVENTS: Final = 1000
MOST_GROUPS: Final = 10_000
USUAL: Final = 100
MOST_COLUMNS: Final = 4
MOST_IDS: Final = 100

_FLAGS: Final = {"true": True, "false": False}
_TYPES: Final = [mark + event_type for mark in ("", "!") for event_type in sorted(EventType)]


def _flag(value: object) -> object:
    if value in _FLAGS:
        return _FLAGS[str(value)]
    raise PydanticCustomError("flag", "Input should be true or false")


def _number(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("number", "Input should be a whole number")
    return value


def _columns(names: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return to_columns(names)
    except UsageError as error:
        raise PydanticCustomError("column", "{message}", {"message": said(error)}) from error


Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]
Several = tuple[Text, ...]
Columns = Annotated[
    tuple[str, ...],
    Field(max_length=MOST_COLUMNS),
    AfterValidator(_columns),
    WithJsonSchema(
        {"type": "array", "items": {"type": "string", "enum": list(GROUP_COLUMNS)}, "maxItems": MOST_COLUMNS}
    ),
]


class TrailQuery(BaseModel):
    """A question to the trail. Whatever takes several values may be repeated, or hold them comma separated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    event: Annotated[Several, WithJsonSchema({"type": "array", "items": {"type": "string", "enum": _TYPES}})] = Field(
        default=(), description="types of events, any of them; with ! in front, none of them"
    )
    user: Text | None = Field(default=None, description="an e-mail; or a user's id: acting, concerned or looked at")
    ip: Several = Field(default=(), description="addresses or networks, any of them: 192.0.2.0/24, 2001:db8::1")
    agent: Text | None = Field(default=None, description="text in the user agent")
    reason: Several = Field(default=(), description="reasons, any of them; with ! in front, none of them")
    contains: Text | None = Field(
        default=None, description="text in e-mail, details, reason, user agent, address, actor or an id"
    )
    since: Text | None = Field(default=None, description="ISO 8601, UTC without an offset; or a span such as 24h")
    until: Text | None = Field(default=None, description="like since, and exclusive")
    success: Flag | None = Field(default=None, description="only what succeeded, or only what failed")
    only_others: Flag = Field(default=False, description="only looks at other people's records")
    id: Annotated[Several, Field(max_length=MOST_IDS)] = Field(default=(), description="ids of events, any of them")
    order: Literal["newest", "oldest"] = Field(default="newest", description="which come first")
    limit: Annotated[int, Field(ge=1, le=MOST_EVENTS), BeforeValidator(_number)] = Field(
        default=USUAL, description="events on one page"
    )
    cursor: Text | None = Field(
        default=None, description="next of the page before, with the same other parameters but for limit"
    )
    count_by: Columns = Field(
        default=(), description="answer with groups of events that agree in these columns, the largest first"
    )
    top: Annotated[int, Field(ge=1, le=MOST_GROUPS), BeforeValidator(_number)] = Field(
        default=USUAL, description="with count_by: how many groups"
    )

    @classmethod
    def read(cls, query: bytes) -> Self:
        """The question in a query string. Raises InvalidRequest with every parameter that is wrong."""
        given = read_query(query)
        values = {name: _value(name, texts) for name, texts in given.items() if name in _NAMES}
        wrong = [*_strangers(given), *_repeated(given)]
        wrong += [(name, "is empty") for name, value in values.items() if value == ()]
        try:
            asked = cls.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest((*wrong, *complaints(error, depth=1))) from error
        wrong += asked.contradictions()
        if wrong:
            raise InvalidRequest(tuple(wrong))
        return asked

    def contradictions(self) -> list[tuple[str, str]]:
        """Parameters that mean nothing beside the others."""
        given = self.model_fields_set
        if not self.count_by:
            return [("top", "means nothing without count_by")] if "top" in given else []
        return [(name, "means nothing with count_by") for name in ("order", "limit", "cursor") if name in given]

    def asked_for(self, *, beside: frozenset[str] = frozenset()) -> list[tuple[str, Any]]:
        """The parameters that were given, but those named, in the order of the description."""
        given = self.model_fields_set - beside
        return [(name, getattr(self, name)) for name in _NAMES if name in given]


_NAMES: Final = tuple(TrailQuery.model_fields)
_REPEATABLE: Final = frozenset(
    name for name, field in TrailQuery.model_fields.items() if get_origin(field.annotation) is tuple
)


class TrailEvent(AnswerBody):
    """An event, without the bytes of its chain."""

    id: str
    created_at: datetime
    event_type: str
    success: bool
    reason: str | None
    user_email: str | None
    user_id: str | None
    actor: str | None
    target_user_id: str | None
    ip_address: str | None
    peer_address: str | None
    user_agent: str | None
    request_id: str | None
    details: str | None
    writer_id: str
    seq: int


class EventPage(AnswerBody):
    """Events in the order asked for. `next` is the cursor of the next page; null when nothing is left now."""

    events: list[TrailEvent]
    next: str | None


class EventGroup(AnswerBody):
    """Events that agree in `values`; `failures` is how many of `total` had no success."""

    values: dict[str, str | bool | int | None]
    total: int
    failures: int
    first: datetime
    last: datetime


class EventGroups(AnswerBody):
    """The largest groups, equal ones in the order of their values."""

    groups: list[EventGroup]


class TrailAnswer(RootModel[EventPage | EventGroups]):
    """A page of events; with `count_by`, groups."""


def said(error: UsageError) -> str:
    """What is wrong with a value, and the way out."""
    return f"{error.detail}; {error.hint}" if error.hint else error.detail


def _strangers(given: dict[str, list[str]]) -> list[tuple[str, str]]:
    found = []
    for name in given:
        if name not in _NAMES:
            near = difflib.get_close_matches(name.lower(), _NAMES, n=1)
            way_out = f"did you mean {near[0]}?" if near else f"one of {', '.join(_NAMES)}"
            found.append((name[:64], f"is not known; {way_out}"))
    return found


def _repeated(given: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [
        (name, "was given more than once")
        for name, values in given.items()
        if name in _NAMES and name not in _REPEATABLE and len(values) > 1
    ]


def _value(name: str, values: list[str]) -> object:
    if name not in _REPEATABLE:
        return values[0]
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
