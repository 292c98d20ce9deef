"""The rows of an archive chain by chain, in pieces that are small enough to be sorted in memory."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from authctl.errors import StorageDamaged
from authctl.server.audit.archive.columns import ROW

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from authctl.server.storage.parquet import ParquetFiles

PIECE = 100_000
"""Rows that are sorted at a time; the engine's own way to sort more than fits into memory needs too much of it."""
_BLOCK = 20_000
_BLOCKS = "SELECT writer_id, seq // {} AS block, count(*) FROM {} GROUP BY ALL ORDER BY ALL"


class _Place(NamedTuple):
    """Where a piece begins: rows with this writer and sequence, and all behind."""

    writer_id: str
    seq: int


def rows_in_chains(files: ParquetFiles, table: str) -> Generator[tuple[Any, ...]]:
    """Every row of a table as the trail's own table had it, by writer and sequence; memory stays flat.

    Raises StorageDamaged for a row that has no place in a chain.
    """
    begins = list(_beginnings(files.rows(_BLOCKS.format(_BLOCK, table))))
    for begin, end in zip_longest(begins, begins[1:]):
        params: dict[str, object] = {"writer": begin.writer_id, "seq": begin.seq}
        # The first conditions are those by which the engine passes over what it need not read.
        conditions = ["writer_id >= $writer", "(writer_id > $writer OR seq >= $seq)"]
        if end is not None:
            params |= {"next_writer": end.writer_id, "next_seq": end.seq}
            conditions += ["writer_id <= $next_writer", "(writer_id < $next_writer OR seq < $next_seq)"]
            if begin.writer_id == end.writer_id:
                conditions = ["writer_id = $writer", "seq >= $seq", "seq < $next_seq"]
                del params["next_writer"]
        yield from files.rows(
            f"SELECT {ROW} FROM {table} WHERE {' AND '.join(conditions)} ORDER BY writer_id, seq",  # noqa: S608
            params,
        )


def _beginnings(blocks: Iterable[tuple[str | None, int | None, int]]) -> Iterator[_Place]:
    rows = PIECE
    for writer_id, block, count in blocks:
        if writer_id is None or block is None:
            raise StorageDamaged(
                "The archive holds a row that has no place in a chain", hint="restore it from a backup"
            )
        if rows + count > PIECE:
            yield _Place(writer_id, block * _BLOCK)
            rows = 0
        rows += count
