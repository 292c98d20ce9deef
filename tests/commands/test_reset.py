from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from authctl.server.assembly import open_service
from authctl.settings import load_settings

if TYPE_CHECKING:
    from tests.commands.conftest import Home

JANE = "jane@example.com"


@pytest.mark.parametrize(("words", "typed"), [(("--yes",), None), ((), "yes\n"), (("--confirm", "localhost"), None)])
def test_reset_empties_everything_when_it_is_confirmed(words: tuple[str, ...], typed: str | None, home: Home) -> None:
    home.add_user(JANE)
    home.run("promote", JANE)
    result = home.run("reset", *words, typed=typed)
    assert (result.exit_code, result.stdout) == (0, "the database is empty\n")
    assert json.loads(home.run("users", "list", "--format", "json").stdout) == []
    first = home.events()[-1]
    assert first.event_type == "database_reset"
    assert str(first.actor).startswith("os:")
    assert home.run("audit", "verify").exit_code == 0


@pytest.mark.parametrize(("typed", "number"), [("n\n", 4), ("", 2)])
def test_reset_changes_nothing_when_it_is_not_confirmed(typed: str, number: int, home: Home) -> None:
    home.add_user(JANE)
    result = home.run("reset", typed=typed)
    assert (result.exit_code, result.stdout) == (number, "")
    assert "sqlite:///app.db" in result.stderr
    assert home.run("users", "show", JANE).exit_code == 0


def test_reset_makes_a_database_when_there_is_none(empty_home: Home) -> None:
    assert empty_home.run("reset", "--yes").exit_code == 0
    assert (empty_home.path / "app.db").exists()
    assert empty_home.run("users", "list").exit_code == 0


def test_reset_answers_in_json_when_asked(home: Home) -> None:
    result = home.run("reset", "--yes", "--format", "json")
    assert json.loads(result.stdout) == {"generation": 2, "copy": None}


@pytest.fixture
def production(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The same directory with every key given, as production demands."""
    home.add_user(JANE)
    for variable, name in (
        ("JWT_SECRET", "jwt.key"), ("AUDIT_KEY", "audit.key"), ("DECOY_KEY", "decoy.key"),
        ("CHECKPOINT_KEY", "checkpoint.pem"),
    ):  # fmt: skip
        monkeypatch.setenv(f"{variable}_FILE", f"app.keys/{name}")
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("RP_ID", "auth.example.com")
    monkeypatch.setenv("ORIGIN", "https://auth.example.com")
    return home


@pytest.mark.parametrize("words", [("--yes",), (), ("--confirm", "other.example.com")])
def test_reset_refuses_in_production_without_the_host(words: tuple[str, ...], production: Home) -> None:
    """R-CL-02."""
    result = production.run("reset", *words)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "--confirm auth.example.com" in result.stderr
    assert production.run("users", "show", JANE).exit_code == 0


def test_reset_refuses_in_production_while_the_service_runs(production: Home) -> None:
    """R-CL-02."""
    running = open_service(load_settings(), kind="server")
    try:
        result = production.run("reset", "--confirm", "auth.example.com")
    finally:
        running.close()
    assert result.exit_code == 4
    assert "running" in result.stderr


def test_reset_keeps_a_copy_in_production(production: Home) -> None:
    """R-CL-02."""
    result = production.run("reset", "--confirm", "auth.example.com")
    assert result.exit_code == 0
    (copy,) = production.path.glob("*before-reset*")
    assert copy.name in result.stderr
