"""Understands the times that a person writes: `24h` ago, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from authctl.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

HINT: Final = (
    "write a span back from now (30m, 24h, 7d, 2w, 1y) or a time (2026-01-31, 2026-01-31T08:00, 2026-01-31T08:00Z)"
)

_SPAN: Final = re.compile(r"([0-9]{1,6}) ?([smhdwy])\Z")
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}


def read_moment(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment that `text` names, in UTC. A time without an offset is of `zone`; without one, of this machine's.

    Raises UsageError.
    """
    words = text.strip()
    if ago := _SPAN.match(words.lower()):
        try:
            return now - int(ago[1]) * _UNITS[ago[2]]
        except OverflowError:
            raise UsageError(f"{text}: that is before the calendar begins", hint=HINT) from None
    try:
        moment = datetime.fromisoformat(words)
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text}: that is not a time", hint=HINT) from None


def read_span(text: str) -> timedelta:
    """The length of time that `text` names. Raises UsageError."""
    found = _SPAN.match(text.strip().lower())
    if found is None:
        raise UsageError(f"{text}: that is not a span of time", hint="write 24h, 90d, 2w or 1y")
    return int(found[1]) * _UNITS[found[2]]
