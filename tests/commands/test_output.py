from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from authctl.commands._output import Column, Format, Output, has_colours
from authctl.commands._rendering import cell

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "\x1b]0;pwned\x07\x1b[2J\u202e=cmd\r\n[red]x[/red]"
COLUMNS = (Column("name", "Name", 8), Column("role", "Role", 5), Column("agent"))
ROWS: list[dict[str, object]] = [
    {"name": "Jane", "role": "admin", "agent": "curl"},
    {"name": HOSTILE, "role": None, "agent": "=1+1"},
]
ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, name: str = "stdout") -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, name, stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return stream


def test_a_table_is_plain_aligned_text_when_stdout_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(ROWS, COLUMNS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == ["Name", "Role"]
    assert re.fullmatch(r"Jane +admin", lines[1])
    assert lines[0].index("Role") == lines[1].index("admin") == lines[2].rindex("-")


def test_a_table_on_a_terminal_draws_a_rule_and_takes_no_markup_from_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-01."""
    terminal = on_terminal(monkeypatch)
    Output().table(ROWS, COLUMNS)
    text = terminal.getvalue()
    assert "─" in text
    assert "[red]x[/red]" in re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "pwned\x07" not in text
    assert r"\x1b]0;pwned\x07" in re.sub(r"\x1b\[[0-9;]*m|\n *", "", text)


def test_a_table_on_a_terminal_has_no_colours_when_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    Output().table(ROWS, COLUMNS)
    Output().record({"name": "Jane"})
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", terminal.getvalue())
    assert not has_colours(terminal)


@pytest.mark.parametrize("output_format", [Format.TABLE, Format.CSV])
def test_hostile_text_comes_out_harmless(output_format: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """R-CL-01, R-LG-09."""
    output = Output(output_format)
    output.table(ROWS, COLUMNS)
    output.record(ROWS[1])
    output.done(HOSTILE, ROWS[1])
    output.stream(ROWS, COLUMNS)
    output.text(HOSTILE)
    for say in (output.message, output.warning, output.hint, output.error):
        say(HOSTILE)
    captured = capsys.readouterr()
    assert not ACTS.search((captured.out + captured.err).replace("\r\n", "\n"))


def test_json_is_exact_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """R-CL-01: the raw value in JSON, behind JSON's own escapes."""
    Output(Format.JSON).table(ROWS, COLUMNS)
    text = capsys.readouterr().out
    assert json.loads(text) == ROWS
    assert not ACTS.search(text)


def test_jsonl_has_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output(Format.JSONL).table(ROWS, COLUMNS)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS


def test_csv_has_every_column_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """R-LG-09."""
    Output(Format.CSV).table(ROWS, COLUMNS)
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert list(records[0]) == ["name", "role", "agent"]
    assert records[1]["agent"] == "'=1+1"
    assert records[1]["role"] == ""


@pytest.mark.parametrize(
    ("output_format", "answer"),
    [(Format.TABLE, ""), (Format.JSON, "[]\n"), (Format.JSONL, ""), (Format.CSV, "name,role,agent\r\n")],
)
def test_an_empty_table_is_still_an_answer(
    output_format: Format, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Output(output_format).table([], COLUMNS, empty="Nobody is here.")
    captured = capsys.readouterr()
    assert captured.out == answer
    assert captured.err == ("Nobody is here.\n" if output_format is Format.TABLE else "")


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: bytes


MOMENT = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (MOMENT, "2026-01-02T03:04:05.600000Z"),
        (MOMENT.replace(tzinfo=None), "2026-01-02T03:04:05.600000Z"),
        (MOMENT.astimezone(timezone(timedelta(hours=2))), "2026-01-02T03:04:05.600000Z"),
        (b"\xff\xfe", "__4"),
        (Colour.RED, "red"),
        ({"b", "a"}, ["a", "b"]),
        (Pair(1, b"\x00"), {"left": 1, "right": "AA"}),
        (ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        ("\udcff", "\udcff"),
        (7, 7),
        (1.5, 1.5),
        ([{"at": MOMENT}], [{"at": "2026-01-02T03:04:05.600000Z"}]),
        (None, None),
        ([Pair(1, b"\x00"), Colour.RED, "\udcff"], [{"left": 1, "right": "AA"}, "red", "\udcff"]),
    ],
)
def test_every_kind_of_value_has_one_exact_json_form(
    value: object, exact: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Output(Format.JSONL).record({"value": value})
    assert json.loads(capsys.readouterr().out) == {"value": exact}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (b"\xff\xfe", "__4"),
        ([1, "two"], "1, two"),
        ([], "-"),
        ({"a": 1, "b": None}, "a=1, b=-"),
        (3, "3"),
    ],
)
def test_every_kind_of_value_has_a_form_for_people(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_times_are_local_with_their_offset_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert cell(MOMENT) == "2026-01-02 04:04:05+01:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_csv_writes_values_that_are_no_text_without_an_apostrophe(capsys: pytest.CaptureFixture[str]) -> None:
    Output(Format.CSV).record({"n": -5, "yes": True, "no": False, "none": None, "at": MOMENT, "raw": b"a", "l": [1]})
    header, values = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert header == ["n", "yes", "no", "none", "at", "raw", "l"]
    assert values == ["-5", "true", "false", "", "2026-01-02T03:04:05.600000Z", "YQ", "[1]"]


def test_a_record_lists_its_members_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    Output().record({"first_name": "Jane", "id": 7})
    assert capsys.readouterr().out == "first name  Jane\nid          7\n"


def test_done_is_a_sentence_for_people_and_a_record_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    Output().done("jane is gone", {"email": "jane"})
    Output(Format.JSONL).done("jane is gone", {"email": "jane"})
    assert capsys.readouterr().out == 'jane is gone\n{"email":"jane"}\n'


def test_a_stream_gives_out_each_row_before_the_next_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def rows() -> Iterator[dict[str, object]]:
        yield {"name": "a"}
        seen.append(capsys.readouterr().out)
        yield {"name": "b"}

    Output(Format.JSONL).stream(rows(), COLUMNS)
    assert seen == ['{"name":"a","role":null,"agent":null}\n']


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS])
def test_a_stream_of_json_is_one_array(rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    Output(Format.JSON).stream(rows, COLUMNS)
    assert json.loads(capsys.readouterr().out) == rows


def test_a_stream_for_people_keeps_its_columns_by_their_widths(capsys: pytest.CaptureFixture[str]) -> None:
    Output().stream(ROWS[:1], COLUMNS)
    assert capsys.readouterr().out == "Name      Role\nJane      admin\n"


def test_what_is_said_to_a_person_goes_to_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(Format.CSV)
    output.message("one")
    output.warning("two")
    output.hint("three")
    output.error("four", hint="five", problems=["six"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["one", "warning: two", "hint: three", "error: four", "  - six", "hint: five"]


@pytest.mark.parametrize("output_format", [Format.JSON, Format.JSONL])
def test_an_error_is_one_json_object_on_stdout_when_json_was_asked_for(
    output_format: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-CL-09."""
    Output(output_format).error("four", hint="five", problems=["six"], type="x", exit=4)
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "error": {"type": "x", "exit": 4, "detail": "four", "hint": "five", "problems": ["six"]}
    }
    assert captured.err.startswith("error: four\n")


@pytest.mark.parametrize(
    ("typed", "answer"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("yep\n", False), ("", None)]
)
def test_only_a_clear_yes_confirms(
    typed: str, answer: bool | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert Output().is_confirmed("Delete \x1b[2J?") is answer
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == r"Delete \x1b[2J? [y/N] " + ("" if typed else "\n")


def test_colours_are_used_on_a_terminal_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch, "stderr")
    assert has_colours(terminal)
    Output().warning("careful")
    assert terminal.getvalue() == "\x1b[33mwarning: \x1b[0mcareful\n"
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colours(terminal)


def test_a_person_who_stopped_listening_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    stream = Closed()
    monkeypatch.setattr(sys, "stderr", stream)
    Output().warning("nobody hears this")
    assert stream.getvalue() == ""


@pytest.mark.process
def test_help_is_drawn_for_a_real_terminal() -> None:
    main, other = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen([sys.executable, "-m", "authctl", "--help"], stdout=other, env=environment) as process:
        os.close(other)
        text = b""
        while True:
            try:
                chunk = os.read(main, 4096)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
    os.close(main)
    assert process.returncode == 0
    assert "╭".encode() in text
    assert b"promote" in text
