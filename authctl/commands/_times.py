"""Understands the times that a person types into an option: `24h` ago, or a date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime


def parse_time(text: str, *, option: str, now: datetime) -> datetime:
    """The moment that `text` names, in UTC. A time without an offset is local.

    Raises UsageError, naming the option.
    """
    from authctl.server.audit.moments import read_moment

    try:
        return read_moment(text, now)
    except UsageError as error:
        raise UsageError(f"{option} {error.detail}", hint=error.hint) from error
