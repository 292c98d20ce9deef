from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.text import Text

from authctl.commands._output import Column, Format, Output, Times
from authctl.commands._rendering import cell
from authctl.commands._views import EVENT_COLUMNS, event_row
from tests.commands.test_output import ACTS, HOSTILE, on_terminal
from tests.commands.trail_in_memory import START, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = [
    event_row(an_event(1, user_email="jane@example.com", user_agent="curl")),
    event_row(an_event(2, success=False, reason="signature_invalid", details=HOSTILE, user_email="日本語" * 30)),
]
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(params=[30, 80, 140, 300])
def columns(request: pytest.FixtureRequest) -> int:
    width: int = request.param
    return width


def test_a_table_of_events_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(columns))
    Output().table(ROWS, EVENT_COLUMNS)
    lines = STYLE.sub("", terminal.getvalue()).splitlines()
    assert len(lines) == 3
    assert max(map(cell_len, lines)) <= columns
    assert not ACTS.search("".join(lines))


def test_a_failure_has_a_sign_beside_its_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    Output().table(ROWS, EVENT_COLUMNS)
    _, good, bad = terminal.getvalue().splitlines()
    assert "\x1b[31m" not in good
    assert "\x1b[31mFAILED\x1b[0m" in bad
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.truncate(0)
    Output().table(ROWS, EVENT_COLUMNS)
    assert "FAILED" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_nothing_is_cut_when_stdout_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(ROWS, EVENT_COLUMNS)
    text = capsys.readouterr().out
    assert "日本語" * 30 in text
    assert "…" not in text
    assert an_event(1).id in text


def test_times_are_brief_on_a_terminal_and_say_utc_when_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    Output().table(ROWS, EVENT_COLUMNS)
    assert re.search(r"2026-06-01 12:00:00 +FAILED", STYLE.sub("", terminal.getvalue()))
    terminal.truncate(0)
    Output(is_utc=True).table(ROWS, EVENT_COLUMNS)
    assert "2026-06-01 12:00:00Z" in terminal.getvalue()


def test_each_row_of_a_stream_fits_the_terminal_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)

    def rows() -> Iterator[dict[str, object]]:
        for width in (80, 120, 60):
            monkeypatch.setenv("COLUMNS", str(width))
            yield dict(ROWS[1])

    Output().stream(rows(), EVENT_COLUMNS)
    lines = STYLE.sub("", terminal.getvalue()).splitlines()
    assert lines[0].startswith("Time")
    assert all(cell_len(line) <= width for line, width in zip(lines[1:], (80, 120, 60), strict=True))
    assert "FAILED" in lines[1]


def test_a_stream_of_columns_that_are_never_cut_keeps_their_widths(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    Output().stream([{"a": "x" * 200}], [Column("a", "A", width=3)])
    assert "x" * 200 in terminal.getvalue()


def test_something_is_drawn_only_for_a_person_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not Output().is_drawn
    terminal = on_terminal(monkeypatch)
    assert Output().is_drawn
    assert not Output(Format.JSON).is_drawn
    assert Output().room == 100
    Output().draw(lambda console: Text(f"{console.width} wide"))
    assert terminal.getvalue() == "100 wide\n"
    assert capsys.readouterr().out == ""


def test_a_column_may_be_shown_in_other_words(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table([{"a": 1}], [Column("a", "A", words=lambda row: f"<{row['a']}>\x1b")])
    assert capsys.readouterr().out == "A\n<1>\\x1b\n"


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        (Times(is_utc=True), "2026-06-01 12:00:00Z"),
        (Times(is_utc=True, is_brief=True), "2026-06-01 12:00:00Z"),
        (Times(is_brief=True), START.astimezone().strftime("%Y-%m-%d %H:%M:%S")),
    ],
)
def test_a_time_is_written_as_it_was_asked_for(times: Times, shown: str) -> None:
    assert cell(START, times) == shown
    assert cell([START, {"a": datetime(2026, 6, 1, 12, tzinfo=UTC)}], times) == f"{shown}, a={shown}"
