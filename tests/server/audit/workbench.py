"""A trail on a real database with a real file, and the insider's ways to damage it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.server.audit.events import Caller, Event, EventType, Head
from authctl.server.audit.file_verification import measure_committed
from authctl.server.audit.journal import Recording
from authctl.server.audit.keys import TrailKeys
from authctl.server.audit.own_events import checkpoint_event
from authctl.server.audit.recorder import record
from authctl.server.audit.shipping import Shipper
from authctl.server.audit.trail import AuditTrail
from authctl.server.audit.verification import verify_trail
from authctl.server.storage.engine import open_database
from authctl.server.storage.sqlite import dbapi

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.findings import Verdict
    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

START = datetime(2100, 1, 1, tzinfo=UTC)
INSTANCE = "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11"
KEYS = TrailKeys(audit=bytes(range(32)), checkpoint=Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))
CALLER = Caller(address="192.0.2.1", peer_address="198.51.100.9", user_agent="pytest/9", request_id="r1")


def an_event(number: int = 1, **changes: Any) -> Event:
    """A login of user `number`, with what a test wants to be different."""
    values: dict[str, Any] = {
        "type": EventType.LOGIN_COMPLETE,
        "success": True,
        "caller": CALLER,
        "details": f"User {number} logged in from IP: 192.0.2.1",
        "user_email": f"user{number}@example.com",
        "user_id": f"id-{number}",
    }
    return Event(**(values | changes))


def _record(event: Event, tx: Transaction) -> None:
    record(tx, event)


def reset(tx: Transaction) -> None:
    """Empties the trail, as the service's own reset does."""
    heads = tuple(Head(writer.id, writer.last_seq, writer.last_mac) for writer in tx.writers.all())
    tx.instance.empty_all_data()
    tx.instance.bump_generation()
    record(tx, an_event(type=EventType.DATABASE_RESET, details="Database reset", heads=heads))


@dataclass
class Service:
    """One process: a database with its journals, and the trail's facade."""

    database: Database
    recording: Recording
    trail: AuditTrail
    is_open: bool = True

    def write(self, *events: Event) -> None:
        """Each event in a unit of its own."""
        for event in events or (an_event(),):
            self.database.write_now(partial(_record, event))

    def checkpoint(self) -> None:
        self.write(checkpoint_event())

    def tick(self) -> None:
        """An empty batch, as a quiet service has them."""
        self.database.write_now(lambda tx: None)

    def stop(self) -> None:
        if self.is_open:
            self.is_open = False
            self.database.close()
            self.trail.close()

    @property
    def shipper(self) -> Shipper:
        assert self.recording.shipper is not None
        return self.recording.shipper


@dataclass
class Site:
    """One database and one file, and everything that starts on them."""

    folder: Path
    url: str
    clock: Any
    services: list[Service] = field(default_factory=list)

    @property
    def log_file(self) -> Path:
        return self.folder / "app.log"

    @property
    def is_postgres(self) -> bool:
        return self.url.startswith("postgresql")

    def _psycopg(self) -> Any:
        import psycopg
        from psycopg.rows import dict_row

        return psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True, row_factory=dict_row)

    def start(
        self,
        *,
        policy: Literal["db", "all"] = "db",
        with_file: bool = True,
        keys: TrailKeys = KEYS,
        kind: Literal["server", "cli"] = "server",
    ) -> Service:
        shipper = Shipper(self.log_file, self.clock) if with_file else None
        recording = Recording(keys, INSTANCE, kind, policy, shipper)
        database = open_database(self.url, self.clock, recording.journal, create=True)
        if not database.read_now(lambda tx: tx.instance.is_set_up()):
            database.write_now(lambda tx: tx.instance.add(INSTANCE, "{}"))
        service = Service(database, recording, AuditTrail(database, recording))
        self.services.append(service)
        return service

    def stop(self) -> None:
        for service in self.services:
            service.stop()

    def lines(self) -> list[dict[str, Any]]:
        """What stands in the file."""
        return [orjson.loads(line) for line in self.log_file.read_bytes().splitlines()]

    def sequences(self) -> list[int]:
        """The sequence of every line."""
        return [line["seq"] for line in self.lines()]

    def rows(self, sql: str = "SELECT * FROM audit_logs ORDER BY writer_id, seq") -> list[Any]:
        """What a shell would show; in one process, two SQLite libraries would release each other's locks."""
        if self.is_postgres:
            with closing(self._psycopg()) as postgres:
                return list(postgres.execute(sql))
        with closing(dbapi.connect(self.folder / "app.db")) as connection:
            connection.row_factory = dbapi.Row
            return list(connection.execute(sql))

    def damage(self, *statements: str) -> None:
        """What an insider with the database's file can do: the triggers go first."""
        if self.is_postgres:
            with closing(self._psycopg()) as postgres:
                for statement in ("ALTER TABLE audit_logs DISABLE TRIGGER USER", *statements):
                    postgres.execute(statement)
            return
        with closing(dbapi.connect(self.folder / "app.db", isolation_level=None)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)

    def verify(self, keys: TrailKeys = KEYS, *, file: bool = True, **options: Any) -> Verdict:
        """The verdict of a process of its own."""
        path = self.log_file if file else None
        sure_until = measure_committed(self.log_file) if file else 0
        database = open_database(self.url, self.clock)
        try:
            return database.read_now(lambda tx: verify_trail(tx, keys, INSTANCE, path, sure_until, **options))
        finally:
            database.close()
