"""What rows come to, whatever their order: so that a copy can be held against what was copied in flat memory."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authctl.server.storage.events import EventRow

_TIME = 8
"""The place of `created_at` in a row."""
_MODULUS = 1 << 256


class Fingerprint:
    """The number of rows and the sum of their digests, which an accident changes; intent is for the signature."""

    __slots__ = ("_sum", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def take(self, row: EventRow) -> None:
        """One more row."""
        digest = hashlib.sha256(orjson.dumps(row, default=_marked)).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % _MODULUS
        self.rows += 1

    def through(self, rows: Iterable[EventRow]) -> Iterator[EventRow]:
        """Takes every row that passes."""
        for row in rows:
            self.take(row)
            yield row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and (self.rows, self._sum) == (other.rows, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it grows


def as_stored(row: EventRow) -> EventRow:
    """A row of either database as an archive keeps it: with its time in the text that the chain covers."""
    time = row[_TIME]
    return row if isinstance(time, str) else (*row[:_TIME], write_time(time), *row[_TIME + 1 :])


def _marked(value: Any) -> list[str]:
    """Bytes, told apart from the text that they would look like."""
    return ["bytes", bytes(value).hex()]
