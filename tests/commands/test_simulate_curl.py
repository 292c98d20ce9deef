"""`simulate login --curl`: what was sent, as commands that a shell runs (SPEC §11)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.server.running import temporary_server
from authctl.virtual_authenticator.harness.recipe.builtin import text_of
from tests.virtual_authenticator.harness.listening import listening_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from authctl.server.running import EmbeddedServer
    from tests.virtual_authenticator.harness.fake_server import FakeServer

EMAIL = "jane@example.com"


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def service() -> Iterator[EmbeddedServer]:
    """The real service on a socket."""
    with temporary_server(authenticator_attachment="any") as server:
        yield server


@pytest.fixture
def fake() -> Iterator[tuple[FakeServer, str]]:
    with listening_server() as found:
        yield found


def run(*words: str, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, ["simulate", *words])
    assert result.exit_code == expected, result.output
    return result


def bash(text: str) -> list[str]:
    """The lines that a script writes."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], capture_output=True, check=True, timeout=30, text=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("target", [(), ("--target", "authctl")])
def test_the_commands_complete_what_was_begun_when_it_was_left_unsent(
    service: EmbeddedServer, target: tuple[str, ...]
) -> None:
    where = (*target, "--url", service.url, "--email", EMAIL)
    run("register", *where)
    shown = run("login", *where, "--curl", "--unsent")
    profile = json.loads(bash(shown.stdout)[-1])
    assert profile["email"] == EMAIL
    assert "complete" not in shown.stderr
    # The challenge is taken once.
    again = subprocess.run(["bash", "-e", "-c", shown.stdout], capture_output=True, check=False, timeout=30, text=True)
    assert (again.returncode, again.stdout) == (1, "")
    assert "Invalid credentials" in again.stderr
    assert "Traceback" not in again.stderr


def test_what_was_sent_can_be_sent_again_but_for_what_completes(service: EmbeddedServer) -> None:
    run("register", "--url", service.url, "--email", EMAIL)
    shown = run("login", "--url", service.url, "--email", EMAIL, "--curl")
    begun, completed, profile = map(json.loads, bash(shown.stdout))
    assert "challenge" in begun["publicKey"]
    assert completed["status"] == 401
    assert profile["email"] == EMAIL
    assert "What was sent, and what came back" in shown.stdout


def test_a_recipe_reads_the_profile_for_the_commands_when_it_says_how(service: EmbeddedServer) -> None:
    shown = run("login", "--target", "authctl", "--url", service.url, "--curl", "--format", "json")
    document = json.loads(shown.stdout)
    assert [step["step"] for step in document["steps"]][-3:] == ["sign", "complete", "read profile"]
    assert any(line.startswith("token=") and "# secret" in line for line in document["commands"])
    assert any("/users/me" in line for line in document["commands"])


def test_a_registration_is_shown_as_commands(fake: tuple[FakeServer, str]) -> None:
    _, url = fake
    shown = run("register", "--url", url, "--curl").stdout
    assert [line for line in shown.splitlines() if line.startswith("# register")] == [
        "# register: begin",
        "# register: complete",
    ]


def test_what_was_sent_is_shown_when_it_was_refused(fake: tuple[FakeServer, str]) -> None:
    server, url = fake
    server.answers["/login/complete"] = (401, {}, b'{"detail": "Invalid credentials"}')
    shown = run("login", "--url", url, "--curl", expected=1)
    assert "# 401" in shown.stdout
    assert "The server refused" in shown.stderr
    server.answers["/login/complete"] = (401, {}, b"{}")
    assert "curl" not in run("login", "--url", url, "--curl", "--format", "csv", expected=1).stdout


def test_commands_for_a_service_that_is_gone_say_so() -> None:
    shown = run("login", "--curl")
    assert "the service of this run ends with it" in shown.stderr
    assert "curl -sS" in shown.stdout


def test_cookies_that_the_login_needs_are_in_the_jar_when_it_was_left_unsent(
    fake: tuple[FakeServer, str], tmp_path: Path
) -> None:
    server, url = fake
    recipe = tmp_path / "mine.toml"
    run("register", "--target", "authctl", "--url", url, "--email", EMAIL)
    recipe.write_text(
        text_of("authctl")
        .replace('save = { token = "$.access_token" }', 'save = { token = "header:x-token" }')
        .replace("/users/me", "/users/{display_name}/{rp_id}/{origin}/{token}/{credential_count}")
        .replace("save = { token", 'save = { credential_count = "$.expires_in", token')
    )
    original = server.answer

    def answer(path: str, body: object) -> tuple[int, dict[str, str], bytes]:
        status, headers, content = original(path, body)
        return status, {**headers, "Set-Cookie": "sid=s1; Path=/"}, content

    server.answer = answer  # type: ignore[method-assign]
    where = ("--target", str(recipe), "--url", url, "--email", EMAIL)
    shown = run("login", *where, "--curl", "--unsent", "--format", "json")
    document = json.loads(shown.stdout)
    assert document["result"] == "unsent"
    assert any(line.startswith("printf") and "sid s1" in line for line in document["commands"])
    # Neither the token nor the profile can be had without the answer.
    assert document["commands"][-1].lstrip().startswith("--data-raw")


def test_a_recipe_without_a_profile_ends_with_the_login(fake: tuple[FakeServer, str], tmp_path: Path) -> None:
    _, url = fake
    recipe = tmp_path / "mine.toml"
    lines = text_of("authctl").splitlines()
    recipe.write_text("\n".join(line for line in lines if not line.startswith("profile")))
    where = ("--target", str(recipe), "--url", url)
    assert "token=$(curl" in run("login", *where, "--curl", "--unsent").stdout
    assert "read profile" not in run("login", *where, "--curl").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--curl", "--print-token"), "both write to stdout"),
        (("--unsent",), "add --curl"),
        (("--curl", "--unsent"), "--url names another"),
    ],
)
def test_what_does_not_go_together_is_refused(words: tuple[str, ...], message: str) -> None:
    assert message in run("login", *words, expected=2).stderr
