"""`authctl passkeys export` and `import` at the terminal (R-CL-06, R-CL-07)."""

from __future__ import annotations

import io
import json
import stat
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.virtual_authenticator import ES256, Credential, FileStore, SystemRandom
from authctl.virtual_authenticator.authenticator.counters import PER_CREDENTIAL
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.credential_store import sealed

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

runner = CliRunner()
PLAIN = "--unencrypted-for-tests"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sealed, "COST", 16)
    monkeypatch.setattr(sealed.seal, "__kwdefaults__", {"cost": 16})
    store = FileStore(tmp_path / "authctl" / "passkeys.json")
    for number in (1, 2):
        store.add(
            Credential(
                credential_id=b"\x00\x00%d" % number,
                rp_id="localhost",
                user_handle=b"%d" % number,
                user_name=f"a{number}\x1b[31m@example.com",
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


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def id_of(store: FileStore, place: int = 0) -> str:
    found: str = json.loads(run("list", "--format", "json").stdout)[place]["credential_id"]
    return found


@pytest.mark.parametrize("form", [(), ("--chromium",), ("--webdriver",), ("--playwright",)])
def test_a_passkey_goes_out_and_comes_in(store: FileStore, tmp_path: Path, form: tuple[str, ...]) -> None:
    out = tmp_path / "out.json"
    assert "1 passkey is" in run("export", id_of(store), PLAIN, *form, "--output", str(out)).stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert json.loads(out.read_bytes())["mark"] == "test-only"
    other = tmp_path / "other" / "passkeys.json"
    for result in ("added", "already there"):
        rows = json.loads(run("import", str(out), "--passkeys", str(other), "--format", "json").stdout)
        assert [(row["credential_id"], row["result"]) for row in rows] == [(id_of(store), result)]
    assert [each.key.to_pkcs8() for each in FileStore(other).all()] == [store.all()[0].key.to_pkcs8()]


def test_several_passkeys_go_out_once_each(store: FileStore) -> None:
    result = run("export", PLAIN, id_of(store, 0), id_of(store, 1), id_of(store, 0))
    assert len(json.loads(result.stdout)["credentials"]) == 2


def test_an_encrypted_export_comes_in_with_its_passphrase(store: FileStore, tmp_path: Path) -> None:
    """R-CL-07."""
    out, word = tmp_path / "out.json", private(tmp_path / "word", "correct horse\r\nsecond line\n")
    run("export", id_of(store), "--passphrase-file", str(word), "--output", str(out))
    assert "private" not in out.read_text().lower()
    target = ("--passkeys", str(tmp_path / "other.json"))
    assert "encrypted" in run("import", str(out), *target, expected=4).stderr
    wrong = private(tmp_path / "wrong", "mule")
    assert "passphrase" in run("import", str(out), *target, "--passphrase-file", str(wrong), expected=4).stderr
    run("import", str(out), *target, "--passphrase-file", "-", typed="correct horse\n")
    assert len(FileStore(tmp_path / "other.json").all()) == 1


@pytest.mark.parametrize("words", [(), (PLAIN, "--passphrase-file", "-")])
def test_an_export_has_to_say_how_keys_leave(store: FileStore, words: tuple[str, ...]) -> None:
    """R-CL-06: export needs a passphrase, or says aloud that it has none."""
    assert "--unencrypted-for-tests" in run("export", id_of(store), *words, expected=2).stderr


def test_an_export_has_one_form(store: FileStore) -> None:
    assert "Choose one" in run("export", id_of(store), PLAIN, "--chromium", "--webdriver", expected=2).stderr


def test_nothing_goes_to_a_terminal(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-06."""
    beginning = id_of(store)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from authctl.commands.passkeys.export import export
    from authctl.errors import UsageError

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with pytest.raises(UsageError, match="terminal"):
        export(ids=[beginning], unencrypted_for_tests=True)
    assert terminal.getvalue() == ""


def test_a_person_is_warned_when_a_browser_cannot_use_the_passkey(store: FileStore, tmp_path: Path) -> None:
    rows = json.loads(store.path.read_bytes())
    rows["credentials"][1]["backup_eligible"] = True
    store.path.write_text(json.dumps(rows))
    result = run("export", id_of(store), PLAIN, "--playwright", "--output", str(tmp_path / "out.json"))
    assert "backup eligible" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("content", ["", "\n", "\nsecond"])
def test_a_passphrase_has_to_be_there(store: FileStore, tmp_path: Path, content: str) -> None:
    word = private(tmp_path / "word", content)
    assert "no passphrase" in run("export", id_of(store), "--passphrase-file", str(word), expected=2).stderr


def test_a_passphrase_has_to_be_text(store: FileStore, tmp_path: Path) -> None:
    word = private(tmp_path / "word", "")
    word.write_bytes(b"\xff\n")
    assert "UTF-8" in run("export", id_of(store), "--passphrase-file", str(word), expected=2).stderr


def test_a_file_is_refused_when_others_can_read_it(store: FileStore, tmp_path: Path) -> None:
    """R-CL-05."""
    path = private(tmp_path / "in.json", "[]")
    path.chmod(0o644)
    assert "chmod 600" in run("import", str(path), expected=5).stderr
    assert "chmod 600" in run("export", id_of(store), "--passphrase-file", str(path), expected=5).stderr


def test_a_file_is_refused_in_one_line_when_it_is_missing_or_broken(store: FileStore, tmp_path: Path) -> None:
    assert "no file" in run("import", str(tmp_path / "none"), expected=3).stderr
    path = private(tmp_path / "in.json", "{")
    assert run("import", str(path), expected=5).stderr.count("\n") == 1
    assert "newer" in run("import", str(newer(store, tmp_path)), expected=5).stderr
    assert run("import", str(tmp_path), expected=5).stderr.count("\n") == 1
    refused = run("export", id_of(store), PLAIN, "--output", str(tmp_path / "none" / "out.json"), expected=5).stderr
    assert "--passkeys" not in refused


def newer(store: FileStore, tmp_path: Path) -> Path:
    document = json.loads(store.path.read_bytes())
    return private(tmp_path / "newer.json", json.dumps({**document, "version": 99}))


def test_nothing_comes_in_when_there_is_nothing(tmp_path: Path) -> None:
    assert "no passkeys" in run("import", str(private(tmp_path / "in.json", "[]"))).stderr


def test_another_passkey_with_the_same_id_is_refused(store: FileStore, tmp_path: Path) -> None:
    document = json.loads(store.path.read_bytes())
    first, second = document["credentials"]
    first["private_key"] = second["private_key"]
    path = private(tmp_path / "in.json", json.dumps(document))
    before = store.path.read_bytes()
    assert f"with the id {first['credential_id']} is there already" in run("import", str(path), expected=4).stderr
    assert store.path.read_bytes() == before


def test_an_export_is_never_put_in_the_place_of_the_store(store: FileStore, tmp_path: Path) -> None:
    identifier = json.loads(store.path.read_bytes())["credentials"][0]["credential_id"]
    (tmp_path / "link").hardlink_to(store.path)
    for place in (store.path, tmp_path / "link"):
        words = ("export", "--unencrypted-for-tests", "--output", str(place), "--", identifier)
        assert "the file of passkeys itself" in run(*words, expected=2).stderr
    assert len(store.all()) == 2


def test_a_passkey_without_a_name_logs_in_for_the_email_that_is_given(store: FileStore, tmp_path: Path) -> None:
    from tests.virtual_authenticator.harness.listening import listening_server

    path, words = tmp_path / "keys.json", ("--email", "jane@example.com", "--format", "json")
    with listening_server() as (_, url):
        common = ("--url", url, "--passkeys", str(path))
        assert runner.invoke(app, ["simulate", "register", *common, *words]).exit_code == 0
        document = json.loads(path.read_bytes())
        document["credentials"][0]["user_name"] = ""
        path.write_text(json.dumps(document))
        answer = json.loads(runner.invoke(app, ["simulate", "login", *common, *words]).stdout)
    assert {step["ceremony"] for step in answer["steps"]} == {"login"}
