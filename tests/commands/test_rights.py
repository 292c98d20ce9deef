"""`users erase`, `users export` and `audit repair-file` at the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.conftest import Home

JANE = "jane@example.com"
JOHN = "john@example.com"


@pytest.fixture
def full_home(home: Home) -> Home:
    """Jane and John, and events of both."""
    home.add_session(home.add_user(JANE, first_name="Jacqueline", last_name="Unmistakable"))
    home.add_user(JOHN)
    for words in (("promote", JANE), ("promote", JOHN), ("demote", JANE), ("users", "logout", JANE)):
        assert home.run(*words).exit_code == 0
    return home


def lines_of(home: Home) -> list[bytes]:
    return (home.path / "app.log").read_bytes().splitlines(keepends=True)


class TestErase:
    @pytest.mark.parametrize(("words", "typed"), [(("--yes",), None), ((), "y\n")])
    def test_a_person_is_erased_when_it_is_confirmed(
        self, words: tuple[str, ...], typed: str | None, full_home: Home
    ) -> None:
        result = full_home.run("users", "erase", JANE.upper(), *words, typed=typed)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == (
            f"{JANE.upper()} is erased: the account, 1 session, 3 events, and what the log file said of them\n"
        )
        assert "hint: backups, copies and exports are not reached" in result.stderr
        for path in full_home.path.rglob("*"):
            assert not path.is_file() or (JANE.encode() not in path.read_bytes()), path
            assert not path.is_file() or (b"Unmistakable" not in path.read_bytes()), path
        assert full_home.run("audit", "verify").exit_code == 0
        assert full_home.run("users", "erase", JANE, "--yes").exit_code == 3
        assert full_home.run("users", "show", JOHN).exit_code == 0

    @pytest.mark.parametrize(("typed", "number"), [("n\n", 4), ("\n", 4), ("", 2)])
    def test_nothing_is_erased_when_it_is_not_confirmed(self, typed: str, number: int, full_home: Home) -> None:
        result = full_home.run("users", "erase", JANE, typed=typed)
        assert (result.exit_code, result.stdout) == (number, "")
        assert f"Erase the account, 1 session, 3 events of {JANE} for good? [y/N]" in result.stderr
        assert full_home.run("users", "show", JANE).exit_code == 0

    def test_the_answer_has_members_for_programs(self, full_home: Home) -> None:
        (full_home.path / "app.log.1.gz").write_bytes(b"\x1f\x8b")
        result = full_home.run("users", "erase", JANE, "--yes", "--format", "json")
        assert json.loads(result.stdout) == {
            "account": True, "credentials": 0, "sessions": 1, "challenges": 0, "counters": 0, "events": 3,
            "archived": 0, "is_file_clean": True, "lines": 3, "notes": [],
            "files_left": [str(full_home.path / "app.log.1.gz")],
        }  # fmt: skip
        assert "app.log.1.gz could not be looked into, and may still name this person" in result.stderr

    def test_what_could_not_be_done_is_said(self, full_home: Home) -> None:
        (full_home.path / ".app.log.erasing").mkdir()
        result = full_home.run("users", "erase", JANE, "--yes")
        assert result.exit_code == 0
        assert result.stdout == f"{JANE} is erased: the account, 1 session, 3 events\n"
        assert "warning: lines of this person may be left: " in result.stderr

    def test_an_archive_that_is_not_there_is_said_before_anything_is_erased(self, full_home: Home) -> None:
        result = full_home.run("users", "erase", JANE, "--yes", "--archive", "nowhere")
        assert (result.exit_code, result.stdout) == (5, "")
        assert full_home.run("users", "show", JANE).exit_code == 0


class TestExport:
    def test_a_document_is_written_into_a_private_file(self, full_home: Home) -> None:
        target = full_home.path / "jane.json"
        target.write_text("old", encoding="utf-8")
        result = full_home.run("users", "export", JANE, "--output", str(target))
        assert (result.exit_code, result.stdout) == (0, f"3 events and all else that is held are in {target}\n")
        assert target.stat().st_mode & 0o777 == 0o600
        held = json.loads(target.read_text(encoding="utf-8"))
        assert held["user"]["first_name"] == "Jacqueline"
        assert held["export"]["exported_by"].startswith("os:")
        assert [path.name for path in full_home.path.glob("*.json*")] == ["jane.json"]

    def test_nothing_is_left_when_the_file_cannot_be_written(self, full_home: Home) -> None:
        target = full_home.path / "folder"
        target.mkdir()
        result = full_home.run("users", "export", JANE, "--output", str(target))
        assert (result.exit_code, result.stdout) == (5, "")
        assert not list(target.iterdir())
        assert not list(full_home.path.glob(".folder.*"))

    @pytest.mark.parametrize("output_format", ["table", "csv"])
    def test_other_formats_are_refused(self, output_format: str, full_home: Home) -> None:
        result = full_home.run("users", "export", JANE, "--format", output_format)
        assert (result.exit_code, result.stdout) == (2, "")
        assert full_home.events("user_export") == []

    def test_somebody_whose_account_is_gone_is_exported(self, full_home: Home) -> None:
        full_home.run("users", "delete", JANE, "--yes")
        held = json.loads(full_home.run("users", "export", JANE).stdout)
        assert (held["user"], held["person"]["email"]) == (None, JANE)
        assert "user_deleted" in [event["event_type"] for event in held["audit_events"]]


class TestRepairFile:
    def test_a_damaged_file_is_mended(self, full_home: Home) -> None:
        lines = lines_of(full_home)
        (full_home.path / "app.log").write_bytes(b"".join([lines[0], b"foreign\n", *lines[2:]]))
        planned = full_home.run("audit", "repair-file", "--dry-run", "--format", "json")
        assert json.loads(planned.stdout)["dry_run"] is True
        assert full_home.events("audit_repair") == []
        result = full_home.run("audit", "repair-file")
        assert result.exit_code == 0
        assert "rejected     1\n" in result.stdout
        assert full_home.run("audit", "verify").exit_code == 0
        assert len(full_home.events("audit_repair")) == 1
        assert (full_home.path / "app.log.rejected").read_bytes() == b"foreign\n"

    def test_what_could_not_be_decided_is_said(self, full_home: Home) -> None:
        lines = lines_of(full_home)
        _damage(full_home, "UPDATE audit_logs SET reason = 'x' WHERE event_type = 'role_change'")
        _damage(full_home, "DELETE FROM audit_logs WHERE event_type = 'session_revoked'")
        result = full_home.run("audit", "repair-file")
        assert "do not fit their MACs" in result.stderr
        assert "have no rows in the table; --from may restore these" in result.stderr
        assert lines_of(full_home)[: len(lines)] == lines

    @pytest.mark.parametrize("output_format", ["table", "json"])
    def test_lost_rows_come_back(self, output_format: str, full_home: Home) -> None:
        source = full_home.path / "app.log.1"
        source.write_bytes((full_home.path / "app.log").read_bytes() + b"foreign\n")
        _damage(full_home, "DELETE FROM audit_logs WHERE event_type = 'role_change'")
        assert full_home.run("audit", "verify").exit_code == 1
        result = full_home.run("audit", "repair-file", "--from", str(source), "--format", output_format)
        assert result.exit_code == 0
        if output_format == "json":
            answer = json.loads(result.stdout)
            assert (answer["restored"], answer["refused"], answer["dry_run"]) == (3, 1, False)
            assert answer["refused_lines"][0]["why"] == "is no event of this trail"
        else:
            assert "restored  3\n" in result.stdout
            assert "is no event of this trail" in result.stdout
        assert len(full_home.events("role_change")) == 3
        assert full_home.run("audit", "verify").exit_code == 0

    def test_only_the_first_refused_lines_are_shown(self, full_home: Home) -> None:
        source = full_home.path / "source"
        source.write_bytes(b"x\n" * 300)
        result = full_home.run("audit", "repair-file", "--from", str(source), "--dry-run")
        assert "hint: the first 200 refused lines are shown" in result.stderr

    def test_both_directions_at_once_are_refused(self, full_home: Home) -> None:
        result = full_home.run("audit", "repair-file", "app.log", "--from", "app.log.1")
        assert (result.exit_code, result.stdout) == (2, "")

    def test_a_file_that_is_not_there_is_refused(self, full_home: Home) -> None:
        assert full_home.run("audit", "repair-file", "app.log.9").exit_code == 5
        assert full_home.run("audit", "repair-file", "--from", "app.log.9").exit_code == 5


def _damage(home: Home, statement: str) -> None:
    with home.service() as service:
        raw = service.database.driver.connect(readonly=False)
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(statement)
        raw.close()
