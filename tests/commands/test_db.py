from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from authctl.server.storage import schema
from authctl.server.storage.drivers import choose_driver

if TYPE_CHECKING:
    from tests.commands.conftest import Home


def test_upgrade_creates_database_and_keys_when_there_are_none(empty_home: Home) -> None:
    result = empty_home.run("db", "upgrade")
    assert (result.exit_code, result.stdout) == (0, f"the database was created with schema {schema.HEAD}\n")
    assert (empty_home.path / "app.db").stat().st_mode & 0o777 == 0o600
    assert (empty_home.path / "app.keys").stat().st_mode & 0o777 == 0o700
    assert empty_home.run("users", "list").exit_code == 0


def test_upgrade_changes_nothing_when_the_schema_is_current(home: Home) -> None:
    result = home.run("db", "upgrade", "--format", "json")
    assert json.loads(result.stdout) == {"before": schema.HEAD, "after": schema.HEAD, "changed": False}
    assert home.run("db", "upgrade").stdout == f"the database is at schema {schema.HEAD}\n"


def test_upgrade_never_replaces_a_database_that_is_gone(home: Home) -> None:
    (home.path / "app.db").unlink()
    result = home.run("db", "upgrade")
    assert result.exit_code == 5
    assert not (home.path / "app.db").exists()


def test_upgrade_refuses_a_file_that_is_no_database(empty_home: Home) -> None:
    (empty_home.path / "app.db").write_text("hello")
    result = empty_home.run("db", "upgrade")
    assert result.exit_code == 5
    assert (empty_home.path / "app.db").read_text() == "hello"


@pytest.mark.postgres
def test_upgrade_makes_the_tables_on_postgresql(
    empty_home: Home, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    assert empty_home.run("db", "current").stdout.split()[:2] == ["version", "-"]
    assert empty_home.run("db", "upgrade").exit_code == 0
    assert schema.version(choose_driver(postgres_url)) == schema.HEAD
    assert empty_home.run("users", "list").exit_code == 0


def test_current_tells_the_version_of_the_tables(home: Home) -> None:
    result = home.run("db", "current", "--format", "json")
    assert json.loads(result.stdout) == {"version": schema.HEAD, "newest": schema.HEAD, "is_current": True}
    assert result.stderr == ""


def test_current_names_the_way_out_when_the_tables_are_old(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "HEAD", "9998")
    result = home.run("db", "current")
    assert result.exit_code == 0
    assert "authctl db upgrade" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("db", "current"), ("users", "list"), ("users", "show", "a@example.com"), ("promote", "a@example.com"),
        ("demote", "a@example.com"), ("audit", "list"), ("audit", "verify"), ("users", "delete", "a@example.com"),
    ],
)  # fmt: skip
def test_a_command_creates_nothing_when_there_is_no_database(words: tuple[str, ...], empty_home: Home) -> None:
    result = empty_home.run(*words)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith("error: There is no database at app.db\nhint: ")
    assert list(empty_home.path.iterdir()) == []


def test_a_command_says_what_is_gone_when_only_keys_are_left(home: Home) -> None:
    (home.path / "app.db").unlink()
    result = home.run("users", "list")
    assert result.exit_code == 5
    assert "is gone" in result.stderr


@pytest.mark.parametrize("found", [b"", b"something else entirely", b"SQLite format 3\x00" + bytes(100)])
def test_a_command_leaves_a_damaged_database_alone_and_says_what_to_do(found: bytes, home: Home) -> None:
    (home.path / "app.db").write_bytes(found)
    result = home.run("users", "list")
    assert result.exit_code == 5
    assert "move it away to start anew" in result.stderr
    assert (home.path / "app.db").read_bytes() == found
