"""`audit export`: what it writes, what it leaves, and what the trail knows of it."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import sqlite3
import stat
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from authctl.commands._output import ReaderLeft
from authctl.commands._progress_bar import progress
from authctl.commands.audit import _exporting
from authctl.commands.audit._exporting import Job
from authctl.errors import AuditUnavailable, StorageUnavailable
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.export.files import NewFile
from authctl.server.audit.export.own_events import in_words
from authctl.server.audit.queries import EventQuery, to_filter
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.commands.conftest import Home

AGENT = "=cmd|'/c calc'!A0\x1b[2J\u202e"


def leave(home: Home, *emails: str, success: bool = True) -> None:
    caller = Caller("192.0.2.1", "192.0.2.1", AGENT, "r1")
    with home.service() as service:
        for email in emails:
            event = Event(EventType.LOGIN_COMPLETE, success, caller, f"User {email}", user_email=email, user_id="u1")
            service.database.write_now(lambda tx, event=event: record(tx, event))  # type: ignore[misc]


def cursor_of(result: Result) -> str:
    found = re.search(r"^cursor: (\S+)$", result.stderr, re.MULTILINE)
    assert found is not None, result.stderr
    return found[1]


def emails(text: str) -> list[str]:
    rows = [json.loads(line) for line in text.splitlines()]
    return [row["user_email"] for row in rows if row["event_type"] == "login_complete"]


@pytest.fixture
def trail(home: Home) -> Home:
    leave(home, "a@example.com", "b@example.com")
    leave(home, "c@example.com", success=False)
    return home


def test_export_writes_json_lines_oldest_first_to_stdout(trail: Home) -> None:
    result = trail.run("audit", "export")
    assert result.exit_code == 0
    assert emails(result.stdout) == ["a@example.com", "b@example.com", "c@example.com"]
    assert re.search(r"^\d+ events exported$", result.stderr, re.MULTILINE)


def test_export_goes_on_from_a_cursor(trail: Home) -> None:
    cursor = cursor_of(trail.run("audit", "export"))
    leave(trail, "d@example.com")
    result = trail.run("audit", "export", "--after", cursor)
    assert emails(result.stdout) == ["d@example.com"]
    assert '"audit_export"' in result.stdout
    empty = trail.run("audit", "export", "--after", cursor_of(result), "--event", "login_complete")
    assert (empty.exit_code, empty.stdout) == (0, "")


def test_export_keeps_its_position_in_a_file(trail: Home) -> None:
    words = ("audit", "export", "--position", "position", "--output", "new.jsonl")
    assert trail.run(*words).exit_code == 0
    assert len(emails((trail.path / "new.jsonl").read_text())) == 3
    leave(trail, "d@example.com")
    assert trail.run(*words).exit_code == 0
    assert emails((trail.path / "new.jsonl").read_text()) == ["d@example.com"]
    for name in ("position", "new.jsonl"):
        assert stat.S_IMODE((trail.path / name).stat().st_mode) == 0o600


def test_the_export_is_an_event_of_its_operator(trail: Home) -> None:
    """R-LG-10."""
    trail.run("audit", "export", "--format", "csv", "--failure", "--user", "c@example.com", "--output", "out.csv")
    event = trail.events("audit_export")[0]
    assert event.success == 1
    assert event.actor is not None
    assert event.actor.startswith("os:")
    assert event.user_email == "c@example.com"
    assert event.details == (
        f"Audit trail as csv to file {trail.path / 'out.csv'}, events of one user, without success: exported 1 event, "
        f"by {event.actor} from the command line"
    )


def test_words_of_a_filter_name_no_person() -> None:
    query = EventQuery(
        ids=("01a20ce6-37ea-7958-a969-e08df3d5f380",),
        events=("login_complete", "!server_start"),
        user="jane@example.com",
        ips=("192.0.2.0/24",),
        agent="curl",
        reasons=("a", "!b"),
        contains="x",
        success=True,
        since=None,
    )
    assert in_words(to_filter(query)) == (
        "events with id 01a20ce6-37ea-7958-a969-e08df3d5f380, "
        "of type login_complete, not of type server_start, of one user, from 192.0.2.0/24, "
        "with reason a, not with reason b, with success, with user agent 'curl', with text 'x'"
    )
    assert in_words(to_filter(EventQuery())) == "all events"


@pytest.mark.parametrize("output_format", ["jsonl", "csv", "cef", "ecs", "ocsf"])
def test_a_hostile_user_agent_comes_out_harmless(output_format: str, trail: Home) -> None:
    """R-CL-01, R-LG-09, V-42, V-43."""
    result = trail.run("audit", "export", "--format", output_format)
    assert result.exit_code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", result.stdout.replace("\r\n", "\n"))
    if output_format == "csv":
        rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
        assert {row["user_agent"][:5] for row in rows if row["event_type"] == "login_complete"} == {"'=cmd"}


def test_parquet_is_a_file_of_typed_columns(trail: Home) -> None:
    result = trail.run("audit", "export", "--format", "parquet", "--output", "out.parquet", "--event", "login_complete")
    assert result.exit_code == 0, result.stderr
    path = trail.path / "out.parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with duckdb.connect() as engine:
        engine.execute(f"SELECT user_email, success, typeof(created_at) FROM '{path}' ORDER BY created_at, id")
        found = engine.fetchall()
    assert [row[:2] for row in found] == [("a@example.com", True), ("b@example.com", True), ("c@example.com", False)]
    assert found[0][2] == "TIMESTAMP WITH TIME ZONE"
    assert "exported 3 events" in str(trail.events("audit_export")[0].details)


def test_parquet_says_what_is_missing_without_its_engine(trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    result = trail.run("audit", "export", "--format", "parquet", "--output", "out.parquet")
    assert result.exit_code == 2
    assert "authctl[archive]" in result.stderr
    assert not list(trail.path.glob("*parquet*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "jsonn"), "did you mean jsonl?"),
        (("--format", "parquet"), "--output FILE"),
        (("--format", "parquet", "--follow"), "A feed cannot be Parquet"),
        (("--after", "nonsense"), "not one that `audit export` gave"),
        (("--after", "x", "--position", "y"), "take one of them"),
        (("--to", "syslog://127.0.0.1"), "--to needs --follow"),
        (("--ca", "ca.pem"), "--ca means nothing without --to"),
        (("--follow", "--to", "syslog://127.0.0.1", "--ca", "ca.pem"), "--ca means nothing without TLS"),
        (("--follow", "--to", "syslog+tls://127.0.0.1", "--ca", "ca.pem"), "ca.pem cannot be read: No such file"),
        (("--follow", "--to", "syslog+tls://127.0.0.1", "--ca", "garbage"), "garbage holds no certificate"),
        (("--follow", "--to", "http://127.0.0.1"), "syslog+tls://"),
        (("--follow", "--output", "x"), "not to --output"),
        (("--follow", "--until", "2026-01-01"), "leave out --until"),
        (("--follow", "--archive", "x"), "reads the database alone"),
        (("--output", "."), "is a directory"),
        (("--output", "link"), "is a symbolic link"),
        (("--position", "."), "is a directory"),
        (("--position", "garbage"), "garbage holds no cursor"),
        (("--position", "nowhere/position"), "There is no directory nowhere"),
        (("--event", "login_complet"), "did you mean login_complete?"),
        (("--since", "1h", "--until", "2h"), "--since has to be before --until"),
    ],
)
def test_export_explains_what_cannot_be(words: tuple[str, ...], said: str, trail: Home) -> None:
    (trail.path / "link").symlink_to("app.db")
    (trail.path / "garbage").write_text("garbage")
    before = sorted(entry.name for entry in trail.path.iterdir())
    result = trail.run("audit", "export", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert sorted(entry.name for entry in trail.path.iterdir()) == before


def test_a_cursor_of_the_time_before_a_reset_is_refused(trail: Home) -> None:
    cursor = cursor_of(trail.run("audit", "export"))
    assert trail.run("reset", "--yes").exit_code == 0
    result = trail.run("audit", "export", "--after", cursor)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "before the database was reset" in result.stderr
    assert trail.events("audit_export") == []


def test_a_missing_folder_or_database_is_an_error_of_storage(trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    result = trail.run("audit", "export", "--output", "nowhere/out")
    assert result.exit_code == 5
    assert "nowhere" in result.stderr
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere.db")
    assert trail.run("audit", "export").exit_code == 5


def refuse(*_: object, **__: object) -> Any:
    raise AuditUnavailable


def test_an_export_that_is_not_in_the_trail_leaves_no_file(trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-LG-01, R-LG-10."""
    monkeypatch.setattr(Job, "record", refuse)
    result = trail.run("audit", "export", "--output", "out", "--position", "position")
    assert result.exit_code == 5
    assert "cannot be written" in result.stderr
    assert "the end of the export is not in the audit trail" in result.stderr
    assert not (trail.path / "out").exists()
    assert not (trail.path / "position").exists()
    assert not list(trail.path.glob(".out*"))


@pytest.mark.parametrize(
    ("error", "number", "reason"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 5, "failed"),
        (StorageUnavailable(), 5, "failed"),
    ],
)
def test_an_export_that_ends_early_leaves_an_event_and_no_file(
    error: BaseException, number: int, reason: str, trail: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: NewFile, data: bytes) -> None:
        if data:
            raise error

    monkeypatch.setattr(NewFile, "write", fail)
    (trail.path / "out").write_text("older")
    result = trail.run("audit", "export", "--output", "out", "--position", "position")
    assert result.exit_code == number
    assert (trail.path / "out").read_text() == "older"
    assert not (trail.path / "position").exists()
    assert not list(trail.path.glob(".out*"))
    event = trail.events("audit_export")[0]
    assert (event.success, event.reason) == (0, reason)
    assert "ended early after 0 events" in str(event.details)


class Pipe(io.StringIO):
    """A standard output whose reader has gone."""

    class _Buffer(io.BytesIO):
        def write(self, data: Any) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    buffer = _Buffer()


def test_a_reader_that_has_seen_enough_is_no_error(trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _job(trail)
    monkeypatch.setattr(sys, "stdout", Pipe())
    with pytest.raises(ReaderLeft):
        _exporting.run_once(job)
    with pytest.raises(ReaderLeft):
        _exporting._flush_stdout()


def _job(home: Home) -> Job:
    from authctl.server.audit.export.catalogue import FormatName
    from authctl.settings import load_settings

    assert home.path.exists()
    return Job(load_settings(), FormatName.JSONL, to_filter(EventQuery(order="oldest")))


def test_sigterm_ends_an_export_like_ctrl_c(trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NewFile, "finish", lambda self: signal.raise_signal(signal.SIGTERM))
    result = trail.run("audit", "export", "--output", "out")
    assert result.exit_code == 130
    assert not (trail.path / "out").exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_events_that_left_the_database_since_the_last_export_are_told(trail: Home) -> None:
    cursor = cursor_of(trail.run("audit", "export"))
    leave(trail, "d@example.com")
    with sqlite3.connect(trail.path / "app.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM audit_logs WHERE user_email = 'd@example.com'")
    connection.close()
    result = trail.run("audit", "export", "--after", cursor)
    assert "1 event was archived or removed before this export" in result.stderr


def test_the_query_can_be_read_without_running_it(trail: Home) -> None:
    result = trail.run("audit", "export", "--print-query", "--failure")
    assert result.stdout.startswith("SELECT id, created_at")
    assert "ORDER BY created_at ASC" in result.stdout
    assert trail.events("audit_export") == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_to_who_watches(trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("Exporting", 10) as advance:
        advance(5)
    assert "Exporting" in terminal.getvalue()
    job = _job(trail)
    job.output = trail.path / "out"
    _exporting.run_once(job)
    assert job.count > 2


def test_nobody_is_shown_progress_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Exporting", None) as advance:
        advance(5)
    assert capsys.readouterr() == ("", "")


def test_an_archive_and_the_database_are_exported_together(trail: Home) -> None:
    everything = trail.run("audit", "export").stdout
    leave(trail, "d@example.com")
    assert trail.run("audit", "archive", "--before", "0s", "--archive", "store", "--yes").exit_code == 0
    alone = trail.run("audit", "export").stdout
    assert len(emails(alone)) < 4
    together = trail.run("audit", "export", "--archive", "store")
    assert together.exit_code == 0, together.stderr
    assert emails(together.stdout) == ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]
    assert set(everything.splitlines()) <= set(together.stdout.splitlines())
