"""Builds an archive of many believable events and asks it every question, each as a whole command."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from authctl.server.assembly import open_service
from authctl.server.audit.archive.columns import NAMES, TIME
from authctl.server.audit.archive.copying import digest_of
from authctl.server.audit.archive.manifest import ArchiveFile, Manifest, make_directory, write_manifest
from authctl.server.audit.keys import TrailKeys
from authctl.server.storage.parquet import ParquetFiles, scan
from authctl.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTHS = tuple(f"{2024 + (9 + n) // 12}-{(9 + n) % 12 + 1:02}" for n in range(12))
QUESTIONS: dict[str, tuple[str, ...]] = {
    "newest failed logins": ("failed-logins", "--limit", "100"),
    "of a user": ("user", "anna.smith140@example.com", "--limit", "100"),
    "of a user who is rare": ("list", "--user", "anna.smith14140@example.com"),
    "of an account": ("list", "--user", "00000000-0000-4000-a000-000000000000"),
    "of a network": ("list", "--ip", "198.51.100.0/24"),
    "of a network, none": ("list", "--ip", "192.0.4.0/22"),
    "of an IPv6 network, none": ("list", "--ip", "2001:db9:8::/45"),
    "contains, many": ("list", "--contains", "anna"),
    "contains, none": ("list", "--contains", "nowhere-to-be-found"),
    "agent, none": ("list", "--agent", "curl"),
    "refused access": ("denied", "--limit", "100"),
    "several addresses": ("multi-ip",),
    "summary": ("summary",),
    "summary of a week": ("summary", "--since", "2025-08-01", "--until", "2025-08-08"),
    "count by type": ("list", "--count-by", "event_type"),
    "count by address": ("list", "--count-by", "ip_address", "--limit", "20"),
    "count by user": ("list", "--count-by", "user_email", "--limit", "20"),
    "count by agent": ("list", "--count-by", "user_agent", "--limit", "20"),
    "count by day": ("list", "--count-by", "day", "--limit", "400"),
    "count failures by reason": ("list", "--failure", "--count-by", "reason"),
}
"""What is asked; half of the users come rarely, 500 of 20,000 all the time."""


def measure_archive(rows: int, repeat: int, keep: Path | None) -> Iterator[dict[str, object]]:
    """One line about the archive, and one for each question: the quickest of some runs of the whole command.

    keep  a directory that is filled once and used again
    """
    home = Path(tempfile.mkdtemp(prefix="authctl-bench-")) if keep is None else keep
    try:
        home.mkdir(exist_ok=True)
        _run(home, "db", "upgrade")
        if not (home / "archive").exists():
            _make(home, rows)
        files = sorted((home / "archive").glob("*.parquet"))
        size = sum(file.stat().st_size for file in files)
        yield {"what": "archive", "rows": rows, "files": len(files), "bytes_per_row": round(size / rows, 1)}
        for name, words in QUESTIONS.items():
            yield {"what": "archive", "question": name, **_best(home, words, repeat)}
    finally:
        if keep is None:
            shutil.rmtree(home)


def _best(home: Path, words: tuple[str, ...], repeat: int) -> dict[str, object]:
    walls, cpus, lines = [], [], 0
    for _ in range(repeat):
        before, started = _cpu(), time.perf_counter()
        lines = len(_run(home, "audit", *words, "--archive", "archive", "--format", "jsonl").splitlines())
        walls.append(time.perf_counter() - started)
        cpus.append(_cpu() - before)
    return {"seconds": round(min(walls), 2), "cpu_seconds": round(min(cpus), 2), "lines": lines}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(home: Path, *words: str) -> bytes:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "authctl", *words]
    return subprocess.run(command, cwd=home, env=environment, stdout=subprocess.PIPE, check=True).stdout


def _make(home: Path, rows: int) -> None:
    """Twelve months, written as the program itself writes them."""
    directory = home / "archive"
    make_directory(directory)
    service = open_service(load_settings(cwd=home), kind="cli")
    keys = TrailKeys(service.keys.audit, service.keys.checkpoint)
    manifest = Manifest(service.keys.instance_id)
    service.close()
    each = rows // len(MONTHS)
    for number, month in enumerate(MONTHS):
        path = directory / f"audit-{month}.parquet"
        with closing(ParquetFiles(threads=1)) as files:
            files.write(path, _month(number * each, each, month))
            ((first, last),) = files.rows(f"SELECT min(t), max(t) FROM (SELECT {TIME} AS t FROM {scan([path])})")  # noqa: S608
        file = ArchiveFile(
            path.name, month, each, first, last, path.stat().st_size, digest_of(path), (), is_moved=True
        )  # fmt: skip
        manifest = manifest.with_file(file)
        write_manifest(directory, manifest, keys)


def _month(begin: int, rows: int, month: str) -> str:
    """Logins of 20,000 people, 1 in 20 refused, some from elsewhere; chains of three writers."""
    step = 28 * 86_400_000_000 // rows
    people = f"""
SELECT i AS n, hash(i) % 100 AS kind, (hash(i + 7) % 20000)::BIGINT AS anybody,
  (CASE WHEN hash(i + 3) % 4 = 0 THEN anybody % 500 ELSE anybody END)::BIGINT AS person,
  TIMESTAMP '{month}-01' + to_microseconds((i - {begin}) * {step} + (hash(i + 5) % 1000)::BIGINT) AS created_at,
  lpad(to_hex(epoch_ms(created_at)), 12, '0') AS ms, md5(i::VARCHAR) AS h,
  (['anna', 'bert', 'carla', 'dieter', 'emma', 'fritz', 'greta', 'hans', 'ida', 'jan'])[1 + person % 10] || '.' ||
  (['smith', 'jones', 'miller', 'garcia', 'novak', 'rossi', 'dubois'])[1 + person % 7] || person AS name,
  md5('user' || person) AS u, md5('writer' || (i % 3) || '{month}') AS w,
  concat(u[1:8], '-', u[9:12], '-4', u[13:15], '-a', u[16:18], '-', u[19:30]) AS account,
  concat(w[1:8], '-', w[9:12], '-4', w[13:15], '-a', w[16:18], '-', w[19:30]) AS writer_id,
  (i - {begin}) // 3 + 1 AS seq
FROM range({begin}, {begin + rows}) AS t(i)"""  # noqa: S608
    events = f"""
SELECT *, name || '@example.com' AS email,
  CASE WHEN hash(n + 9) % 50 = 0 THEN '198.51.100.' || (n % 256)
    WHEN person % 10 = 0 THEN '2001:db8:' || to_hex(person + 1) || '::' || to_hex(1 + n % 3)
    ELSE '203.' || (person % 7) || '.' || (person // 250 % 250) || '.' || (1 + person % 250) END AS ip_address,
  CASE WHEN kind < 42 THEN 'login_begin' WHEN kind < 84 THEN 'login_complete' WHEN kind < 95 THEN 'user_access'
    WHEN kind < 98 THEN 'token_rejected' ELSE 'rate_limited' END AS event_type,
  (NOT (kind >= 95 OR kind >= 42 AND hash(n + 1) % 20 = 0))::BIGINT AS success
FROM ({people})"""  # noqa: S608
    columns = ", ".join(f"{_VALUES[name]} AS {name}" if name in _VALUES else name for name in NAMES)
    return f"SELECT {columns} FROM ({events}) ORDER BY created_at, id"  # noqa: S608


_SYSTEMS = (
    "['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64', "
    "'iPhone; CPU iPhone OS 19_1 like Mac OS X']"
)
_VALUES = {
    "id": "concat(ms[1:8], '-', ms[9:12], '-7', h[1:3], '-', '89ab'[1 + n % 4], h[4:6], '-', h[7:18])",
    "user_email": "CASE WHEN kind < 95 THEN email END",
    "user_id": "CASE WHEN success = 1 THEN account END",
    "user_agent": (
        f"'Mozilla/5.0 (' || ({_SYSTEMS})[1 + person % 4] || ') AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || "
        "(120 + person % 23 + month(created_at)) || '.0.0.0 Safari/537.36'"
    ),
    "details": (
        "CASE event_type WHEN 'login_begin' THEN 'Login of ' || email || ' begun from IP: ' || ip_address "
        "WHEN 'login_complete' THEN CASE success WHEN 1 THEN 'User ' || name || ' logged in from IP: ' || ip_address "
        "ELSE 'Login of ' || email || ' refused from IP: ' || ip_address || ': the signature does not verify' END "
        "WHEN 'user_access' THEN 'User ' || name || ' accessed by themselves (role: user) from IP: ' || ip_address "
        "ELSE event_type || ' refused from IP: ' || ip_address || ': token expired' END"
    ),
    "actor": "CASE WHEN success = 1 THEN account END",
    "target_user_id": "CASE WHEN event_type = 'user_access' THEN account END",
    "reason": (
        "CASE WHEN success = 0 THEN "
        "(['invalid_signature', 'unknown_user', 'challenge_expired', 'token_expired'])[1 + n % 4] END"
    ),
    "request_id": "md5(n || 'request')",
    "peer_address": "'10.0.0.' || (n % 4)",
    "salt": "unhex(md5(n || 'salt'))",
    "personal_digest": "unhex(sha256(n || 'personal'))",
    "anchors": "NULL::VARCHAR",
    "signature": "NULL::BLOB",
    "mac": "unhex(sha256(n || 'mac'))",
}
"""How columns are made that the events do not have yet."""
