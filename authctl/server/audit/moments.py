"""Understands the times that a person writes: `24h` ago, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from authctl.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

HINT: Final = (
    "write a span back from now (30m, 24h, 7d, 2w) or a time (2026-01-31, 2026-01-31T08:00, 2026-01-31T08:00Z)"
)

_AGO: Final = re.compile(r"([0-9]{1,6}) ?([smhdw])\Z")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_moment(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment that `text` names, in UTC. A time without an offset is of `zone`; without one, of this machine's.

    Raises UsageError.
    """
    words = text.strip()
    if ago := _AGO.match(words.lower()):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise UsageError(f"{text}: that is before the calendar begins", hint=HINT) from None
    try:
        moment = datetime.fromisoformat(words)
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text}: that is not a time", hint=HINT) from None
