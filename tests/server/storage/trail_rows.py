"""Rows of a trail that questions are put to, in each kind of database that can hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from authctl.server.storage.event_query import EVENT_COLUMNS
from authctl.server.storage.events import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from authctl.server.storage.database import Database
    from authctl.server.storage.event_query import Dialect, Sql
    from authctl.server.storage.transaction import Transaction

START = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)


def a_row(number: int, **changes: Any) -> dict[str, Any]:
    """Event `number`, with what a test wants to be different."""
    usual = {
        "id": f"e{number:02}",
        "event_type": "login_complete",
        "success": 1,
        "created_at": START,
        "writer_id": "w",
        "seq": number,
        "personal_digest": b"d",
        "mac": b"m",
    }
    return {**dict.fromkeys(COLUMNS), **usual, **changes}


def fill(database: Database, rows: Iterable[dict[str, Any]]) -> None:
    """Puts rows into the table."""

    def unit(tx: Transaction) -> None:
        for row in rows:
            tx.events.add(row)

    database.write_now(unit)


class Duck:
    """A DuckDB in memory with the columns that can be asked for, as an archive has them."""

    dialect: Dialect = "duckdb"

    def __init__(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        self.engine = duckdb.connect(config={"autoinstall_known_extensions": False})
        special = {"created_at": "TIMESTAMP", "success": "BIGINT", "seq": "BIGINT"}
        columns = ", ".join(f"{name} {special.get(name, 'VARCHAR')}" for name in EVENT_COLUMNS)
        self.engine.execute(f"CREATE TABLE audit_logs ({columns})")
        for row in rows:
            values = [row[name] for name in EVENT_COLUMNS]
            values[1] = values[1].astimezone(UTC).replace(tzinfo=None)
            self.engine.execute(f"INSERT INTO audit_logs VALUES ({', '.join('?' * len(values))})", values)

    def all(self, sql: Sql) -> list[tuple[Any, ...]]:
        return self.engine.execute(sql.text, dict(sql.params)).fetchall()

    def stream(self, sql: Sql) -> Generator[tuple[Any, ...]]:
        yield from self.all(sql)

    def close(self) -> None:
        self.engine.close()
