"""How findings speak: numbers with their nouns, times, lists that stay short."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

MOST_NAMED = 5


def at(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def between(first: datetime, last: datetime) -> str:
    """A span of time: "at …" or "from … to …"."""
    return f"at {at(first)}" if at(first) == at(last) else f"from {at(first)} to {at(last)}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 address", "2 addresses"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def named(names: Collection[str]) -> str:
    """Names in their order, of many the first few: "a, b and 7 more"."""
    first = sorted(names)[:MOST_NAMED]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def tallied(counts: Mapping[str, int]) -> str:
    """Reasons in words, the most frequent first: "signature invalid 40, challenge unknown 2"."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in ordered)
