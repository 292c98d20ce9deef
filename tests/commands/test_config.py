from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.conftest import Home

STRONG = "q7Xw9Zr2Lk5Tn8Vb4Ghq7Xw9Zr2Lk5Tn8Vb4Gh"


def test_show_lists_every_setting_with_its_source(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RP_NAME", "Acme")
    (empty_home.path / ".env").write_text("PORT=8123\n")
    result = empty_home.run("config", "show", "--format", "json")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert (rows["RP_NAME"]["value"], rows["RP_NAME"]["source"]) == ("Acme", "environment")
    assert (rows["PORT"]["value"], rows["PORT"]["source"]) == ("8123", ".env")
    assert (rows["RP_ID"]["value"], rows["RP_ID"]["source"]) == ("localhost", "default")
    assert all(row["help"] for row in rows.values())


@pytest.mark.parametrize("output_format", ["table", "json", "jsonl", "csv"])
def test_show_masks_secrets(output_format: str, empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CF-04."""
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://u:hunter2@db/x")
    result = empty_home.run("config", "show", "--format", output_format)
    assert result.exit_code == 0
    assert STRONG not in result.stdout + result.stderr
    assert "hunter2" not in result.stdout + result.stderr


def test_show_warns_of_names_that_are_nearly_settings(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRT", "x")
    result = empty_home.run("config", "show")
    assert "warning: JWT_SECRT" in result.stderr


def test_show_lists_every_problem_when_settings_are_unusable(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CF-03."""
    monkeypatch.setenv("RP_ID", "example.com")
    monkeypatch.setenv("JWT_SECRET", "short")
    result = empty_home.run("config", "show")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "RP_ID" in result.stderr
    assert "JWT_SECRET" in result.stderr


def test_check_exits_0_when_nothing_is_wrong(empty_home: Home) -> None:
    result = empty_home.run("config", "check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No problems found.\n")
    assert list(empty_home.path.iterdir()) == []


def test_check_exits_1_and_lists_every_problem(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RP_ID", "example.com")
    monkeypatch.setenv("JWT_SECRET", "short")
    result = empty_home.run("config", "check", "--format", "json")
    findings = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [finding["severity"] for finding in findings] == ["problem", "problem"]


def test_check_exits_0_when_there_are_warnings_alone(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMITS", "off")
    result = empty_home.run("config", "check")
    assert result.exit_code == 0
    assert "warning" in result.stdout


def test_check_finds_keys_that_others_can_read(home: Home) -> None:
    """R-CF-01."""
    (home.path / "app.keys" / "audit.key").chmod(0o644)
    result = home.run("config", "check")
    assert result.exit_code == 1
    assert "KEY_DIR" in result.stdout


def test_check_finds_keys_that_production_lacks(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("ORIGIN", "https://auth.example.com")
    monkeypatch.setenv("RP_ID", "auth.example.com")
    result = empty_home.run("config", "check")
    assert result.exit_code == 1
    assert "AUDIT_KEY has to be given in production" in result.stdout
