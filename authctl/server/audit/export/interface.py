"""What a format of export is: text before the first event, and then the events, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from authctl.server.audit.records import EventRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

FIELDS: tuple[str, ...] = EventRecord._fields
"""The members of an event, in the order in which every export has them."""


class Format(Protocol):
    """One format of lines, each event one of them."""

    name: str

    def head(self) -> bytes:
        """What stands before the first event."""
        ...

    def lines(self, records: Sequence[EventRecord]) -> bytes:
        """Each event with its line break."""
        ...


class ShortFormat(Format, Protocol):
    """A format for which SQLite can do most of the work: a million events are a matter of seconds then.

    sqlite_columns  expressions over the columns of an event
    """

    sqlite_columns: str

    def lines_of_sqlite(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        """What `lines` gives, to the byte, out of rows of `sqlite_columns`."""
        ...


def time_of(record: EventRecord) -> str:
    """When it happened, in ISO 8601 with microseconds and `Z`, as the audit file has it."""
    return record.created_at.isoformat("T", "microseconds")[:26] + "Z"


SQLITE_TIME = "substr(created_at, 1, 10) || 'T' || substr(created_at, 12) || 'Z'"
"""The same in SQLite's words, for a time as the journal writes it."""
