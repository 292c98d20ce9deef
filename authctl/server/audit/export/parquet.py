"""Parquet: a file of typed columns, written by the engine behind `storage.parquet`; the extra `archive` brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.audit.export.interface import FIELDS
from authctl.server.storage.parquet import Column, Kind, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from authctl.server.audit.records import EventRecord

_KINDS = {"created_at": Kind.MOMENT, "success": Kind.FLAG, "seq": Kind.NUMBER}
_TOLD_EVERY = 1000
COLUMNS = tuple(Column(name, _KINDS.get(name, Kind.TEXT)) for name in FIELDS)


def write(path: Path, records: Iterable[EventRecord], advance: Callable[[int], None]) -> int:
    """Writes the events into the file, which appears whole or not at all; how many there were.

    advance  is told of each thousand or so

    Raises UsageError without the engine.
    """
    return write_parquet(path, COLUMNS, _told(records, advance))


def _told(records: Iterable[EventRecord], advance: Callable[[int], None]) -> Iterator[EventRecord]:
    for number, record in enumerate(records, start=1):
        yield record
        if number % _TOLD_EVERY == 0:
            advance(_TOLD_EVERY)
