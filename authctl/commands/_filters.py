"""The one filter vocabulary of every question to the trail: its options, and what a person typed into them."""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from authctl.commands._filter_options import OPTIONS, TOKEN_HINT, TOKEN_VARIABLE, Order
from authctl.commands._times import parse_time
from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from authctl.server.audit.queries import EventQuery
    from authctl.server.audit.records import EventSource
    from authctl.server.storage.event_query import EventFilter

CHOOSING: Final = (
    "event", "user", "ip", "agent", "reason", "since", "until", "success", "contains", "limit", "order", "count_by",
)  # fmt: skip
"""Options that say which events, for commands that know it without them."""
_LONGEST_TOKEN: Final = 16_384
_CONTRADICTABLE: Final = frozenset({"events", "user", "ips", "agent", "reasons", "contains", "success"})
_SEVERAL: Final = ("event", "ip", "reason", "count_by")
"""Options that may be given more than once, and take several words between commas."""
_COLUMN_OF_OPTION: Final = {
    "event": "event_type",
    "user": "user_email",
    "ip": "ip_address",
    "agent": "user_agent",
    "target": "target_user_id",
}
"""Columns by the names of the options that filter them."""
_OUTCOMES: Final = {True: ("--success", "it looks at what failed"), False: ("--failure", "it looks at what succeeded")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What was typed into the options of the vocabulary; an option that a command does not take is left alone.

    event, reason  names; `!` before one excludes it
    count_by       names of columns; empty when events are wanted
    """

    event: tuple[str, ...] = ()
    user: str | None = None
    ip: tuple[str, ...] = ()
    agent: str | None = None
    reason: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    success: bool | None = None
    contains: str | None = None
    limit: int | None = None
    order: Order = Order.NEWEST
    count_by: tuple[str, ...] = ()
    print_query: bool = False
    utc: bool = False
    archive: Path | None = None
    url: str | None = None
    token_file: Path | None = None

    @property
    def token(self) -> str | None:
        """The token for `url`, out of the file or the environment; never out of the command line, which `ps` shows.

        Raises UsageError when there is none, or OSError when the file cannot be read.
        """
        if self.url is None:
            if self.token_file is not None:
                raise UsageError("--token-file means nothing without --url")
            return None
        if self.token_file is not None:
            return _usable_token(_contents(self.token_file), origin=str(self.token_file))
        if given := os.environ.get(TOKEN_VARIABLE):
            return _usable_token(given, origin=TOKEN_VARIABLE)
        raise UsageError("--url needs a token: --token-file FILE, or AUTHCTL_TOKEN", hint=TOKEN_HINT)

    def query(self, now: datetime, **fixed: Any) -> EventQuery:
        """The question that the options ask, with what the command itself lays down as `fixed` fields of EventQuery.

        Raises UsageError for a time that cannot be, and for an option that contradicts the command.
        """
        from authctl.server.audit.queries import EventQuery

        asked: dict[str, Any] = {
            "events": self.event,
            "user": None if self.user is None else person(self.user),
            "ips": self.ip,
            "agent": self.agent,
            "reasons": self.reason,
            "contains": self.contains,
            "since": None if self.since is None else parse_time(self.since, option="--since", now=now),
            "until": None if self.until is None else parse_time(self.until, option="--until", now=now),
            "success": self.success,
            "limit": self.limit,
            "order": self.order.value,
        }
        for name, laid_down in fixed.items():
            is_own = name not in _CONTRADICTABLE
            asked[name] = laid_down if is_own else _agreed(name, asked[name], laid_down)
        return EventQuery(**asked)

    def wanted(self, now: datetime, **fixed: Any) -> EventFilter:
        """The same question as the filter that sources understand. Raises UsageError, with the nearest word."""
        from authctl.server.audit.queries import to_filter

        question = self.query(now, **fixed)
        if not self.reason:
            return to_filter(question)
        from authctl.server.reasons import KNOWN_REASONS

        return to_filter(question, KNOWN_REASONS)

    def columns(self) -> tuple[str, ...]:
        """What to count by, checked. Raises UsageError, with the nearest name."""
        from authctl.server.audit.queries import to_columns

        return to_columns(_COLUMN_OF_OPTION.get(name, name) for name in self.count_by)

    def source(self) -> AbstractContextManager[EventSource]:
        """Opens what the options name: a service, or the database and perhaps an archive beside it."""
        return self.opening()()

    def opening(self) -> Callable[[], AbstractContextManager[EventSource]]:
        """What opens it, again and again, with one reading of the settings and the token."""
        from authctl.commands._reading import open_source
        from authctl.settings import load_settings

        is_pair = self.archive is not None and self.url is not None  # which is refused
        return partial(
            open_source,
            url=self.url,
            token=None if is_pair else self.token,
            archive=self.archive,
            settings=load_settings() if self.url is None else None,
        )


def person(typed: str) -> str:
    """An e-mail as it is stored; a user id stays what it is."""
    from authctl.server.accounts.normalising import email_to_look_up

    return email_to_look_up(typed)


@overload
def filtered(command: Callable[..., None], /) -> Callable[..., None]: ...
@overload
def filtered(
    *, without: Sequence[str] = (), defaults: Mapping[str, object] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]: ...
def filtered(
    command: Callable[..., None] | None = None,
    /,
    *,
    without: Sequence[str] = (),
    defaults: Mapping[str, object] | None = None,
) -> Callable[..., Any]:
    """Adds the options of the vocabulary to a command, which receives them as its parameter `filters`.

    without   names of options, as fields of Filters, that the command does not take
    defaults  of options, where they are not the usual ones
    """
    if command is None:
        return partial(_with_options, without=without, defaults=defaults or {})
    return _with_options(command, without=without, defaults=defaults or {})


def _with_options(
    command: Callable[..., None], *, without: Sequence[str], defaults: Mapping[str, object]
) -> Callable[..., None]:
    own = inspect.signature(command, eval_str=True)
    taken = [name for name in OPTIONS if name not in without]
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=OPTIONS[name],
            default=defaults[name] if name in defaults else _usual(name),
        )
        for name in taken
    ]

    @wraps(command)
    def wrapper(**given: Any) -> None:
        typed: dict[str, Any] = {name: given.pop(name) for name in taken}
        typed.update({name: _parts(typed[name]) for name in _SEVERAL if name in typed})
        command(filters=Filters(**typed), **given)

    # The command's own parameters come first in the help, whatever their order here; all are called by name.
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in own.parameters.values()
        if parameter.name != "filters"
    ]
    parameters = [*kept, *added]
    wrapper.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # what inspect looks for
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": None}
    return wrapper


def _usual(name: str) -> object:
    return None if name in _SEVERAL else Filters.__dataclass_fields__[name].default


def _parts(values: Sequence[str] | None) -> tuple[str, ...]:
    found = (part.strip() for value in values or () for part in value.split(","))
    return tuple(dict.fromkeys(part for part in found if part))


def _agreed(name: str, typed: Any, laid_down: Any) -> Any:
    """What the person and the command both want. Raises UsageError when nothing fits both."""
    if not typed and typed is not False:
        return laid_down
    if name == "events":
        return _agreed_events(typed, laid_down)
    if typed != laid_down:
        raise _contradiction(*(_OUTCOMES[typed] if name == "success" else (f"--{name} {typed}",)))
    return laid_down


def _agreed_events(typed: tuple[str, ...], laid_down: tuple[str, ...]) -> tuple[str, ...]:
    from authctl.server.audit.events import EventType

    known = set(EventType)
    if not all(name.removeprefix("!") in known for name in typed):
        return typed  # the query names the nearest word
    wanted = [name for name in typed if not name.startswith("!")]
    if strange := [name for name in wanted if name not in laid_down]:
        raise _contradiction(f"--event {strange[0]}", f"it looks at {' and '.join(laid_down)}")
    left = tuple(name for name in wanted or laid_down if f"!{name}" not in typed)
    if not left:
        raise _contradiction(f"--event {','.join(typed)}", "no event is left")
    return left


def _contradiction(option: str, reason: str | None = None) -> UsageError:
    because = f": {reason}" if reason else ""
    return UsageError(f"{option} contradicts this command{because}", hint="`authctl audit list` takes every filter")


def _contents(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read(_LONGEST_TOKEN + 1)
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LONGEST_TOKEN + 1)
    except UnicodeDecodeError:
        return ""


def _usable_token(text: str, *, origin: str) -> str:
    token = text.strip()
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{origin} holds no token", hint=TOKEN_HINT)
    return token
