"""`authctl audit archive`, and every question with `--archive`."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from authctl.commands.audit import archive as command
from authctl.errors import AuditUnavailable
from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record
from authctl.server.storage.parquet import Column, Kind, ParquetFiles

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.commands.conftest import Home

EVENTS = 6
HERE = "archive"


def a_login(number: int, address: str, *, success: bool = True) -> Event:
    caller = Caller(address, address, f"browser/{number}", f"r{number}")
    return Event(
        EventType.LOGIN_COMPLETE,
        success,
        caller,
        f"login {number}",
        reason=None if success else "invalid_signature",
        user_email="jane@example.com",
        user_id="id-jane",
    )


def log_in(home: Home, *events: Event) -> None:
    """A process that records events and ends."""
    with home.service() as service:
        for event in events:
            service.database.write_now(partial(record, event=event))


def now() -> str:
    return datetime.now(UTC).isoformat()


def archive(home: Home, *words: str, typed: str | None = None) -> Result:
    return home.run("audit", "archive", "--before", now(), "--archive", HERE, *words, typed=typed)


def answer(home: Home, *words: str) -> Any:
    result = home.run("audit", *words, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def filled(home: Home) -> Home:
    """Six logins of one user from three addresses, one of them refused."""
    log_in(home, *(a_login(number, f"192.0.2.{number % 3}", success=number != 4) for number in range(EVENTS)))
    return home


def test_old_events_are_moved_and_the_answer_says_where(filled: Home) -> None:
    result = archive(filled, "--yes", "--format", "json")
    assert result.exit_code == 0, result.output
    (moved,) = json.loads(result.stdout)
    month = f"{datetime.now(UTC):%Y-%m}"
    assert moved["month"] == month
    assert moved["file"] == f"{HERE}/audit-{month}.parquet"
    assert moved["rows"] == EVENTS + 1  # the last is the checkpoint of the process that recorded them
    assert moved["size"] == (filled.path / moved["file"]).stat().st_size
    assert [event.event_type for event in filled.events("login_complete")] == []
    (event,) = filled.events("audit_archive")
    assert event.actor is not None
    assert event.actor.startswith("os:")
    assert event.details is not None
    assert event.details.startswith(f"{EVENTS + 1} events of {month} were moved into the archive {filled.path / HERE}")


def test_the_table_of_the_answer_has_a_hint_on_where_events_are_found(filled: Home) -> None:
    result = archive(filled, "--yes")
    assert result.stdout.splitlines()[0].split() == ["Month", "Events", "File", "Bytes"]
    assert "hint: back up archive like the database" in result.stderr
    result = filled.run("audit", "archive", "--before", "1d", "--archive", HERE, "--yes")
    assert (result.stdout, result.stderr) == ("", "No events were old enough to be moved.\n")


def test_the_question_says_how_many_events_it_is_about(filled: Home) -> None:
    result = archive(filled, typed="n\n")
    assert f"Move {EVENTS + 1} events from before " in result.stderr
    assert len(filled.events("login_complete")) == EVENTS


def test_a_file_in_the_place_of_the_archive_is_told(filled: Home) -> None:
    (filled.path / HERE).write_text("a file")
    result = archive(filled, "--yes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{HERE} is not a directory" in result.stderr


def test_a_dry_run_tells_and_moves_nothing(filled: Home) -> None:
    result = archive(filled, "--dry-run", "--format", "json")
    assert json.loads(result.stdout) == [{"month": f"{datetime.now(UTC):%Y-%m}", "rows": EVENTS + 1}]
    assert len(filled.events("login_complete")) == EVENTS
    assert not (filled.path / HERE).exists()
    assert filled.events("audit_archive") == []


def test_it_asks_first(filled: Home) -> None:
    assert archive(filled, typed="n\n").exit_code == 4
    assert archive(filled).exit_code == 2
    assert not (filled.path / HERE).exists()
    assert archive(filled, typed="y\n").exit_code == 0
    assert (filled.path / HERE / "manifest.json").exists()


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["--before", "2999-01-01"], 2, "still to come"),
        (["--before", "yesteryear"], 2, "--before"),
    ],
)
def test_an_impossible_time_is_refused(filled: Home, words: list[str], exit_code: int, said: str) -> None:
    result = filled.run("audit", "archive", *words, "--archive", HERE, "--yes")
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert not (filled.path / HERE).exists()


def test_without_the_engine_the_hint_says_how_to_get_it(filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert archive(filled, "--yes").exit_code == 0
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for result in (archive(filled, "--yes"), filled.run("audit", "list", "--archive", HERE)):
        assert result.exit_code == 2
        assert "hint: pip install 'authctl[archive]'" in result.stderr


def test_nothing_is_moved_when_the_event_cannot_be_written(filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-03: a failure to write the event rolls the change back, exit ≠ 0."""

    def fail(*args: object) -> None:
        raise AuditUnavailable

    with monkeypatch.context() as patched:
        patched.setattr("authctl.server.audit.removals.record", fail)
        result = archive(filled, "--yes")
    assert result.exit_code == 5
    assert len(filled.events("login_complete")) == EVENTS
    assert archive(filled, "--yes").exit_code == 0
    assert filled.events("login_complete") == []


def test_progress_is_shown_to_whoever_looks(
    filled: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with command._told() as show:
        show("copying", 1)
    assert capsys.readouterr().err == ""
    with monkeypatch.context() as patched:
        patched.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        patched.setenv("TERM", "xterm")
        with command._told() as show:
            show("copying to [b]audit[/b]", 1234)
    err = capsys.readouterr().err
    assert "copying to [b]audit[/b]: 1,234 events" in err


@pytest.fixture
def spanning(filled: Home) -> Home:
    """Six logins in the archive, and two more in the table."""
    assert archive(filled, "--yes").exit_code == 0
    log_in(filled, a_login(6, "192.0.2.9"), a_login(7, "192.0.2.9", success=False))
    return filled


def numbers(events: list[dict[str, Any]]) -> list[str]:
    return [event["details"] for event in events]


def test_every_question_spans_both(spanning: Home) -> None:
    archived = ("--archive", HERE)
    listed = answer(spanning, "list", "--event", "login_complete", *archived)
    assert numbers(listed) == [f"login {n}" for n in range(7, -1, -1)]
    assert numbers(answer(spanning, "list", "--event", "login_complete")) == ["login 7", "login 6"]
    assert numbers(answer(spanning, "failed-logins", *archived)) == ["login 7", "login 4"]
    assert numbers(answer(spanning, "list", "--contains", "LOGIN 3", *archived)) == ["login 3"]
    assert numbers(answer(spanning, "list", "--ip", "192.0.2.0/30", "--limit", "2", *archived)) == [
        "login 5",
        "login 4",
    ]
    about = answer(spanning, "user", "jane@example.com", *archived)
    assert json.dumps(about).count('"login ') >= 8
    (jane,) = answer(spanning, "multi-ip", *archived)
    assert jane["user_email"] == "jane@example.com"
    assert jane["addresses"] == 4
    shown = answer(spanning, "show", listed[-1]["id"], *archived)
    assert shown["details"] == "login 0"


def test_counts_span_both(spanning: Home) -> None:
    counted = answer(spanning, "list", "--event", "login_complete", "--count-by", "success", "--archive", HERE)
    assert sorted(group["total"] for group in counted) == [2, 6]
    whole = answer(spanning, "summary", "--archive", HERE)
    assert whole["total"] == len(answer(spanning, "list", "--limit", "1000", "--archive", HERE))


def test_the_query_of_an_archive_can_be_printed(spanning: Home) -> None:
    result = spanning.run("audit", "failed-logins", "--archive", HERE, "--print-query")
    assert result.exit_code == 0
    assert "read_parquet(['" in result.stdout
    assert "FROM audit_logs" in result.stdout


def test_verify_spans_both(spanning: Home) -> None:
    result = spanning.run("audit", "verify", "--archive", HERE, "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["archived"] == EVENTS + 1
    path = next((spanning.path / HERE).glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    result = spanning.run("audit", "verify", "--archive", HERE)
    assert result.exit_code == 1
    assert "is not the file that was archived" in result.stdout


def test_an_export_spans_both(spanning: Home) -> None:
    result = spanning.run("audit", "export", "--format", "csv", "--event", "login_complete", "--archive", HERE)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["details"] for row in rows] == [f"login {n}" for n in range(8)]
    target = spanning.path / "out.parquet"
    result = spanning.run("audit", "export", "--format", "parquet", "--output", str(target), "--archive", HERE)
    assert result.exit_code == 0, result.output
    files = ParquetFiles()
    files.attach("t", [target], [Column("details", Kind.TEXT)])
    assert len({row[0] for row in files.rows("SELECT details FROM t WHERE details LIKE 'login %'")}) == 8
    files.close()


def test_an_erasure_reaches_the_archive(spanning: Home) -> None:
    result = spanning.run("users", "erase", "jane@example.com", "--yes", "--archive", HERE)
    assert result.exit_code == 0, result.output
    assert answer(spanning, "list", "--user", "jane@example.com", "--archive", HERE) == []
    kept = b"".join(path.read_bytes() for path in (spanning.path / HERE).iterdir())
    assert b"jane@example.com" not in kept
    assert spanning.run("audit", "verify", "--archive", HERE).exit_code == 0


@pytest.mark.parametrize("words", [("list",), ("summary",), ("verify",), ("multi-ip",)])
def test_an_archive_that_is_not_there_is_said_in_one_line(filled: Home, words: tuple[str, ...]) -> None:
    result = filled.run("audit", *words, "--archive", "nowhere")
    assert result.exit_code == 5
    assert "There is no archive in nowhere" in result.stderr
    assert "Traceback" not in result.output


def test_a_damaged_file_is_said_in_one_line(spanning: Home) -> None:
    path = next((spanning.path / HERE).glob("*.parquet"))
    path.write_bytes(b"PAR1 nothing PAR1")
    result = spanning.run("audit", "list", "--archive", HERE)
    assert result.exit_code == 5
    assert f"{path.name} cannot be read" in result.stderr


def test_a_move_runs_beside_a_service(filled: Home) -> None:
    with filled.service() as service:
        service.database.write_now(partial(record, event=a_login(10, "192.0.2.1")))
        assert archive(filled, "--yes").exit_code == 0
        service.database.write_now(partial(record, event=a_login(11, "192.0.2.1")))
    assert numbers(answer(filled, "list", "--event", "login_complete", "--archive", HERE))[:2] == [
        "login 11",
        "login 10",
    ]
    assert filled.run("audit", "verify", "--archive", HERE).exit_code == 0
