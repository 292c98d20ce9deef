from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.commands.passkeys._file import default_path
from authctl.errors import UsageError
from authctl.virtual_authenticator import ES256, Credential, FileStore, SystemRandom
from authctl.virtual_authenticator.authenticator.counters import PER_CREDENTIAL
from authctl.virtual_authenticator.authenticator.keys import CredentialKey

if TYPE_CHECKING:
    from typer.testing import Result

runner = CliRunner()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    store = FileStore(tmp_path / "authctl" / "passkeys.json")
    for credential_id, name in ((b"\x00\x00one", "a\x1b[31m@example.com"), (b"\x00\x00two", "b@example.com")):
        store.add(
            Credential(
                credential_id=credential_id,
                rp_id="localhost",
                user_handle=credential_id,
                user_name=name,
                user_display_name="",
                key=CredentialKey.generate(ES256, SystemRandom()),
                counter=PER_CREDENTIAL,
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    return store


def run(*words: str, expected: int = 0, typed: str | None = None) -> Result:
    result = runner.invoke(app, ["passkeys", *words], input=typed)
    assert result.exit_code == expected, result.output
    return result


def test_the_list_has_every_passkey_and_no_key(store: FileStore) -> None:
    """R-CL-06."""
    rows = json.loads(run("list", "--format", "json").stdout)
    assert [row["user_name"] for row in rows] == ["b@example.com", "a\x1b[31m@example.com"]
    assert rows[0]["credential_id"] == "AAB0d28"
    assert rows[0]["created_at"] == "2026-01-01T00:00:00Z"
    secret = json.loads(store.path.read_text())["credentials"][0]["private_key"]
    for output_format in ("table", "json", "jsonl", "csv"):
        assert secret not in run("list", "--format", output_format).output


def test_the_list_is_harmless_on_a_terminal() -> None:
    """R-CL-01."""
    assert "\x1b" not in run("list").output


def test_the_list_is_a_table_for_programs() -> None:
    rows = list(csv.DictReader(run("list", "--format", "csv").stdout.splitlines()))
    assert [row["credential_id"] for row in rows] == ["AAB0d28", "AABvbmU"]


def test_the_list_is_empty_when_there_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    result = run("list", "--passkeys", str(path))
    assert (result.stdout, path.exists()) == ("", False)
    assert "No passkeys" in result.stderr


def test_a_passkey_is_shown_when_its_id_begins_clearly() -> None:
    shown = json.loads(run("show", "AABv", "--format", "json").stdout)
    assert (shown["credential_id"], shown["counter"], shown["transports"]) == (
        "AABvbmU",
        "per-credential",
        ["internal"],
    )


def test_a_passkey_is_not_shown_when_its_id_is_not_clear() -> None:
    assert "several" in run("show", "AAB", expected=2).stderr
    assert "several" in run("show", "", expected=2).stderr


def test_a_passkey_is_not_found_when_no_id_begins_so() -> None:
    assert "No passkey" in run("show", "zzz", expected=3).stderr


def test_a_whole_id_is_clear_when_another_begins_with_it(store: FileStore) -> None:
    # The id of one passkey as text is the beginning of the other's: the bytes have a whole number of groups.
    short = replace(store.all()[0], credential_id=b"\x01" * 3, user_handle=b"short", user_name="short")
    store.add(short)
    store.add(replace(short, credential_id=b"\x01" * 6, user_handle=b"long", user_name="long"))
    assert json.loads(run("show", "AQEB", "--format", "json").stdout)["user_name"] == "short"
    assert "several" in run("show", "AQE", expected=2).stderr


def test_a_passkey_is_deleted_when_told_yes(store: FileStore) -> None:
    run("delete", "AAB0", "--yes")
    assert [each.user_handle for each in store.all()] == [b"\x00\x00one"]


def test_a_passkey_stays_when_nobody_agrees(store: FileStore) -> None:
    result = runner.invoke(app, ["passkeys", "delete", "AAB0"], input="n\n")
    assert result.exit_code != 0
    assert len(store.all()) == 2


def test_a_passkey_is_not_deleted_twice(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileStore, "remove", lambda self, credential_id: False)
    assert "meantime" in run("delete", "AAB0", "--yes", expected=3).stderr


@pytest.mark.parametrize("verb", [["list"], ["show", "A"], ["delete", "A", "--yes"]])
def test_the_file_is_refused_when_others_can_read_it(store: FileStore, verb: list[str]) -> None:
    """R-CL-05."""
    store.path.chmod(0o644)
    assert "chmod 600" in run(*verb, expected=5).stderr


def test_the_default_file_is_in_the_users_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/jane")
    assert default_path() == Path("/home/jane/.local/share/authctl/passkeys.json")


def test_a_file_has_to_be_named_when_there_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(UsageError, match="no home directory"):
        default_path()
