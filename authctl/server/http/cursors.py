"""Cursors: where the next page begins, in a text that fits the question it was made for and no other.

Whoever has one can ask the question anyway, so that its digest protects from mistakes, not from forgers.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from authctl.server.storage.event_query import Position

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST_BYTES: Final = 12
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next page begins behind `position`; `asked_at` is when the first page was asked for.

    Spans such as 24h reach back from there on every page, and a listing ends with what was there by then.
    """

    asked_at: datetime
    position: Position

    def text(self, question: bytes) -> str:
        """The cursor for those who asked `question`."""
        place = self.position
        payload = f"{_microseconds(self.asked_at)}.{_microseconds(place.created_at)}.{place.id}".encode()
        return urlsafe_b64encode(_digest(question, payload) + payload).rstrip(b"=").decode()


def read_cursor(text: str, question: bytes) -> Cursor | None:
    """The cursor that `text` is for this question; None when it is none, or that of another question."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    digest, payload = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if digest != _digest(question, payload):
        return None
    asked_at, created_at, event_id = payload.decode().split(".", 2)
    return Cursor(_moment(asked_at), Position(_moment(created_at), event_id))


def _digest(question: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(question).digest() + payload).digest()[:_DIGEST_BYTES]


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: str) -> datetime:
    return _EPOCH + int(microseconds) * _MICROSECOND
