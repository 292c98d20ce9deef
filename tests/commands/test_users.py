from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.conftest import Home

JANE = "jane@example.com"
HOSTILE = "\x1b]0;pwned\x07\u202e=HYPERLINK(1)"
ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def test_list_shows_everybody_in_the_order_of_registration(home: Home) -> None:
    home.add_user(JANE, role="admin")
    home.add_user("john@example.com")
    result = home.run("users", "list")
    heading, first, second = result.stdout.splitlines()
    assert result.exit_code == 0
    assert heading.split()[0] == "Email"
    assert {line.split()[0] for line in (first, second)} == {JANE, "john@example.com"}
    assert "admin" in result.stdout


def test_list_is_an_answer_when_there_is_nobody(home: Home) -> None:
    result = home.run("users", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "There are no users yet.\n")


def test_list_never_shows_user_handles(home: Home) -> None:
    """R-AZ-06."""
    home.add_user(JANE)
    (row,) = json.loads(home.run("users", "list", "--format", "json").stdout)
    assert set(row) == {
        "email", "first_name", "last_name", "role", "created_at", "disabled_at", "id", "job_title", "date_of_birth",
    }  # fmt: skip
    assert row["created_at"] == "2026-01-01T00:00:00Z"


SHOWN = [
    (words, output_format)
    for words in (("users", "list"), ("users", "show", JANE), ("users", "export", JANE))
    for output_format in ("table", "csv", "json", "jsonl")
    if words[1] != "export" or output_format.startswith("json")
]
"""An export is always JSON."""


@pytest.mark.parametrize(("words", "output_format"), SHOWN)
def test_a_hostile_name_comes_out_harmless(words: tuple[str, ...], output_format: str, home: Home) -> None:
    """R-CL-01, R-LG-09, V-42, V-43."""
    home.add_user(JANE, first_name=HOSTILE, last_name="=1+1")
    result = home.run(*words, "--format", output_format)
    assert result.exit_code == 0
    assert not ACTS.search(result.stdout.replace("\r\n", "\n"))
    if output_format == "jsonl":
        assert HOSTILE in _texts(json.loads(result.stdout))
    if output_format == "csv":
        (row,) = csv.DictReader(io.StringIO(result.stdout, newline=""))
        assert row["last_name"] == "'=1+1"


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_show_shows_one_user(home: Home) -> None:
    user = home.add_user(JANE)
    result = home.run("users", "show", JANE.upper(), "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["id"] == user.id


@pytest.mark.parametrize(("output_format", "label"), [("table", "date of birth  "), ("csv", ",Engineer,")])
def test_a_date_of_birth_is_the_same_day_when_the_clock_is_behind_utc(
    output_format: str, label: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.add_user(JANE)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        result = home.run("users", "show", JANE, "--format", output_format)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert f"{label}1990-01-01\n" in result.stdout.replace("\r\n", "\n")


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "logout", "delete", "export", "erase"])
def test_every_verb_exits_3_when_nobody_has_the_address(verb: str, home: Home) -> None:
    result = home.run("users", verb, "nobody@example.com")
    assert (result.exit_code, result.stdout) == (3, "")
    rights = "Nothing is held about nobody@example.com"
    usual = "No user has the e-mail nobody@example.com"
    assert result.stderr.startswith(f"error: {rights if verb in ('export', 'erase') else usual}")


def test_an_error_is_json_alone_when_the_usual_answer_is_json(home: Home) -> None:
    """R-CL-09: export answers in JSON without being asked for it."""
    result = home.run("users", "export", "nobody@example.com", "--format", "json")
    assert json.loads(result.stdout)["error"]["type"] == "not-found"


def test_disable_and_enable_lock_out_and_let_in(home: Home) -> None:
    user = home.add_user(JANE)
    home.add_session(user)
    disabled = home.run("users", "disable", JANE)
    assert (disabled.exit_code, disabled.stdout) == (0, f"{JANE} is disabled\n")
    assert json.loads(home.run("users", "show", JANE, "--format", "json").stdout)["disabled_at"] is not None
    enabled = home.run("users", "enable", JANE)
    assert (enabled.exit_code, enabled.stdout) == (0, f"{JANE} is enabled\n")
    assert json.loads(home.run("users", "show", JANE, "--format", "json").stdout)["disabled_at"] is None
    assert [event.event_type for event in home.events("user_disabled", "user_enabled")] == [
        "user_enabled",
        "user_disabled",
    ]


@pytest.mark.parametrize(
    "words", [("users", "disable", JANE), ("users", "delete", JANE, "--yes"), ("users", "erase", JANE, "--yes")]
)
def test_the_last_admin_is_kept_unless_told_otherwise(words: tuple[str, ...], home: Home) -> None:
    """R-CL-04."""
    home.add_user(JANE, role="admin")
    assert home.run(*words).exit_code == 4
    assert home.run(*words, "--allow-no-admin").exit_code == 0


@pytest.mark.parametrize(("count", "said"), [(0, "0 sessions ended"), (1, "1 session ended"), (2, "2 sessions ended")])
def test_logout_ends_all_sessions_and_counts_them(count: int, said: str, home: Home) -> None:
    user = home.add_user(JANE)
    for _ in range(count):
        home.add_session(user)
    result = home.run("users", "logout", JANE)
    assert (result.exit_code, result.stdout) == (0, f"{JANE}: {said}\n")


@pytest.mark.parametrize(("words", "typed"), [(("--yes",), None), (("-y",), None), ((), "y\n")])
def test_delete_deletes_when_it_is_confirmed(words: tuple[str, ...], typed: str | None, home: Home) -> None:
    home.add_user(JANE)
    result = home.run("users", "delete", JANE, *words, typed=typed)
    assert (result.exit_code, result.stdout) == (0, f"{JANE} is deleted\n")
    assert home.run("users", "show", JANE).exit_code == 3
    assert len(home.events("user_deleted")) == 1


@pytest.mark.parametrize(("typed", "number"), [("n\n", 4), ("\n", 4), ("", 2)])
def test_delete_deletes_nothing_when_it_is_not_confirmed(typed: str, number: int, home: Home) -> None:
    home.add_user(JANE)
    result = home.run("users", "delete", JANE, typed=typed)
    assert (result.exit_code, result.stdout) == (number, "")
    assert f"Delete {JANE}" in result.stderr
    assert home.run("users", "show", JANE).exit_code == 0
    assert home.events("user_deleted") == []


def test_export_writes_everything_about_one_person_and_is_an_event(home: Home) -> None:
    home.add_session(home.add_user(JANE))
    home.add_user("john@example.com")
    home.run("promote", JANE)
    result = home.run("users", "export", JANE)
    held = json.loads(result.stdout)
    assert held["user"]["email"] == JANE
    assert len(held["sessions"]) == 1
    assert [event["event_type"] for event in held["audit_events"]] == ["role_change"]
    assert "john@example.com" not in result.stdout
    assert len(home.events("user_export")) == 1


def test_nothing_changes_when_the_event_cannot_be_written(home: Home) -> None:
    """R-CL-03: failure to write the event rolls the change back, exit not 0."""
    home.add_user(JANE)
    with sqlite3.connect(home.path / "app.db") as connection:
        connection.execute("CREATE TRIGGER stop BEFORE INSERT ON audit_logs BEGIN SELECT RAISE(ABORT, 'no'); END")
    connection.close()
    result = home.run("promote", JANE)
    assert result.exit_code == 5
    assert json.loads(home.run("users", "show", JANE, "--format", "json").stdout)["role"] == "user"
