"""The trail of a service far away as a source of events: its questions and pages over HTTP, its refusals explained."""

from __future__ import annotations

import ipaddress
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2
import orjson

import authctl
from authctl.commands._filter_options import TOKEN_HINT
from authctl.commands._output import Output
from authctl.errors import Refused, ServerUnreachable, UsageError
from authctl.server.audit.records import EventRecord, Group

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from authctl.server.storage.event_query import EventFilter, Position

    Parameters = list[tuple[str, str]]

PATH: Final = "/audit/events"
PAGE: Final = 1000
MOST_GROUPS: Final = 10_000
"""What the service tells at once."""
LARGEST_ANSWER: Final = 32 * 1024 * 1024
SECONDS: Final = 30.0
"""How long one answer may take; the service itself gives up a question after ten."""
LONGEST_WAIT: Final = 60
MOST_WAITS: Final = 3

_MICROSECOND: Final = timedelta(microseconds=1)
_TEXTS: Final = frozenset({"id", "event_type", "writer_id"})
_UNREADABLE: Final = "what answers there does not speak as an authctl service does"


class RemoteSource:
    """The events of the service at `url`, which asks for an admin's `token` and makes each question an event."""

    def __init__(self, url: str, token: str | None, *, transport: httpx2.BaseTransport | None = None) -> None:
        self._url = _usable(url)
        host = urlsplit(self._url).hostname or ""
        self._client = httpx2.Client(
            transport=transport,
            timeout=SECONDS / 3,
            follow_redirects=False,  # a token goes where the person said, and nowhere else
            headers={
                "Accept": "application/json",
                "Authorization": f"Bearer {token}",
                "User-Agent": f"authctl/{authctl.__version__}",
            },
            # A proxy from the environment has no business with this machine's own servers.
            trust_env=not _is_loopback(host),
        )

    def events(self, wanted: EventFilter) -> Generator[EventRecord]:
        """The events that fit, in the order asked for, page by page."""
        parameters = _parameters(_behind(wanted))
        order = [] if wanted.newest_first else [("order", "oldest")]
        left, cursor = wanted.limit, None
        while left is None or left > 0:
            most = PAGE if left is None or wanted.after is not None else min(left, PAGE)
            page = self._ask([*parameters, *order, ("limit", str(most)), *([("cursor", cursor)] if cursor else [])])
            with _explained(self._url):
                events = [_record(event) for event in page["events"]]
                cursor = None if page["next"] is None else str(page["next"])
            for event in events if wanted.after is None else _past(events, wanted.after, wanted):
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                yield event
            if cursor is None:
                return

    def groups(self, wanted: EventFilter, by: Sequence[str], *, top: int | None = None) -> list[Group]:
        """How many events fit for each combination of `by`, the largest groups first."""
        if not by:
            raise UsageError("A service counts by one column at least")
        asked = replace(wanted, limit=None, after=None)
        most = MOST_GROUPS if top is None else min(top, MOST_GROUPS)
        answer = self._ask([*_parameters(asked), ("count_by", ",".join(by)), ("top", str(most))])
        with _explained(self._url):
            groups = [_group(group, by) for group in answer["groups"]]
        if top is None and len(groups) >= MOST_GROUPS:
            # Half an answer would look like a whole one.
            raise UsageError(
                f"The service tells at most {MOST_GROUPS} groups at once, and there are more",
                hint="ask for less: --since, --user or --ip",
            )
        return groups

    def describe(self, wanted: EventFilter, by: Sequence[str] = ()) -> str:
        """The request that `events`, or with `by` `groups`, would begin with."""
        parameters = _parameters(_behind(wanted))
        if by:
            parameters.append(("count_by", ",".join(by)))
        elif not wanted.newest_first:
            parameters.append(("order", "oldest"))
        return f"GET {self._url}{PATH}" + (f"?{urlencode(parameters)}" if parameters else "")

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _ask(self, parameters: Parameters) -> dict[str, Any]:
        for attempt in range(MOST_WAITS + 1):
            with _explained(self._url):
                response, body = self._send(f"{self._url}{PATH}?{urlencode(parameters)}")
            if response.status_code != 429 or attempt == MOST_WAITS:
                break
            _wait(response.headers.get("retry-after", ""))
        return _answer_in(self._url, response, body)

    def _send(self, url: str) -> tuple[httpx2.Response, bytes]:
        # The client's own time-outs are per read: a server that drips would pass them for ever.
        end = time.monotonic() + SECONDS
        body = bytearray()
        with self._client.stream("GET", url) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ServerUnreachable(f"The answer of {self._url} is too large: {_UNREADABLE}")
                if time.monotonic() > end:
                    raise TimeoutError
        return response, bytes(body)


def _usable(url: str) -> str:
    from authctl.virtual_authenticator.harness.transport import require_url

    address = require_url(url)
    parts = urlsplit(address)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise UsageError(
            f"{address} is not encrypted: the token would go in the clear",
            hint=f"use https://, or a tunnel: ssh -L 8000:localhost:8000 {parts.hostname}, --url http://localhost:8000",
        )
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parameters(wanted: EventFilter) -> Parameters:
    single: Mapping[str, str | None] = {
        "user": wanted.user_email or wanted.user_id,
        "agent": wanted.agent,
        "contains": wanted.contains,
        "since": _written(wanted.since),
        "until": _written(wanted.until),
        "success": None if wanted.success is None else str(wanted.success).lower(),
        "only_others": "true" if wanted.only_others else None,
    }
    several = {
        "id": wanted.ids,
        "event": (*wanted.event_types, *(f"!{name}" for name in wanted.excluded_types)),
        "reason": (*wanted.reasons, *(f"!{name}" for name in wanted.excluded_reasons)),
        "ip": tuple(map(str, wanted.networks)),
    }
    return [
        *((name, value) for name, values in several.items() for value in values),
        *((name, value) for name, value in single.items() if value is not None),
    ]


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _behind(wanted: EventFilter) -> EventFilter:
    """The filter with its position as a bound of time: the service's own cursors belong to its own questions."""
    if wanted.after is None:
        return wanted
    moment = wanted.after.created_at
    if wanted.newest_first:
        end = moment + _MICROSECOND
        return replace(wanted, after=None, until=end if wanted.until is None else min(end, wanted.until))
    return replace(wanted, after=None, since=moment if wanted.since is None else max(moment, wanted.since))


def _past(events: Sequence[EventRecord], after: Position, wanted: EventFilter) -> Iterator[EventRecord]:
    place = (after.created_at, after.id)
    for event in events:
        here = (event.created_at, event.id)
        if here < place if wanted.newest_first else here > place:
            yield event


def _wait(seconds: str) -> None:
    wait = min(int(seconds), LONGEST_WAIT) if seconds.isascii() and seconds.isdigit() else 1
    Output().message(f"The service asks to wait {wait} s.")
    time.sleep(wait)


def _answer_in(url: str, response: httpx2.Response, body: bytes) -> dict[str, Any]:
    status = response.status_code
    if response.is_redirect:
        where = response.headers.get("location", "nowhere")
        raise ServerUnreachable(f"{url} sends elsewhere: {where}", hint="name the service itself with --url")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        kind = response.headers.get("content-type", "no content type").partition(";")[0]
        raise ServerUnreachable(f"{url} answers with {kind} (status {status}): {_UNREADABLE}") from error
    if not isinstance(document, dict):
        raise ServerUnreachable(f"{url} answers with JSON of another shape (status {status}): {_UNREADABLE}")
    if status != 200:
        raise _refusal(url, status, document)
    return document


def _refusal(url: str, status: int, document: Mapping[str, Any]) -> Exception:
    detail = str(document.get("detail", f"status {status}"))
    match status:
        case 401:
            return Refused(f"The service does not take the token: {detail}", hint=f"it may have expired; {TOKEN_HINT}")
        case 403:
            return Refused(
                f"The token is not an admin's: {detail}", hint="authctl promote EMAIL makes one, at the next login"
            )
        case 429:
            return Refused(f"{url} was asked too often: {detail}", hint="try again in a minute")
        case 422:
            errors = document.get("errors")
            said = [
                f"{error.get('field')} {error.get('message')}"
                for error in (errors if isinstance(errors, list) else [])
                if isinstance(error, dict)
            ]
            return UsageError("; ".join((f"The service says: {detail}", *said)))
        case 404 | 405:
            return ServerUnreachable(f"{url} has no {PATH}: {detail}", hint="is it an authctl service, and as new?")
        case _:
            return ServerUnreachable(f"{url} cannot answer (status {status}): {detail}")


def _record(event: dict[str, Any]) -> EventRecord:
    """An event as the service tells it. Raises KeyError, TypeError or ValueError for anything else."""
    members = {name: event[name] for name in EventRecord._fields}
    members["created_at"] = _moment(event["created_at"])
    for name, value in members.items():
        if not isinstance(value, _kind_of(name)):
            raise TypeError(name)
    return EventRecord(**members)


def _kind_of(name: str) -> Any:
    match name:
        case "created_at":
            return datetime
        case "success":
            return bool
        case "seq":
            return int
        case _:
            return str if name in _TEXTS else str | None


def _group(group: dict[str, Any], by: Sequence[str]) -> Group:
    values = tuple(group["values"][name] for name in by)
    if not all(isinstance(value, str | int | None) for value in values):
        raise TypeError("values")
    total, failures = int(group["total"]), int(group["failures"])
    return Group(values, total, failures, _moment(group["first"]), _moment(group["last"]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise ServerUnreachable(f"{url} did not answer within {SECONDS:g} seconds") from error
    except httpx2.ConnectError as error:
        raise ServerUnreachable(
            f"Nothing answers at {url} ({error})", hint="is the service running there, and --url right?"
        ) from error
    except httpx2.DecodingError as error:
        raise ServerUnreachable(f"The answer of {url} is garbled: {_UNREADABLE}") from error
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise ServerUnreachable(
            f"{url} closed the connection without an answer",
            hint="is that an HTTP server, and http or https as it should be?",
            debug=str(error),
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerUnreachable(f"{url} answers in another form: {_UNREADABLE}", debug=repr(error)) from error
