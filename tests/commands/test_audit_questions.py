from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction
    from tests.commands.conftest import Home

ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
HOSTILE = "=cmd|'/c calc'!A0\x1b[2J\x9b31m\u202e\r\nforged"
QUESTIONS = (
    ("list",),
    ("failed-logins",),
    ("multi-ip",),
    ("denied",),
    ("admin-access",),
    ("user", "jane@example.com"),
    ("summary",),
    ("tail",),
)


def event(event_type: EventType = EventType.LOGIN_COMPLETE, *, success: bool = True, **members: Any) -> Event:
    address, agent = members.pop("address", "192.0.2.1"), members.pop("agent", "curl/8")
    caller = Caller(address=address, peer_address=address, user_agent=agent, request_id="r")
    return Event(event_type, success, caller, members.pop("details", "What happened"), **members)


def leave(home: Home, *events: Event) -> None:
    with home.service() as service:
        for one in events:
            service.database.write_now(partial(record, event=one))


def asked(home: Home, *words: str) -> list[dict[str, Any]]:
    """What a question answers, without what the trail notes for itself."""
    result = home.run("audit", *words, "--format", "jsonl")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [row for row in rows if row.get("event_type") != "checkpoint"]


class Cast:
    """Two users and an admin, with what they did."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.jane = home.add_user("jane@example.com")
        self.john = home.add_user("john@example.com", first_name="John")
        self.olga = home.add_user("olga@example.com", first_name="Olga", role="admin")
        leave(
            home,
            _login(self.jane),
            _login(self.jane, address="192.0.2.1"),
            _login(self.jane, address="2001:db8::7", agent=HOSTILE),
            _login(self.john),
            _login(self.john, success=False, reason="signature_invalid", address="203.0.113.9"),
            event(success=False, reason="credential_unknown", address="203.0.113.9"),
            _access(self.john, self.jane, success=False, reason="access_denied"),
            _access(self.olga, self.jane),
            _access(self.jane, self.jane),
            event(EventType.TOKEN_REJECTED, success=False, reason="token_expired", target_user_id="gone"),
            event(EventType.AUDIT_QUERY, success=False, reason="access_denied", user_email="john@example.com"),
            event(EventType.AUDIT_QUERY, success=False, reason="invalid_request", user_email="olga@example.com"),
        )


def _login(user: User, **members: Any) -> Event:
    return event(user_email=user.email, user_id=user.id, **members)


def _access(user: User, target: User, **members: Any) -> Event:
    return event(
        EventType.USER_ACCESS,
        user_email=user.email,
        user_id=user.id,
        target_user_id=target.id,
        actor=user.id,
        **members,
    )


@pytest.fixture
def cast(home: Home) -> Cast:
    return Cast(home)


def test_failed_logins_are_those_and_no_others(cast: Cast) -> None:
    rows = asked(cast.home, "failed-logins")
    assert [(row["user_email"], row["reason"]) for row in rows] == [
        (None, "credential_unknown"),
        ("john@example.com", "signature_invalid"),
    ]


def test_users_of_several_addresses_are_counted_by_distinct_ones(cast: Cast) -> None:
    (row,) = asked(cast.home, "multi-ip")
    assert (row["user_email"], row["addresses"], row["logins"]) == ("jane@example.com", 2, 3)
    assert row["ip_addresses"] == ["2001:db8::7", "192.0.2.1"]
    assert row["first"] < row["last"]


def test_the_logins_of_users_of_several_addresses_can_be_counted(cast: Cast) -> None:
    rows = asked(cast.home, "multi-ip", "--count-by", "user,success")
    assert [(row["user_email"], row["success"], row["total"]) for row in rows] == [("jane@example.com", True, 3)]
    rows = asked(cast.home, "multi-ip", "--count-by", "ip")
    assert [(row["ip_address"], row["total"]) for row in rows] == [("192.0.2.1", 2), ("2001:db8::7", 1)]


def test_an_erased_person_is_not_among_the_users_of_several_addresses(home: Home) -> None:
    leave(home, event(address="192.0.2.1"), event(address="192.0.2.2"))
    assert asked(home, "multi-ip") == []


def test_users_of_several_addresses_are_at_most_the_limit(home: Home) -> None:
    for email in ("a@b.cd", "c@b.cd"):
        leave(home, *(event(user_email=email, address=f"192.0.2.{last}") for last in (1, 2)))
    result = home.run("audit", "multi-ip", "--limit", "1")
    assert len(result.stdout.splitlines()) == 2
    assert "--limit shows more" in result.stderr


def test_denied_says_who_wanted_whose_record(cast: Cast) -> None:
    rows = asked(cast.home, "denied")
    assert [(row["event_type"], row["user_email"], row["target_email"], row["reason"]) for row in rows] == [
        ("audit_query", "john@example.com", None, "access_denied"),
        ("token_rejected", None, None, "token_expired"),
        ("user_access", "john@example.com", "jane@example.com", "access_denied"),
    ]
    table = cast.home.run("audit", "denied").stdout
    assert re.search(r"john@example\.com +jane@example\.com +192\.0\.2\.1 +access_denied", table)
    assert " gone " in table  # nobody has that id


def test_denied_shows_what_merely_failed_when_its_reason_is_asked_for(cast: Cast) -> None:
    (row,) = asked(cast.home, "denied", "--reason", "invalid_request")
    assert row["user_email"] == "olga@example.com"


def test_denied_narrows_by_event(cast: Cast) -> None:
    (row,) = asked(cast.home, "denied", "--event", "!user_access,!audit_query")
    assert row["event_type"] == "token_rejected"


def test_admin_access_is_to_other_peoples_records_only(cast: Cast) -> None:
    (row,) = asked(cast.home, "admin-access")
    assert (row["user_email"], row["target_email"]) == ("olga@example.com", "jane@example.com")


@pytest.mark.parametrize("by_id", [False, True])
def test_a_user_is_found_as_who_acts_is_concerned_and_looked_at(by_id: bool, cast: Cast) -> None:
    rows = asked(cast.home, "user", cast.jane.id if by_id else " JANE@example.com")
    assert [(row["event_type"], row["user_email"]) for row in rows] == [
        ("user_access", "jane@example.com"),
        ("user_access", "olga@example.com"),
        ("user_access", "john@example.com"),
        *[("login_complete", "jane@example.com")] * 3,
    ]


def test_the_events_of_a_user_are_each_counted_once(cast: Cast) -> None:
    rows = asked(cast.home, "user", "jane@example.com", "--count-by", "event,success,day")
    assert [(row["total"], row["failures"]) for row in rows] == [(3, 0), (2, 0), (1, 1)]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rows[0]["day"])


def test_a_user_is_found_when_the_account_is_gone(cast: Cast) -> None:
    cast.home.run("users", "delete", "jane@example.com", "--yes")
    result = cast.home.run("audit", "user", "jane@example.com")
    assert result.exit_code == 0
    assert "There is no account of jane@example.com any more." in result.stderr
    assert len(asked(cast.home, "user", "jane@example.com")) == 7
    assert len(asked(cast.home, "user", cast.jane.id)) == 7


def test_a_user_without_events_is_no_error(home: Home) -> None:
    home.add_user("new@example.com")
    result = home.run("audit", "user", "new@example.com")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events fit.\n")


@pytest.mark.parametrize("who", ["nobody@example.com", "6343252e-550e-439d-8b81-e63b940934a0"])
def test_a_user_whom_nobody_knows_is_not_found(who: str, home: Home) -> None:
    result = home.run("audit", "user", who)
    assert (result.exit_code, result.stdout) == (3, "")
    assert who in result.stderr


def test_an_event_is_shown_whole_by_the_beginning_of_its_id(cast: Cast) -> None:
    row = asked(cast.home, "list", "--reason", "signature_invalid")[0]
    for words in (row["id"], row["id"][:23], row["id"][:23] + "…", row["id"].upper()):
        result = cast.home.run("audit", "show", words, "--format", "json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout) == row
    table = cast.home.run("audit", "show", row["id"]).stdout
    assert re.search(rf"^writer id +{row['writer_id']}$", table, re.MULTILINE)
    assert re.search(rf"^seq +{row['seq']}$", table, re.MULTILINE)


def test_an_event_that_does_not_exist_is_not_found(cast: Cast) -> None:
    result = cast.home.run("audit", "show", "00000000")
    assert (result.exit_code, result.stdout) == (3, "")


def test_a_beginning_of_several_ids_names_them(cast: Cast) -> None:
    result = cast.home.run("audit", "show", "0")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "begins the ids of more than 5 events" in result.stderr
    assert len(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", result.stderr)) == 5


def test_what_is_no_id_is_a_usage_error(home: Home) -> None:
    result = home.run("audit", "show", "yesterday")
    assert result.exit_code == 2
    assert "yesterday is no id of an event" in result.stderr


def test_the_last_events_come_oldest_first(cast: Cast) -> None:
    rows = asked(cast.home, "tail", "-n", "4")
    assert rows
    assert rows == sorted(rows, key=lambda row: (row["created_at"], row["id"]))
    assert rows == asked(cast.home, "list", "-n", "4")[::-1]


def test_following_as_one_json_array_is_refused(home: Home) -> None:
    result = home.run("audit", "tail", "-f", "--format", "json")
    assert result.exit_code == 2
    assert "--format jsonl" in result.stderr


def test_events_are_counted_by_what_they_have_in_common(cast: Cast) -> None:
    rows = asked(cast.home, "list", "--count-by", "event", "--count-by", "success", "--limit", "2")
    assert [(row["event_type"], row["success"], row["total"], row["failures"]) for row in rows] == [
        ("login_complete", True, 4, 0),
        ("audit_query", False, 2, 2),
    ]
    assert "these are the 2 largest" in cast.home.run("audit", "list", "--count-by", "event", "-n", "2").stderr
    assert "this is the largest" in cast.home.run("audit", "list", "--count-by", "event", "-n", "1").stderr
    assert "FAILED" in cast.home.run("audit", "list", "--count-by", "success").stdout


@pytest.mark.parametrize("words", [*QUESTIONS, ("show", "01")], ids=lambda words: words[0])
def test_the_query_is_shown_in_place_of_the_answer(words: tuple[str, ...], cast: Cast) -> None:
    result = cast.home.run("audit", *words, "--print-query")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(("SELECT ", "-- events\nSELECT "))
    assert "audit_logs" in result.stdout
    assert "@example.com'" not in result.stdout.replace("'jane@example.com'", "")


def test_the_query_that_is_shown_is_the_one_that_would_run(cast: Cast) -> None:
    shown = cast.home.run("audit", "failed-logins", "--ip", "203.0.113.0/24", "--print-query").stdout
    with sqlite3.connect(cast.home.path / "app.db") as connection:
        found = connection.execute(shown).fetchall()
    connection.close()
    assert [row[0] for row in found] == [row["id"] for row in asked(cast.home, "failed-logins")]


def test_the_queries_of_a_summary_leave_out_reasons_when_only_successes_are_asked_for(cast: Cast) -> None:
    shown = cast.home.run("audit", "summary", "--success", "--print-query").stdout
    assert "-- reasons" not in shown
    assert "-- over time" in shown


@pytest.mark.parametrize("output_format", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("words", QUESTIONS, ids=lambda words: words[0])
def test_hostile_text_comes_out_harmless(words: tuple[str, ...], output_format: str, home: Home) -> None:
    """R-CL-01, R-LG-09: whatever a client sent, in every question and format."""
    jane = home.add_user("jane@example.com")
    evil: dict[str, Any] = {"agent": HOSTILE, "details": HOSTILE, "user_email": HOSTILE}
    leave(
        home,
        *(event(**evil, address=f"192.0.2.{last}") for last in (1, 2)),
        event(success=False, reason="signature_invalid", **evil),
        event(EventType.USER_ACCESS, success=False, target_user_id=HOSTILE, **evil),
        event(EventType.USER_ACCESS, target_user_id=jane.id, user_id="x", **evil),
    )
    result = home.run("audit", *words, "--format", output_format)
    assert result.exit_code == 0
    assert not ACTS.search(result.stdout.replace("\r\n", "\n"))
    assert "calc" in result.stdout
    if output_format == "csv":
        fields = [field for row in csv.reader(io.StringIO(result.stdout, newline="")) for field in row]
        assert not [field for field in fields if field.startswith("=")]


@pytest.mark.parametrize("words", [*QUESTIONS, ("show", "01")], ids=lambda words: words[0])
def test_a_question_needs_a_database(words: tuple[str, ...], empty_home: Home) -> None:
    result = empty_home.run("audit", *words)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith("error: There is no database at app.db\n")
    assert list(empty_home.path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("failed-logins", "--event", "user_access"), "--event user_access contradicts this command"),
        (("failed-logins", "--success"), "it looks at what failed"),
        (("list", "--count-by", "ip_adress"), "did you mean ip_address?"),
        (("denied", "--reason", "acces_denied"), "did you mean access_denied?"),
        (("summary", "--since", "2h", "--until", "1d"), "--since has to be before --until"),
        (("list", "--ip", "192.0.2.1/24"), "did you mean 192.0.2.0/24 or 192.0.2.1?"),
        (("list", "--agent", ""), "The text for agent is empty"),
        (("list", "--token-file", "t"), "--token-file means nothing without --url"),
        (("list", "--url", "http://login.example"), "--url needs a token"),
        (("list", "--url", "https://login.example", "--archive", "x"), "take one of them"),
        (("list", "--archive", "nowhere"), "There is no archive in nowhere"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_a_way_out(words: tuple[str, ...], said: str, home: Home) -> None:
    result = home.run("audit", *words)
    assert result.exit_code == (5 if "nowhere" in words else 2)
    assert result.stdout == ""
    assert said in result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_a_service_is_not_asked_in_the_clear(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCTL_TOKEN", "a.b.c")
    result = home.run("audit", "list", "--url", "http://login.example")
    assert result.exit_code == 2
    assert "not encrypted" in result.stderr


def test_a_service_that_is_not_there_is_unreachable(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a.b.c\n")
    result = home.run("audit", "list", "--url", "http://localhost:1", "--token-file", str(tmp_path / "token"))
    assert (result.exit_code, result.stdout) == (6, "")
    missing = home.run("audit", "list", "--url", "http://localhost:1", "--token-file", str(tmp_path / "none"))
    assert missing.exit_code == 5
    assert len(missing.stderr.splitlines()) == 1


def test_a_database_that_is_being_written_can_be_asked(cast: Cast) -> None:
    with cast.home.service() as service:

        def unit(tx: Transaction) -> None:
            record(tx, event(success=False, reason="clone_suspected"))
            # Another connection, while this transaction holds the lock of the writers.
            assert len(asked(cast.home, "failed-logins")) == 2

        service.database.write_now(unit)
    assert len(asked(cast.home, "failed-logins")) == 3


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_file_that_is_no_database_is_one_line(content: bytes, home: Home) -> None:
    (home.path / "app.db").write_bytes(content)
    for name in ("app.db-wal", "app.db-shm"):
        (home.path / name).unlink(missing_ok=True)
    result = home.run("audit", "summary")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


def test_times_are_in_utc_when_asked_for(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert "+05:30" in cast.home.run("audit", "failed-logins").stdout
        shown = cast.home.run("audit", "failed-logins", "--utc").stdout
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "+05:30" not in shown
    assert len(re.findall(r"\d\d:\d\d:\d\dZ", shown)) == 2
