from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.cli import app
from authctl.commands.audit._spans import Spans, spans_between
from authctl.server.audit.records import Group
from tests.commands.test_audit_questions import HOSTILE, event, leave
from tests.commands.test_output import ACTS, on_terminal

if TYPE_CHECKING:
    from tests.commands.conftest import Home

START = datetime(2026, 6, 1, 12, 34, 56, tzinfo=UTC)


@pytest.fixture
def trail(home: Home) -> Home:
    leave(
        home,
        *(event(user_email="jane@example.com") for _ in range(3)),
        event(success=False, user_email="jane@example.com", reason="signature_invalid", address="203.0.113.9"),
        event(success=False, reason="credential_unknown", address="203.0.113.9"),
    )
    return home


def summed(home: Home, *words: str) -> Any:
    return json.loads(home.run("audit", "summary", "--event", "login_complete", *words, "--format", "json").stdout)


def test_the_numbers_are_those_of_the_trail(trail: Home) -> None:
    found = summed(trail)
    assert (found["total"], found["failures"]) == (5, 2)
    assert [(row["event_type"], row["success"], row["total"]) for row in found["events"]] == [
        ("login_complete", True, 3),
        ("login_complete", False, 2),
    ]
    assert [(row["ip_address"], row["total"], row["failures"]) for row in found["addresses"]] == [
        ("192.0.2.1", 3, 0),
        ("203.0.113.9", 2, 2),
    ]
    assert [(row["user_email"], row["total"], row["failures"]) for row in found["users"]] == [
        ("jane@example.com", 4, 1)
    ]
    assert [row["reason"] for row in found["reasons"]] == ["credential_unknown", "signature_invalid"]
    assert sum(span["total"] for span in found["over_time"]["spans"]) == 5
    assert sum(span["failures"] for span in found["over_time"]["spans"]) == 2


def test_the_lists_are_as_long_as_the_limit(trail: Home) -> None:
    found = summed(trail, "-n", "1")
    assert [len(found[name]) for name in ("addresses", "users", "reasons")] == [1, 1, 1]
    assert len(found["events"]) == 2


def test_successes_have_no_reasons_of_failure(trail: Home) -> None:
    assert summed(trail, "--success")["reasons"] == []


def test_the_time_that_was_asked_for_is_the_time_that_is_shown(trail: Home) -> None:
    over_time = summed(trail, "--since", "2d")["over_time"]
    covered = over_time["seconds"] * len(over_time["spans"])
    assert timedelta(days=2) <= timedelta(seconds=covered) < timedelta(days=2, hours=3)


def test_a_summary_of_nothing_says_so(home: Home) -> None:
    result = home.run("audit", "summary", "--since", "2020-01-01", "--until", "2020-01-02")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events fit.\n")
    assert summed(home)["total"] == 0


def test_csv_has_a_number_on_each_line(trail: Home) -> None:
    text = trail.run("audit", "summary", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["section"] for row in rows} == {"events", "addresses", "users", "reasons", "over_time"}
    assert ("addresses", "203.0.113.9", "2", "2") in [
        (row["section"], row["name"], row["total"], row["failures"]) for row in rows
    ]


def test_a_pipe_gets_plain_tables(trail: Home) -> None:
    text = trail.run("audit", "summary").stdout
    assert "█" not in text
    assert "203.0.113.9  2      2" in text
    assert "Total  Failures" in text


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_a_terminal_gets_bars_that_fit(columns: int, trail: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(trail, event(agent=HOSTILE, user_email=HOSTILE, success=False, reason="x"))
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    run_here("audit", "summary", "--utc")
    text = terminal.getvalue()
    assert "█" in text
    assert "▒" in text
    assert "=cmd" in text
    assert not ACTS.search(text.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", ""))


def run_here(*words: str) -> None:
    """One command line on the streams of this process, where the runner would put its own."""
    with pytest.raises(SystemExit) as ended:
        app(list(words))
    assert ended.value.code == 0, sys.stderr


@pytest.mark.parametrize(
    ("length", "most", "seconds", "unit", "words"),
    [
        (timedelta(0), 48, 60, "minute", "minute"),
        (timedelta(minutes=30), 48, 60, "minute", "minute"),
        (timedelta(hours=12), 48, 1800, "minute", "30 minutes"),
        (timedelta(days=1), 48, 1800 * 2, "hour", "hour"),
        (timedelta(days=7), 60, 3 * 3600, "hour", "3 hours"),
        (timedelta(days=29), 60, 12 * 3600, "hour", "12 hours"),
        (timedelta(days=90), 100, 86400, "day", "day"),
        (timedelta(days=3650), 60, 90 * 86400, "day", "90 days"),
        (timedelta(days=36500), 60, 730 * 86400, "day", "730 days"),
    ],
)
def test_spans_fit_the_range_and_the_room(length: timedelta, most: int, seconds: int, unit: str, words: str) -> None:
    spans = spans_between(START, START + length, most)
    assert (spans.seconds, spans.unit, spans.words) == (seconds, unit, words)
    assert spans.number <= most
    assert spans.start <= START
    assert spans.start + timedelta(seconds=spans.seconds * spans.number) > START + length


def test_groups_fall_into_their_spans_and_others_are_left_out() -> None:
    spans = Spans(datetime(2026, 6, 1, tzinfo=UTC), 2 * 3600, 2)
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    names = ("2026-06-01T00:00Z", "2026-06-01T01:00Z", "2026-06-01T03:00Z", "2026-06-01T04:00Z", "2026-05-31T23:00Z")
    groups = [Group((name,), 2, 1, moment, moment) for name in names]
    assert [(total, failures) for _, total, failures in spans.sums(groups)] == [(4, 2), (2, 1)]


def test_days_are_spans_too() -> None:
    spans = spans_between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), 60)
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    sums = spans.sums([Group(("2026-01-02",), 1, 0, moment, moment)])
    assert (spans.unit, sums[1][1]) == ("day", 1)
