"""Cuts the table of events into stretches of time that hold about as many rows each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.storage.event_query import Sql
from authctl.server.storage.times import read_time, write_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authctl.server.storage.reader import Reader

    Stretch = tuple[datetime | None, datetime | None]

_NEXT = "SELECT created_at FROM audit_logs WHERE created_at > :last ORDER BY created_at LIMIT 1 OFFSET :size"


def stretches(reader: Reader, since: datetime | None, until: datetime | None, size: int) -> Iterator[Stretch]:
    """Beginning and end, which is exclusive, of stretches with `size` rows and little more, in their order.

    Together they are the time from `since` to `until`. Only for SQLite, where times are text.
    """
    begin, last = since, "" if since is None else write_time(since)
    while rows := reader.all(Sql(_NEXT, {"last": last, "size": size}, "sqlite")):
        last = rows[0][0]
        end = read_time(last)
        if until is not None and end >= until:
            break
        if begin is None or end > begin:  # times that were written by hand may be out of order
            yield begin, end
            begin = end
    yield begin, until
