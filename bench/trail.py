"""Builds a large trail that the service itself could have written: chained, signed, and believable."""

from __future__ import annotations

import random
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from authctl.server.assembly import open_service
from authctl.server.audit import chain
from authctl.server.audit.anchors import AnchorKind, Anchors
from authctl.server.audit.events import Head
from authctl.server.audit.journal import CHECKPOINT_EVERY
from authctl.server.audit.keys import TrailKeys, fingerprint_of
from authctl.server.storage.events import COLUMNS
from authctl.server.storage.sqlite import dbapi
from authctl.server.storage.times import write_time
from authctl.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERS = 50_000
WRITERS = 4
DAYS = 60
_AT_ONCE = 20_000
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
_REASONS = ("signature_invalid", "challenge_expired", "credential_unknown", "challenge_unknown", "origin_mismatch")
# How often each kind of event is met; login begin and complete go together in practice.
_KINDS = (
    "login_begin",
    "login_complete",
    "user_access",
    "token_rejected",
    "registration_begin",
    "registration_complete",
)
_WEIGHTS = (40, 38, 17, 2, 1.5, 1.5)


@dataclass(slots=True)
class _Chain:
    """Where one writer's chain stands."""

    writer_id: str
    key: bytes
    seq: int = 0
    mac: bytes = chain.START
    unsigned: int = 0


@dataclass(slots=True)
class _Person:
    """Somebody who logs in; one in eight from two places."""

    email: str
    id: str
    addresses: list[str]
    agent: str


@dataclass(slots=True)
class _World:
    """Whoever appears in the trail."""

    dice: random.Random
    people: list[_Person] = field(default_factory=list)
    attackers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(USERS):
            addresses = [self.address() for _ in range(2 if number % 8 == 0 else 1)]
            user_id = str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
            agent = self.dice.choice(_AGENTS)
            self.people.append(_Person(f"user{number}@example.com", user_id, addresses, agent))
        self.attackers = [self.address() for _ in range(40)]

    def address(self) -> str:
        """Four of five are of the old family."""
        if self.dice.random() < 0.8:
            return ".".join(str(self.dice.randrange(1, 255)) for _ in range(4))
        return f"2001:db8:{self.dice.randrange(1, 65536):x}:{self.dice.randrange(1, 65536):x}::1"

    def event(self) -> tuple[str, int, str | None, _Person | None, str, str | None]:
        """What happens next: type, success, reason, who, from where, and the one looked at."""
        kind = self.dice.choices(_KINDS, _WEIGHTS)[0]
        person = self.people[int(USERS * self.dice.random() ** 2)]
        address = self.dice.choice(person.addresses)
        if kind == "login_complete" and self.dice.random() < 0.12:
            return kind, 0, self.dice.choice(_REASONS), person, self.dice.choice((address, *self.attackers)), None
        if kind == "user_access":
            other = self.dice.random() < 0.1
            target = self.dice.choice(self.people).id if other else person.id
            refused = other and self.dice.random() < 0.5
            return kind, int(not refused), "access_denied" if refused else None, person, address, target
        if kind == "token_rejected":
            return kind, 0, "token_expired", None, address, None
        return kind, 1, None, person, address, None


def build(directory: Path, rows: int) -> dict[str, object]:
    """A database of `rows` events below `directory`, with its keys; what it took. The same rows at every call."""
    settings = load_settings(environ={}, cwd=directory)
    service = open_service(settings, kind="cli", create=True)
    keys, instance = TrailKeys(service.keys.audit, service.keys.checkpoint), service.keys.instance_id
    service.close()
    path = directory / "app.db"
    started = time.perf_counter()
    with closing(dbapi.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("PRAGMA cache_size=-200000")
        indices = raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='index' AND tbl_name='audit_logs' AND sql IS NOT NULL"
        ).fetchall()
        raw.execute("BEGIN")
        for name, _ in indices:
            raw.execute(f"DROP INDEX {name}")
        _fill(raw, _Scribe(keys, instance), rows)
        for _, sql in indices:
            raw.execute(sql)
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    seconds = time.perf_counter() - started
    return {
        "what": "build",
        "rows": rows,
        "rows_per_second": round(rows / seconds),
        "bytes_per_row": round(path.stat().st_size / rows),
    }


def _fill(raw: Any, scribe: _Scribe, rows: int) -> None:
    insert = f"INSERT INTO audit_logs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  names of our own
    waiting: list[tuple[Any, ...]] = []
    for row in scribe.rows(rows):
        waiting.append(row)
        if len(waiting) == _AT_ONCE:
            raw.executemany(insert, waiting)
            waiting.clear()
    raw.executemany(insert, waiting)
    raw.executemany(
        "INSERT INTO audit_writers (id, kind, generation, host, pid, started_at, closed_at, last_seq, last_mac,"
        " shipped_seq, checkpointed_seq) VALUES (?, 'server', 1, 'bench', 1, ?, ?, ?, ?, 0, ?)",
        scribe.writers(),
    )


class _Scribe:
    """Writes down what happens, as the journals of several workers would."""

    def __init__(self, keys: TrailKeys, instance: str) -> None:
        self._keys = keys
        self._instance = instance
        self._dice = random.Random(20261101)  # noqa: S311  the same trail at every call
        self._world = _World(self._dice)
        self._chains = [
            _Chain(writer_id, chain.derive_writer_key(keys.audit, writer_id))
            for writer_id in (str(uuid.UUID(int=self._dice.getrandbits(128), version=4)) for _ in range(WRITERS))
        ]
        self._end = datetime.now(UTC).replace(microsecond=0)
        self._start = self._end - timedelta(days=DAYS)
        self._now = self._start

    def rows(self, count: int) -> Iterator[tuple[Any, ...]]:
        """So many rows in the order of time, the last of them checkpoints."""
        step = (self._end - self._start) / count
        for number in range(count):
            self._now += step
            mine = self._chains[number % WRITERS]
            if mine.unsigned >= CHECKPOINT_EVERY or number >= count - WRITERS:
                yield self._checkpoint(mine)
                continue
            kind, success, reason, person, address, target = self._world.event()
            email, user_id, agent = (person.email, person.id, person.agent) if person else (None, None, _AGENTS[0])
            what = "refused" if not success else "done"
            yield self._row(
                mine,
                event_type=kind,
                user_email=email,
                user_id=user_id,
                ip_address=address,
                user_agent=agent,
                success=success,
                details=f"{kind.replace('_', ' ').capitalize()} of {email} {what} from IP: {address}",
                actor=user_id if kind == "user_access" else None,
                target_user_id=target,
                reason=reason,
                request_id=f"{self._dice.getrandbits(64):016x}",
                peer_address=address,
                anchors=None if mine.seq else self._anchors(mine, AnchorKind.START, ()).to_text(),
            )

    def writers(self) -> list[tuple[Any, ...]]:
        """Their rows in the table of writers."""
        times = write_time(self._start), write_time(self._end)
        return [(one.writer_id, *times, one.seq, one.mac, one.seq - one.unsigned) for one in self._chains]

    def _checkpoint(self, mine: _Chain) -> tuple[Any, ...]:
        heads = sorted((Head(one.writer_id, one.seq, one.mac) for one in self._chains if one.seq), key=_writer_of)
        anchors = self._anchors(mine, AnchorKind.CHECKPOINT, tuple(heads)).to_text()
        row = self._row(
            mine,
            event_type="checkpoint",
            success=1,
            actor="authctl",
            details="The ends of all chains that have moved were signed",
            anchors=anchors,
            signature=self._keys.sign(anchors),
        )
        mine.unsigned = 0
        return row

    def _anchors(self, mine: _Chain, kind: AnchorKind, heads: tuple[Head, ...]) -> Anchors:
        public = self._keys.public_key if kind is AnchorKind.CHECKPOINT else None
        return Anchors(
            kind=kind,
            instance=self._instance,
            generation=1,
            writer=mine.writer_id,
            seq=mine.seq + 1,
            time=write_time(self._now),
            audit_key=chain.audit_key_id(self._keys.audit),
            heads=heads,
            key=None if public is None else fingerprint_of(public),
            public_key=None if public is None else public.hex(),
        )

    def _row(self, mine: _Chain, **columns: Any) -> tuple[Any, ...]:
        salt = self._dice.randbytes(16)
        values = {
            **columns,
            "id": self._event_id(),
            "created_at": write_time(self._now),
            "writer_id": mine.writer_id,
            "seq": mine.seq + 1,
            "salt": salt,
        }
        personal = ("user_email", "ip_address", "user_agent", "details", "peer_address")
        values["personal_digest"] = chain.digest_personal(salt, *(values.get(name) for name in personal))
        row = (*(values.get(name) for name in COLUMNS[:-1]), b"")
        mac = chain.compute_mac(mine.key, row, mine.mac)
        mine.seq, mine.mac, mine.unsigned = mine.seq + 1, mac, mine.unsigned + 1
        return (*row[:-1], mac)

    def _event_id(self) -> str:
        value = int(self._now.timestamp() * 1000) << 80 | self._dice.getrandbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def _writer_of(head: Head) -> str:
    return head.writer_id
