"""How far an export has come, by places in the chains and not by time: a row can become visible after younger ones.

A cursor names the writers that may still add rows, or that started lately, with the last sequence that was exported.
Of a writer that it does not name everything was exported when it started before the cursor's time, and nothing when
it started later. `GRACE` lies between that time and the newest event, because a writer, too, can become visible late.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GRACE = timedelta(hours=1)
"""More than any transaction lasts, and more than clocks of the machines behind one database differ."""
BEGINNING = datetime.min.replace(tzinfo=UTC)
_VERSION = 1
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
LONGEST = 64 * 1024 * 1024
"""Characters of a cursor."""
_BAD = "The cursor is not one that `audit export` gave"


class WriterEnd(NamedTuple):
    """Where the chain of a writer ends in one snapshot."""

    id: str
    started_at: datetime
    is_open: bool
    last_seq: int


class Span(NamedTuple):
    """Rows of one chain: `after < seq <= last`."""

    writer_id: str
    after: int
    last: int


class Owner(NamedTuple):
    """Whose trail it is: the instance, and the generation, which a reset raises."""

    instance_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between exports; `named` are writers with the last sequence that was exported of them."""

    owner: Owner
    before: datetime
    named: Mapping[str, int]

    @classmethod
    def at_the_beginning(cls, owner: Owner) -> Cursor:
        """Nothing was exported yet."""
        return cls(owner, BEGINNING, {})

    def require(self, owner: Owner) -> None:
        """Raises UsageError when it belongs to another trail than the one that is there."""
        if self.owner.instance_id != owner.instance_id:
            raise UsageError("The cursor belongs to another instance", hint="leave it out to begin anew")
        if self.owner.generation != owner.generation:
            raise UsageError(
                "The cursor was made before the database was reset or restored", hint="leave it out to begin anew"
            )

    def spans(self, ends: Iterable[WriterEnd]) -> list[Span]:
        """What was not exported yet, in the order of the writers' starts."""
        found = []
        for end in sorted(ends, key=lambda end: (end.started_at, end.id)):
            after = self.named.get(end.id)
            if after is None:
                if end.started_at < self.before:
                    continue
                after = 0
            if end.last_seq > after:
                found.append(Span(end.id, after, end.last_seq))
        return found

    def moved(self, ends: Sequence[WriterEnd], exported: Iterable[Span], newest: datetime | None) -> Cursor:
        """The cursor after more rows were exported.

        ends      of the snapshot that they came from, at least of all writers that are not behind this cursor
        exported  each beginning where this cursor ends
        newest    the time of the newest event in the snapshot
        """
        reached = dict.fromkeys((span.writer_id for span in self.spans(ends)), 0) | dict(self.named)
        reached |= {span.writer_id: span.last for span in exported}
        waiting = [end.started_at for end in ends if reached.get(end.id, end.last_seq) < end.last_seq]
        sure = self.before if newest is None else newest - GRACE
        before = max(self.before, min(sure, *waiting, sure))
        named = {
            end.id: reached[end.id] for end in ends if reached.get(end.id) and (end.is_open or end.started_at >= before)
        }
        return Cursor(self.owner, before, named)

    def to_text(self) -> str:
        """Opaque text without white space."""
        content = {
            "v": _VERSION,
            "instance": self.owner.instance_id,
            "generation": self.owner.generation,
            "before": self.before.isoformat(),
            "writers": dict(sorted(self.named.items())),
        }
        return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """Reads what `to_text` gave. Raises UsageError for anything else."""
        content = _content(text.strip())
        if content.get("v") != _VERSION:
            raise UsageError("The cursor is of another version of authctl", hint="leave it out to begin anew")
        try:
            before = datetime.fromisoformat(content["before"])
            owner = Owner(content["instance"], content["generation"])
            named = dict(content["writers"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(_BAD, debug=repr(error)) from None
        if before.tzinfo is None or not _is_well_formed(content):
            raise UsageError(_BAD)
        return cls(owner, before, named)


def _content(text: str) -> dict[str, Any]:
    try:
        if len(text) > LONGEST or not text.isascii():
            raise ValueError(len(text))
        content = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise UsageError(_BAD, hint="it is one line of letters, digits, - and _", debug=repr(error)) from None
    if not isinstance(content, dict):
        raise UsageError(_BAD)
    return content


def _is_well_formed(content: dict[str, Any]) -> bool:
    return (
        isinstance(content["instance"], str)
        and _is_count(content["generation"])
        and all(_ID.match(name) and _is_count(seq) for name, seq in content["writers"].items())
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63
