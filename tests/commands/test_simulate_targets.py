"""Other makers' servers from the terminal: recipes, --target, and the permission that a host needs (SPEC §11)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.virtual_authenticator.harness.recipe.builtin import NAMES, text_of
from tests.virtual_authenticator.harness.listening import listening_server
from tests.virtual_authenticator.harness.recipe.servers import raw_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from tests.virtual_authenticator.harness.fake_server import FakeServer

runner = CliRunner()
EMAIL = "jane@example.com"


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def server() -> Iterator[tuple[FakeServer, str]]:
    with listening_server() as found:
        yield found


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The recipe for authctl as somebody's own file."""
    file = tmp_path / "mine.toml"
    file.write_text(text_of("authctl"))
    return file


def run(*words: str, expected: int = 0) -> Result:
    result = runner.invoke(app, ["simulate", *words])
    assert result.exit_code == expected, result.output
    return result


def test_a_passkey_registers_and_logs_in_by_a_recipe(server: tuple[FakeServer, str], recipe: Path) -> None:
    fake, url = server
    words = ("--target", str(recipe), "--url", url, "--email", EMAIL, "--format", "json")
    registered = json.loads(run("register", *words).stdout)
    logged_in = json.loads(run("login", *words).stdout)
    assert (registered["result"], registered["target"], registered["email"]) == ("ok", "mine", EMAIL)
    assert registered["credential_id"] == logged_in["credential_id"]
    assert [step["step"] for step in logged_in["steps"]] == ["begin", "sign", "complete"]
    assert set(fake.users) == {EMAIL}


def test_a_login_by_a_recipe_finds_the_passkey_when_no_email_is_given(server: tuple[FakeServer, str]) -> None:
    _, url = server
    run("register", "--target", "authctl", "--url", url, "--email", EMAIL)
    result = run("login", "--target", "authctl", "--url", url, "--print-token")
    assert len(result.stdout.split(".")) == 3


def test_a_login_by_a_recipe_registers_first_when_there_is_no_passkey(server: tuple[FakeServer, str]) -> None:
    fake, url = server
    result = run("login", "--target", "authctl", "--url", url)
    assert "accepted with 201" in result.stderr
    assert len(fake.users) == 1


def test_a_login_by_a_recipe_registers_a_new_user_when_the_server_was_emptied(server: tuple[FakeServer, str]) -> None:
    fake, url = server
    run("register", "--target", "authctl", "--url", url, "--email", EMAIL)
    fake.users.clear()
    fake.credentials.clear()
    assert "registering first" in run("login", "--target", "authctl", "--url", url).stderr


def test_a_refusal_says_what_was_sent_and_leaves_no_passkey(server: tuple[FakeServer, str]) -> None:
    _, url = server
    words = ("--target", "authctl", "--url", url, "--email", EMAIL)
    run("register", *words)
    result = run("register", *words, "--preset", "security-key", expected=1)
    assert f"The server refused: 400 Registration failed. Sent origin {url}" in result.stderr
    assert len(json.loads(runner.invoke(app, ["passkeys", "list", "--format", "json"]).stdout)) == 1


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        ((500, {}, b"oops"), 1, "The server failed with 500 oops"),
        ((200, {}, b"{}"), 1, "The recipe does not say what this answer means: 200 {}"),
        ((302, {"location": "/x"}, b""), 1, "redirected to /x"),
    ],
)
def test_an_answer_to_a_credential_is_told(
    server: tuple[FakeServer, str], answer: object, expected: int, message: str
) -> None:
    fake, url = server
    fake.answers["/register/complete"] = answer
    result = run("register", "--target", "authctl", "--url", url, expected=expected)
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        (b"", 6, "closed the connection without a proper answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", 1, "There are no options at $.publicKey"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 1, "is redirected to /x"),
        (None, 6, "did not answer within 0.3 seconds"),
    ],
)
def test_a_server_that_hardly_is_one_is_told_from_one_that_refuses(
    answer: bytes | None, expected: int, message: str
) -> None:
    with raw_server(answer) as url:
        words = ("--target", "authctl", "--url", url, "--timeout", "0.3")
        assert message in run("login", *words, expected=expected).stderr


def test_options_that_no_browser_would_take_are_the_servers_fault(server: tuple[FakeServer, str]) -> None:
    fake, url = server
    fake.answers["/register/begin"] = (200, {}, b'{"publicKey": {"challenge": "x"}}')
    result = run("register", "--target", "authctl", "--url", url, expected=1)
    assert result.stderr.splitlines()[-1].startswith(("error: ", "hint: "))


def test_another_host_is_refused_when_nobody_has_allowed_it() -> None:
    result = run("login", "--target", "fido", "--url", "https://login.example.com", expected=2)
    assert "--i-am-allowed-to-test login.example.com" in result.stderr


def test_another_host_is_tried_when_it_is_allowed() -> None:
    allowed = ("--i-am-allowed-to-test", "allowed.invalid", "--timeout", "2")
    result = runner.invoke(app, ["simulate", "login", "--target", "fido", "--url", "https://allowed.invalid", *allowed])
    # What comes of a name that nobody has depends on who is asked for it.
    assert result.exit_code in (1, 6)
    assert "nobody has said" not in result.stderr


def test_a_token_is_asked_for_in_vain_when_the_recipe_saves_none(server: tuple[FakeServer, str], recipe: Path) -> None:
    recipe.write_text(text_of("authctl").replace('save = { token = "$.access_token" }', 'save = { t = "$.x" }'))
    recipe.write_text(recipe.read_text().replace("{token}", "{t}"))
    result = run("login", "--target", str(recipe), "--url", server[1], "--print-token", expected=2)
    assert "saves no value named token" in result.stderr


def test_the_recipes_are_listed() -> None:
    rows = json.loads(run("recipe", "list", "--format", "json").stdout)
    assert [row["name"] for row in rows] == list(NAMES)
    assert run("recipe", "list").stdout.splitlines()[0].split()[0] == "Name"


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_that_is_shown_is_a_file_that_is_right(name: str, tmp_path: Path) -> None:
    file = tmp_path / "shown.toml"
    file.write_text(run("recipe", "show", name).stdout)
    assert file.read_text() == text_of(name)
    assert f"{file} can be used" in run("recipe", "check", str(file)).stdout
    assert json.loads(run("recipe", "show", name, "--format", "json").stdout)["recipe"] == text_of(name)
    assert json.loads(run("recipe", "check", str(file), "--format", "json").stdout)["name"] == "shown"


def test_a_recipe_that_nobody_has_is_met_with_the_nearest() -> None:
    assert "Did you mean keycloak?" in run("recipe", "show", "keycloack", expected=2).stderr
    assert "Did you mean keycloak?" in run("login", "--target", "keycloack", expected=2).stderr


def test_everything_that_is_wrong_with_a_recipe_is_said(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('version = 9\norigni = "x"\n')
    result = run("recipe", "check", str(file), expected=2)
    assert "The recipe cannot be used" in result.stderr
    assert f"{file}: version: 9 is newer than this program" in result.stderr
    assert "did you mean 'origin'?" in result.stderr
    assert run("login", "--target", str(file), expected=2).stderr == result.stderr


def test_a_file_that_is_not_there_is_said_in_a_line(tmp_path: Path) -> None:
    result = run("recipe", "check", str(tmp_path / "none.toml"), expected=2)
    assert f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory" in result.stderr
