"""Everything that the trail holds about one person: as the one who acts, the one concerned and the one looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from authctl.server.audit.records import Group
from authctl.server.audit.sources import JoinedSource, merge_groups
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authctl.commands._people import People
    from authctl.server.audit.records import EventRecord, EventSource, Value


@dataclass(frozen=True, slots=True)
class Subject:
    """A person in the trail.

    ids          every id under which the e-mail has or had an account
    has_account  now, as far as the database here can tell
    is_known     whether there is an account, or any event
    """

    email: str | None
    ids: tuple[str, ...]
    has_account: bool
    is_known: bool


def find_subject(wanted: EventFilter, source: EventSource, people: People) -> Subject:
    """The person that `wanted` names by e-mail or id, whether the account still exists or not."""
    if wanted.user_email is not None:
        email = wanted.user_email
        account = people.id_of(email)
        named = source.groups(EventFilter(user_email=email), ("user_id",))
        former = (str(group.values[0]) for group in named if group.values[0] is not None)
        ids = tuple(dict.fromkeys((*([account] if account else []), *former)))
        return Subject(email, ids, account is not None, account is not None or bool(named))
    user_id = str(wanted.user_id)
    present = people.emails([user_id]).get(user_id)
    named = source.groups(EventFilter(user_id=user_id), ("user_id", "user_email"))
    emails = [str(group.values[1]) for group in named if group.values[0] == user_id and group.values[1] is not None]
    email_or_none = present or (emails[0] if emails else None)
    return Subject(email_or_none, (user_id,), present is not None, present is not None or bool(named))


def events_about(subject: Subject, source: EventSource) -> EventSource:
    """The events of a source that are about a person, each once."""
    pinned: list[EventSource] = [] if subject.email is None else [_Pinned(source, {"user_email": subject.email})]
    return _About([*pinned, *(_Pinned(source, {"user_id": user_id}) for user_id in subject.ids)])


class _Pinned:
    """A source that is asked about one thing only."""

    def __init__(self, source: EventSource, fields: dict[str, str]) -> None:
        self._source = source
        self._fields = fields

    def events(self, wanted: EventFilter) -> Iterator[EventRecord]:
        return self._source.events(self._narrowed(wanted))

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        return self._source.groups(self._narrowed(wanted), by, top=top)

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        return self._source.describe(self._narrowed(wanted), by)

    def close(self) -> None:
        self._source.close()

    def _narrowed(self, wanted: EventFilter) -> EventFilter:
        return replace(wanted, **{"user_email": None, "user_id": None, **self._fields})  # type: ignore[arg-type]


class _About(JoinedSource):
    """The same events found in several ways; they are counted here, since each may be found more than once."""

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        everything = replace(wanted, limit=None, after=None)
        return merge_groups(_group_of_one(event, by) for event in self.events(everything))[:top]


def _group_of_one(event: EventRecord, by: Sequence[str]) -> Group:
    values = tuple(_value(event, name) for name in by)
    return Group(values, 1, int(not event.success), event.created_at, event.created_at)


def _value(event: EventRecord, name: str) -> Value:
    if name in _SPANS:
        return event.created_at.strftime(_SPANS[name])
    value: Value = getattr(event, name)
    return int(value) if isinstance(value, bool) else value


_SPANS = {"minute": "%Y-%m-%dT%H:%MZ", "hour": "%Y-%m-%dT%H:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"}
"""How spans of time are named, as the databases do."""
