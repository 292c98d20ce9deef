"""A second hand on the database: statements as they are, over a connection that the service knows nothing of."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from authctl.server.storage.drivers import choose_driver


def connect(url: str) -> Any:
    """A connection in autocommit mode."""
    return choose_driver(url).connect(readonly=False)


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements one after the other; the rows of the last, if it has any."""
    rows: list[tuple[Any, ...]] = []
    with closing(connect(url)) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
    return rows


def counts(url: str, *tables: str) -> dict[str, int]:
    """How many rows each table has."""
    return {table: execute(url, f"SELECT count(*) FROM {table}")[0][0] for table in tables}
