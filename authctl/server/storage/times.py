"""Times as SQLite keeps them; a module of its own, so that a reader of the trail imports nothing for them."""

from __future__ import annotations

from datetime import UTC, datetime


def read_time(text: str) -> datetime:
    """An SQLite time as an aware UTC datetime; hand-written SQL may leave out fractions, or use a `T` and a `Z`."""
    value = datetime.fromisoformat(text)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def write_time(value: datetime) -> str:
    """A time as SQLite keeps it: UTC, space between date and time, microseconds, so that text order is time order."""
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]
