"""An analyst's Monday: who attacked, from where, did they get in, is the trail intact, and what goes where."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.server.audit import file_verification
from tests.commands.conftest import forget_settings, keep_logs_apart
from tests.journeys.week import (
    ABROAD,
    ADMIN,
    BRUTE_FORCER,
    CLONED,
    CURIOUS,
    SPRAYER,
    VICTIM,
    simulate_week,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.thorough

USERS = 60
SINCE = "--since=2026-11-09"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the week has been lived through."""
    path = tmp_path_factory.mktemp("week")
    simulate_week(path, users=USERS)
    return path


@pytest.fixture
def week(lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current directory."""
    forget_settings(monkeypatch)
    keep_logs_apart(monkeypatch)
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, owes: int = 0) -> str:
    """What a command line answers."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == owes, result.stderr
    return result.stdout


def rows(*words: str, owes: int = 0) -> Any:
    """What a command line answers, read as a program would."""
    return json.loads(run(*words, "--format", "json", owes=owes))


@pytest.mark.usefixtures("week")
def test_the_addresses_with_most_failed_logins_are_the_attackers() -> None:
    worst = rows("audit", "failed-logins", SINCE, "--count-by", "ip_address")[:2]
    assert [row["ip_address"] for row in worst] == [BRUTE_FORCER, SPRAYER]
    assert worst[0]["total"] == 60


@pytest.mark.usefixtures("week")
def test_neither_attacker_got_in() -> None:
    for address in (BRUTE_FORCER, "2001:db8:bad::/48"):
        assert rows("audit", "list", SINCE, "--ip", address, "--event", "login_complete", "--success") == []


@pytest.mark.usefixtures("week")
def test_the_clone_is_the_one_user_who_logs_in_from_two_addresses() -> None:
    (only,) = rows("audit", "multi-ip", SINCE)
    assert only["user_email"] == CLONED
    assert ABROAD in only["ip_addresses"]


@pytest.mark.usefixtures("week")
def test_the_curious_user_is_the_one_who_was_denied() -> None:
    (only,) = rows("audit", "denied", SINCE, "--count-by", "user_email")
    assert (only["user_email"], only["total"]) == (CURIOUS, 25)


@pytest.mark.usefixtures("week")
def test_only_the_admin_looked_at_records_of_others() -> None:
    looked = rows("audit", "admin-access", SINCE)
    assert {row["user_email"] for row in looked} == {ADMIN}
    assert len(looked) == 15


@pytest.mark.usefixtures("week")
def test_the_rules_find_all_four_and_accuse_nobody_else() -> None:
    findings = rows("audit", "detect", SINCE, "--until", "2026-11-16", owes=1)
    accused = {finding["subject"] for finding in findings["findings"]}
    assert accused == {BRUTE_FORCER, VICTIM, "2001:db8:bad::/64", CLONED, CURIOUS}


def test_the_week_goes_to_the_siem_whole_and_the_next_export_goes_on_from_there(week: Path) -> None:
    run("audit", "export", SINCE, "--format", "csv", "--output", "week.csv", "--position", "siem.cursor")
    text = (week / "week.csv").read_text(encoding="utf-8")
    exported = list(csv.DictReader(io.StringIO(text)))
    listed = rows("audit", "list", SINCE, "--until", "2026-11-16", "--limit", "100000")
    assert {row["id"] for row in exported} == {row["id"] for row in listed}
    run("audit", "export", "--format", "jsonl", "--output", "next.jsonl", "--position", "siem.cursor")
    later = [json.loads(line) for line in (week / "next.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["id"] for row in later}.isdisjoint({row["id"] for row in exported})


def test_a_person_is_forgotten_and_the_trail_is_still_proved(week: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The week is made in seconds, and real trails are longer than the time around a rotation that is not judged.
    monkeypatch.setattr(file_verification, "_ROTATION_MARGIN_MS", 0)
    run("audit", "archive", "--before", "2026-11-11", "--archive", "old", "--yes")
    assert VICTIM in run("users", "export", VICTIM, "--archive", "old")
    run("users", "erase", VICTIM, "--archive", "old", "--yes")
    assert rows("audit", "verify", "--archive", "old")["status"] == "intact"
    assert rows("audit", "list", "--user", VICTIM, "--archive", "old") == []
    run("users", "show", VICTIM, owes=3)
    left = [path for path in sorted(week.rglob("*")) if path.is_file() and VICTIM.encode() in path.read_bytes()]
    assert left == []


@pytest.mark.parametrize(("first", "last", "number"), [(100, 149, 1), (400, None, 4)])
def test_lines_that_a_moved_directory_has_lost_are_told_and_mended(
    week: Path, first: int, last: int | None, number: int
) -> None:
    """R-LG-06, R-LG-07: writers noted the path of the directory in which they wrote, and this is a copy of it."""
    file = week / "app.log"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:first], *([] if last is None else lines[last:])]))
    assert rows("audit", "verify", owes=number)["findings"]
    run("audit", "repair-file")
    assert rows("audit", "verify")["status"] == "intact"
