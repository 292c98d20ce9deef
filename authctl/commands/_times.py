"""Understands the times that a person types: `24h` ago, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from authctl.errors import UsageError

_AGO = re.compile(r"([0-9]{1,6}) ?([smhdw])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HINT = "write a span back from now (30m, 24h, 7d, 2w) or a time (2026-01-31, 2026-01-31T08:00, 2026-01-31T08:00Z)"


def parse_time(text: str, *, option: str, now: datetime) -> datetime:
    """The moment that `text` names, in UTC. A time without an offset is local.

    Raises UsageError, naming the option.
    """
    words = text.strip()
    if ago := _AGO.match(words.lower()):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise UsageError(f"{option} {text}: that is before the calendar begins", hint=_HINT) from None
    try:
        return datetime.fromisoformat(words).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text}: that is not a time", hint=_HINT) from None
