"""`authctl audit verify`, `checkpoint` and `prune` as an operator uses them."""

from __future__ import annotations

import json
import os
import signal
import stat
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.commands.audit import prune as prune_command
from authctl.server.assembly import open_service
from authctl.server.audit import retention
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record
from authctl.settings import load_settings
from tests.commands.test_audit import tamper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.commands.conftest import Home


def a_login(number: int, *, success: bool = True) -> Event:
    caller = Caller("192.0.2.1", "192.0.2.1", "curl/8", f"r{number}")
    return Event(EventType.LOGIN_COMPLETE, success, caller, f"login {number}", user_email=f"user{number}@example.com")


def log_in(home: Home, days_ago: float, *events: Event) -> None:
    """A process that ran some days ago, and ended."""
    clock = FixedClock(datetime.now(UTC) - timedelta(days=days_ago))
    service = open_service(load_settings(), kind="cli", clock=clock)
    try:
        for event in events:
            service.database.write_now(partial(record, event=event))
            clock.advance(1)
    finally:
        service.close()


@pytest.fixture
def old(home: Home) -> Home:
    """Four old logins, one of them a failure, and a young one; each process adds a checkpoint."""
    log_in(home, 100, *(a_login(number, success=number != 2) for number in range(1, 5)))
    log_in(home, 0, a_login(5))
    return home


def rows(home: Home, event_type: str) -> int:
    return sum(1 for event in home.events() if event.event_type == event_type)


# checkpoint


def test_a_checkpoint_is_printed_as_one_document(old: Home) -> None:
    result = old.run("audit", "checkpoint")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["type"] == "authctl checkpoint"
    line = old.run("audit", "checkpoint", "--format", "jsonl").stdout
    assert line.count("\n") == 1
    assert json.loads(line) == document, "nothing has moved since"


def test_a_checkpoint_is_written_privately_and_whole(old: Home) -> None:
    (old.path / "kept.json").write_text("an older one")
    result = old.run("audit", "checkpoint", "--output", "kept.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("is in kept.json\n")
    path = old.path / "kept.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes())["signature"]
    assert list(old.path.glob(".kept*")) == []


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("--format", "csv"), 2, "one JSON document"),
        (("--output", "app.keys"), 2, "app.keys is a directory"),
        (("--output", "nowhere/kept.json"), 5, "No such file or directory"),
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_explained(
    old: Home, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    result = old.run("audit", "checkpoint", *words)
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert result.stderr.count("error: ") == 1


def test_there_is_nothing_to_sign_in_an_empty_trail(home: Home) -> None:
    result = home.run("audit", "checkpoint")
    assert result.exit_code == 4
    assert "nothing to sign" in result.stderr


# verify


def test_a_trail_is_held_against_a_kept_checkpoint(old: Home) -> None:
    old.run("audit", "checkpoint", "--output", "kept.json")
    document = json.loads((old.path / "kept.json").read_bytes())
    assert old.run("audit", "verify", "--checkpoint", "kept.json").exit_code == 0
    tamper(old, f"DELETE FROM audit_logs WHERE id = '{document['event_id']}'")
    result = old.run("audit", "verify", "--checkpoint", "kept.json", "--format", "json")
    assert result.exit_code == 4
    verdict = json.loads(result.stdout)
    assert verdict["status"] == "truncated"
    missing = next(finding for finding in verdict["findings"] if finding["kind"] == "checkpoint_missing")
    assert (missing["writer_id"], missing["seq"]) == (document["writer"], document["seq"])
    assert missing["event_id"] == document["event_id"]


def test_only_what_came_behind_a_checkpoint_is_looked_at(old: Home) -> None:
    old.run("audit", "checkpoint", "--output", "kept.json")
    event_id = json.loads((old.path / "kept.json").read_bytes())["event_id"]
    log_in(old, 0, a_login(6))
    tamper(old, "UPDATE audit_logs SET user_id = 'x' WHERE user_email = 'user1@example.com'")
    for since in ("kept.json", event_id, event_id.upper()):
        assert old.run("audit", "verify", "--since", since).exit_code == 0
    assert old.run("audit", "verify").exit_code == 1


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("--since", "0190a1b2-0000-7000-8000-000000000000"), 3, "There is no event"),
        (("--since", "kept.json"), 5, "No such file or directory"),
        (("--checkpoint", "kept.json"), 5, "No such file or directory"),
        (("--checkpoint", "."), 5, "Is a directory"),
        (("--checkpoint", "app.log"), 2, "app.log is no checkpoint"),
        (("--since", "app.log"), 2, "app.log is no checkpoint"),
        (("--since", "app.log", "--archive", "x"), 2, "--since leaves out what is archived"),
        (("--archive", "nowhere"), 5, "nowhere"),
    ],
)
def test_what_cannot_be_verified_is_explained_in_one_line(
    old: Home, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    result = old.run("audit", "verify", *words)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert said in result.stderr
    assert result.stderr.count("error: ") == 1


def test_an_event_that_is_no_checkpoint_is_no_beginning(old: Home) -> None:
    event = next(event for event in old.events() if event.event_type == "login_complete")
    result = old.run("audit", "verify", "--since", event.id)
    assert result.exit_code == 2
    assert "is no checkpoint" in result.stderr


def test_findings_name_writer_sequence_event_and_what_differs(old: Home) -> None:
    """R-LG-06."""
    event = next(event for event in old.events() if event.user_email == "user3@example.com")
    tamper(old, "UPDATE audit_logs SET user_email = 'x@example.com' WHERE user_email = 'user3@example.com'")
    result = old.run("audit", "verify")
    assert result.exit_code == 1
    for text in ("row_altered", "line_altered", event.writer_id, event.id, "in user_email", "the line is what was"):
        assert text in result.stdout


def test_a_pruned_and_archived_trail_is_verified_with_its_archive(old: Home) -> None:
    before = (datetime.now(UTC) - timedelta(days=50)).isoformat()
    moved = old.run("audit", "archive", "--before", before, "--archive", "store", "--yes")
    assert moved.exit_code == 0, moved.stderr
    verdict = json.loads(old.run("audit", "verify", "--archive", "store", "--format", "json").stdout)
    assert (verdict["status"], verdict["archived"], verdict["removed"]) == ("intact", 5, 0)
    assert old.run("audit", "verify").exit_code == 0
    (path,) = (old.path / "store").glob("*.parquet")
    path.unlink()
    result = old.run("audit", "verify", "--archive", "store", "--format", "json")
    assert result.exit_code == 1
    kinds = {finding["kind"] for finding in json.loads(result.stdout)["findings"]}
    assert kinds == {"archive_altered", "archive_rows_missing"}


def test_events_that_are_on_their_way_into_the_archive_are_in_both_and_equal(
    old: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: Any, **options: Any) -> int:
        raise KeyboardInterrupt

    before = (datetime.now(UTC) - timedelta(days=50)).isoformat()
    with monkeypatch.context() as patched:
        patched.setattr("authctl.server.audit.archive.writing.remove_rows", stop)
        assert old.run("audit", "archive", "--before", before, "--archive", "store", "--yes").exit_code == 130
    result = old.run("audit", "verify", "--archive", "store", "--format", "json")
    verdict = json.loads(result.stdout)
    assert (result.exit_code, verdict["status"], verdict["archived"]) == (0, "intact", 0)
    assert "was interrupted" in result.stderr
    tamper(old, "UPDATE audit_logs SET user_email = 'x@example.com' WHERE user_email = 'user3@example.com'")
    findings = json.loads(old.run("audit", "verify", "--archive", "store", "--format", "json").stdout)["findings"]
    (finding,) = [finding for finding in findings if finding["kind"] == "archive_altered"]
    assert finding["sentence"].endswith("differs between table and archive in user_email")


# prune


def test_a_dry_run_tells_what_would_go_and_touches_nothing(old: Home) -> None:
    before = old.path.joinpath("app.db").read_bytes()
    result = old.run("audit", "prune", "--before", "30d", "--dry-run")
    assert result.exit_code == 0
    assert "login_complete" in result.stdout
    assert "5 events, from " in result.stderr
    assert old.path.joinpath("app.db").read_bytes() == before
    preview = json.loads(old.run("audit", "prune", "--before", "30d", "--dry-run", "--format", "json").stdout)
    assert preview["rows"] == 5
    assert preview["by_type"] == {"login_complete": 4, "checkpoint": 1}
    assert preview["oldest"] < preview["newest"]


def test_a_dry_run_says_that_nothing_would_go(old: Home) -> None:
    result = old.run("audit", "prune", "--before", "1y", "--dry-run")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events would be removed.\n")


def test_old_events_go_and_the_trail_still_verifies(old: Home) -> None:
    """R-LG-11, R-CL-03."""
    result = old.run("audit", "prune", "--before", "30d", "--yes", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["removed"] == 5
    assert rows(old, "login_complete") == 1
    (event,) = old.events("audit_prune")
    assert (event.actor or "").startswith("os:")
    assert "5 events from before" in (event.details or "")
    assert old.run("audit", "verify").exit_code == 0
    again = old.run("audit", "prune", "--before", "30d")
    assert (again.exit_code, again.stdout.split(" from ")[0]) == (0, "0 events")


def test_failures_are_kept_for_longer(old: Home) -> None:
    result = old.run("audit", "prune", "--before", "30d", "--keep-failures", "1y", "--yes")
    assert result.exit_code == 0
    assert result.stdout.startswith("4 events from before ")
    assert "1 old event stays: failures are kept longer" in result.stderr
    assert [event.success for event in old.events("login_complete")] == [True, False]


def test_it_asks_first(old: Home) -> None:
    refused = old.run("audit", "prune", "--before", "30d", typed="n\n")
    assert refused.exit_code == 4
    assert "Remove 5 events from before" in refused.stderr
    assert old.run("audit", "prune", "--before", "30d", typed="").exit_code == 2
    assert rows(old, "login_complete") == 5
    assert old.run("audit", "prune", "--before", "30d", typed="y\n").exit_code == 0
    assert rows(old, "login_complete") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--before", "1h"), "last 24 hours always stay"),
        (("--before", "2999-01-01"), "last 24 hours always stay"),
        (("--before", "yesterday"), "--before yesterday: that is not a time"),
        (("--before", "30d", "--keep-failures", "long"), "--keep-failures long: that is not a span"),
        (("--before", "30d", "--keep-failures", "9999y"), "before the calendar begins"),
        ((), "Missing option '--before'"),
    ],
)
def test_a_slip_removes_nothing(old: Home, words: tuple[str, ...], said: str) -> None:
    result = old.run("audit", "prune", *words, "--yes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert rows(old, "login_complete") == 5


def test_it_says_how_far_it_came_when_it_is_interrupted(old: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Ctrl-C as by SIGTERM."""
    monkeypatch.setattr(retention, "BATCH", 2)
    found = retention.Retention.prune

    def prune(self: retention.Retention, *args: Any) -> Iterator[int]:
        yield next(found(self, *args))
        os.kill(os.getpid(), signal.SIGTERM)
        yield 0

    monkeypatch.setattr(retention.Retention, "prune", prune)
    result = old.run("audit", "prune", "--before", "30d", "--yes")
    assert result.exit_code == 130
    assert "stopped after 2 of 5 events" in result.stderr


def test_what_stays_is_told(old: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = retention.Preview(0, {}, None, None, 0, 3, 1)
    monkeypatch.setattr(retention.Retention, "preview", lambda self, cutoff: preview)
    result = old.run("audit", "prune", "--before", "30d", "--yes")
    assert result.exit_code == 0
    assert "3 old events stay: the audit file has not got them yet" in result.stderr
    assert "1 old event stays: at the end of a chain" in result.stderr


def test_the_help_says_what_is_left_to_the_operator(home: Home) -> None:
    text = " ".join(home.run("audit", "prune", "--help").stdout.split())
    assert "left to its rotation" in text
    assert "VACUUM" in text
    assert prune_command.__doc__
