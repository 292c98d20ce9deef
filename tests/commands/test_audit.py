from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from authctl.server.audit.events import Caller, Event, EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from tests.commands.conftest import Home

ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def leave(
    home: Home,
    event_type: EventType = EventType.LOGIN_COMPLETE,
    *,
    success: bool = True,
    email: str = "jane@example.com",
    address: str = "192.0.2.1",
    agent: str = "curl/8",
) -> None:
    caller = Caller(address=address, peer_address=address, user_agent=agent, request_id="r")
    event = Event(event_type, success, caller, f"{email} from {address}", user_email=email)
    with home.service() as service:
        service.database.write_now(lambda tx: record(tx, event))


def listed(home: Home, *words: str) -> list[dict[str, object]]:
    result = home.run("audit", "list", *words, "--format", "jsonl")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [row for row in rows if row["event_type"] != "checkpoint"]


@pytest.fixture
def trail(home: Home) -> Home:
    leave(home, EventType.REGISTRATION_COMPLETE)
    leave(home, success=False, address="192.0.2.9")
    leave(home, email="john@example.com", address="2001:db8::1")
    return home


def test_list_shows_the_newest_first(trail: Home) -> None:
    rows = listed(trail)
    assert [(row["event_type"], row["user_email"]) for row in rows] == [
        ("login_complete", "john@example.com"),
        ("login_complete", "jane@example.com"),
        ("registration_complete", "jane@example.com"),
    ]
    assert rows == sorted(rows, key=lambda row: str(row["created_at"]), reverse=True)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--event", "login_complete"), 2),
        (("--event", "login_complete", "--event", "registration_complete"), 3),
        (("--event", "user_access"), 0),
        (("--user", "JANE@example.com"), 2),
        (("--user", "not an address"), 0),
        (("--ip", "192.0.2.1"), 1),
        (("--ip", "2001:DB8:0::1"), 1),
        (("--failure",), 1),
        (("--success", "--user", "jane@example.com"), 1),
        (("--since", "24h"), 3),
        (("--until", "24h"), 0),
        (("--since", "2020-01-01", "--until", "2999-01-01T00:00Z"), 3),
    ],
)
def test_list_shows_only_what_fits(words: tuple[str, ...], count: int, trail: Home) -> None:
    assert len(listed(trail, *words)) == count


def test_list_says_that_there_is_more_when_the_limit_is_reached(trail: Home) -> None:
    result = trail.run("audit", "list", "--limit", "2")
    assert len(result.stdout.splitlines()) == 3
    assert "the 2 newest" in result.stderr


def test_list_exits_0_when_there_is_nothing(home: Home) -> None:
    result = home.run("audit", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events fit.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--event", "login_complet"), "did you mean login_complete?"),
        (("--ip", "somewhere"), "somewhere is no IP address"),
        (("--since", "yesterday"), "--since yesterday: that is not a time"),
        (("--until", "1x"), "--until 1x: that is not a time"),
        (("--since", "1h", "--until", "2h"), "--since has to be before --until"),
        (("--limit", "0"), "'--limit'"),
        (("--limit", "many"), "'--limit'"),
        (("--limit", "99999999999999999999"), "'--limit'"),
    ],
)
def test_list_explains_a_filter_that_cannot_be(words: tuple[str, ...], said: str, home: Home) -> None:
    result = home.run("audit", "list", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("output_format", ["table", "json", "jsonl", "csv"])
def test_a_hostile_user_agent_comes_out_harmless(output_format: str, home: Home) -> None:
    """R-CL-01, R-LG-09, V-42, V-43."""
    leave(home, agent="=cmd|'/c calc'!A0\x1b[2J\x9b31m\u202e\r\nforged")
    result = home.run("audit", "list", "--format", output_format)
    assert not ACTS.search(result.stdout.replace("\r\n", "\n"))
    if output_format == "csv":
        rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
        agents = [row["user_agent"] for row in rows if row["event_type"] == "login_complete"]
        assert agents[0].startswith("'=cmd")


def test_listing_leaves_no_event(trail: Home) -> None:
    before = len(trail.events())
    trail.run("audit", "list")
    assert len(trail.events()) == before


def test_verify_exits_0_when_the_trail_is_intact(trail: Home) -> None:
    result = trail.run("audit", "verify")
    assert result.exit_code == 0
    assert re.search(r"^status +intact$", result.stdout, re.MULTILINE)
    assert json.loads(trail.run("audit", "verify", "--format", "json").stdout)["findings"] == []


def tamper(home: Home, *statements: str) -> None:
    with sqlite3.connect(home.path / "app.db") as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_verify_exits_1_and_names_the_row_when_it_was_edited(trail: Home) -> None:
    tamper(trail, "UPDATE audit_logs SET success = 1 WHERE ip_address = '192.0.2.9'")
    result = trail.run("audit", "verify")
    assert result.exit_code == 1
    assert re.search(r"^status +altered$", result.stdout, re.MULTILINE)
    assert "row_altered" in result.stdout
    verdict = json.loads(trail.run("audit", "verify", "--format", "json").stdout)
    assert verdict["status"] == "altered"
    assert verdict["findings"][0]["seq"] == 1


def test_verify_exits_4_when_the_end_is_missing(trail: Home) -> None:
    tamper(
        trail,
        "DELETE FROM audit_logs WHERE id = (SELECT id FROM audit_logs ORDER BY created_at DESC, id DESC LIMIT 1)",
    )
    result = trail.run("audit", "verify")
    assert result.exit_code == 4
    assert re.search(r"^status +truncated$", result.stdout, re.MULTILINE)


def test_verify_exits_5_when_there_is_no_database(empty_home: Home) -> None:
    result = empty_home.run("audit", "verify", "--format", "json")
    assert result.exit_code == 5
    assert json.loads(result.stdout)["error"]["type"] == "storage-missing"


def test_verify_says_how_many_findings_are_not_shown(home: Home) -> None:
    event = Event(EventType.USER_ACCESS, True, Caller(None, None, None, None), "x")
    with home.service() as service:
        for _ in range(210):
            service.database.write_now(lambda tx: record(tx, event))
    tamper(home, "UPDATE audit_logs SET success = 0 WHERE event_type = 'user_access'")
    result = home.run("audit", "verify")
    assert result.exit_code == 1
    assert "the first 200 findings are shown" in result.stderr


def test_verify_warns_of_what_could_not_be_compared(home: Home) -> None:
    result = home.run("audit", "verify")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: ")
    assert "app.log" in result.stderr
