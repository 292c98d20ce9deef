"""Exports beside writers, and feeds that are killed: what arrives is what the trail holds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from authctl.server.assembly import open_service
from authctl.server.audit.export.cursor import Cursor
from authctl.server.storage.engine import open_database
from authctl.server.storage.sqlite import dbapi
from authctl.settings import load_settings
from tests.builders import shared_keys
from tests.process.started import ROOT, start
from tests.server.audit.export.listeners import Listener

pytestmark = pytest.mark.process

WRITER = Path(__file__).parent / "writing_program.py"
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")


@dataclass
class Folder:
    """A folder with a database that processes work on."""

    path: Path
    url: str

    def environ(self) -> dict[str, str]:
        mine = {name: os.environ[name] for name in _KEPT if name in os.environ}
        keys = {name.upper(): value for name, value in shared_keys().items()}
        return {**mine, **keys, "PYTHONPATH": str(ROOT), "DATABASE_URL": self.url}

    def start(
        self, *words: str, program: tuple[str, ...] = ("-m", "authctl"), **streams: Any
    ) -> subprocess.Popen[bytes]:
        return start([*program, *words], cwd=self.path, env=self.environ(), stdin=subprocess.DEVNULL, **streams)

    def write(self, name: str, count: int) -> subprocess.Popen[bytes]:
        return self.start(name, str(count), program=(str(WRITER),))

    def export(self, *words: str) -> tuple[list[dict[str, Any]], str]:
        """The events of one export, and its cursor."""
        process = self.start("audit", "export", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        cursor = re.search(rb"^cursor: (\S+)$", said, re.MULTILINE)
        return [json.loads(line) for line in out.splitlines()], "" if cursor is None else cursor[1].decode()

    def ids(self, like: str = "%") -> set[str]:
        """What the table holds."""
        database = open_database(self.url)
        try:
            raw = database.driver.connect(readonly=True)
            with closing(raw):
                return {row[0] for row in raw.execute(f"SELECT id FROM audit_logs WHERE event_type LIKE '{like}'")}
        finally:
            database.close()


@pytest.fixture
def folder(tmp_path: Path, any_url: str) -> Folder:
    made = Folder(tmp_path, any_url)
    settings = load_settings(environ={}, cwd=tmp_path, database_url=any_url, **shared_keys())
    if any_url.startswith("postgresql"):
        database = open_database(any_url, create=True)
        database.close()
    open_service(settings, kind="cli", create=True).close()
    return made


def test_exports_in_pieces_beside_two_writers_make_up_the_trail(folder: Folder) -> None:
    writers = [folder.write(name, 60) for name in ("a", "b")]
    seen: list[str] = []
    cursor = ""
    while True:
        is_last = all(writer.poll() is not None for writer in writers)
        rows, cursor = folder.export(*(("--after", cursor) if cursor else ()))
        seen += [row["id"] for row in rows]
        if is_last:
            break
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(seen) == len(set(seen))
    # The last export's own events are not in it.
    missing = folder.ids() - set(seen)
    assert set(seen) <= folder.ids()
    assert missing <= folder.ids("audit_export") | folder.ids("checkpoint")
    assert len([row for row in folder.ids("login_complete") if row in seen]) == 120


def whole_lines(stream: IO[bytes], until: int, ids: list[str]) -> None:
    """Reads lines until so many events have come."""
    while len(ids) < until:
        line = stream.readline()
        if not line.endswith(b"\n"):
            return
        ids.append(json.loads(line)["id"])


def test_a_feed_that_is_killed_loses_nothing(folder: Folder) -> None:
    """At least once: what comes twice is no more than a piece."""
    assert folder.write("a", 300).wait(60) == 0
    seen: list[str] = []
    words = ("audit", "export", "--follow", "--position", "place")
    for enough in (50, 150, 250):
        process = folder.start(*words, stdout=subprocess.PIPE)
        assert process.stdout is not None
        whole_lines(process.stdout, enough, seen)
        process.kill()
        process.wait()
        process.stdout.close()
    writer = folder.write("b", 50)
    process = folder.start(*words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    logins = folder.ids("login_complete")
    while len(logins) < 350 or not logins <= set(seen):
        whole_lines(process.stdout, len(seen) + 1, seen)
        logins = folder.ids("login_complete") if len(logins) < 350 else logins
    assert writer.wait(60) == 0
    _drain(process)
    assert folder.ids("login_complete") <= set(seen)
    assert len(seen) - len(set(seen)) <= 3 * 2000
    assert Cursor.from_text((folder.path / "place").read_text()).named


def _drain(process: subprocess.Popen[bytes]) -> None:
    """Asks for a clean end."""
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    process.stdout.close()
    assert process.wait(20) == 0


def test_a_feed_survives_restarts_and_rotation_and_tells_both_its_ends(folder: Folder) -> None:
    with Listener() as listener:
        process = folder.start(
            *("audit", "export", "--format", "cef", "--follow", "--position", "place"),
            *("--to", f"syslog+tcp://127.0.0.1:{listener.port}"),
            stdout=subprocess.PIPE,
        )
        for name in ("a", "b"):
            assert folder.write(name, 20).wait(60) == 0
            log = folder.path / "app.log"
            log.rename(log.with_suffix(f".{name}"))
        until = time.monotonic() + 20
        while not folder.ids("login_complete") <= _ids(listener) and time.monotonic() < until:
            time.sleep(0.05)
        _drain(process)
        assert folder.ids("login_complete") <= _ids(listener)
    rows, _ = folder.export("--event", "audit_export", "--since", "1h")
    details = [row["details"] for row in rows]
    assert "feed begins" in details[0]
    assert re.search(r"as cef to syslog\+tcp://127\.0\.0\.1:\d+, all events: feed ends after \d+ events", details[1])


def _ids(listener: Listener) -> set[str]:
    return {found[1].decode() for one in listener.received if (found := re.search(rb"externalId=(\S+)", one))}


def test_a_feed_ends_quietly_when_its_reader_has_gone(folder: Folder) -> None:
    assert folder.write("a", 30).wait(60) == 0
    process = folder.start(
        "audit", "export", "--follow", "--position", "place", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert folder.write("b", 3).wait(60) == 0
    assert process.wait(20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    rows, _ = folder.export("--event", "audit_export", "--failure")
    assert [row["reason"] for row in rows] == ["reader_left"]


@pytest.fixture
def large(tmp_path: Path) -> Folder:
    """A trail of 100,000 events, 60 MB as JSON lines."""
    url = f"sqlite:///{tmp_path / 'app.db'}"
    open_service(
        load_settings(environ={}, cwd=tmp_path, database_url=url, **shared_keys()), kind="cli", create=True
    ).close()
    details = "x" * 300
    rows = (
        (f"{number:036}", f"user{number}@example.com", details, f"2026-01-01 00:00:{number / 2000:09.6f}", number)
        for number in range(1, 100_001)
    )
    with closing(dbapi.connect(tmp_path / "app.db", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO audit_logs (id, event_type, user_email, success, details, created_at, writer_id, seq, "
            "personal_digest, mac) VALUES (?, 'login_complete', ?, 1, ?, ?, 'w', ?, x'00', x'00')",
            rows,
        )
        connection.execute("COMMIT")
    return Folder(tmp_path, url)


def peak(folder: Folder, *words: str) -> int:
    """The most memory that a run of the command took, in megabytes."""
    process = folder.start("audit", "export", *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss // 1024


@pytest.mark.parametrize("output_format", ["jsonl", "csv", "ocsf"])
def test_memory_stays_flat_on_a_large_trail(output_format: str, large: Folder) -> None:
    """F-20: at most 32 MB more than for nothing."""
    nothing = peak(large, "--format", output_format, "--since", "0s")
    assert peak(large, "--format", output_format) - nothing <= 32
