from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.virtual_authenticator import FileStore
from authctl.virtual_authenticator.attestation.formats import FORMATS
from tests.virtual_authenticator.harness.listening import listening_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from tests.virtual_authenticator.harness.fake_server import FakeServer

runner = CliRunner()
EMAIL = "jane@example.com"


@pytest.fixture
def server() -> Iterator[tuple[FakeServer, str]]:
    with listening_server() as found:
        yield found


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def run(*words: str, expected: int = 0) -> Result:
    result = runner.invoke(app, words)
    assert result.exit_code == expected, result.output
    return result


def test_a_login_finds_the_passkey_of_an_earlier_registration(server: tuple[FakeServer, str], data_home: Path) -> None:
    fake, url = server
    registered = json.loads(run("simulate", "register", "--url", url, "--email", EMAIL, "--format", "json").stdout)
    logged_in = json.loads(run("simulate", "login", "--url", url, "--email", EMAIL, "--format", "json").stdout)
    assert registered["result"] == logged_in["result"] == "ok"
    assert registered["credential_id"] == logged_in["credential_id"]
    assert (logged_in["email"], logged_in["rp_id"], logged_in["origin"]) == (EMAIL, "localhost", url)
    assert [step["step"] for step in logged_in["steps"]] == ["begin", "sign", "complete", "check token", "read profile"]
    assert FileStore(data_home / "authctl" / "passkeys.json").all()[0].sign_count == 1
    assert len(fake.users) == 1


def test_a_login_takes_the_newest_passkey_when_no_email_is_given(server: tuple[FakeServer, str]) -> None:
    _, url = server
    run("simulate", "register", "--url", url, "--email", EMAIL)
    assert json.loads(run("simulate", "login", "--url", url, "--format", "json").stdout)["email"] == EMAIL


def test_a_login_registers_a_user_first_when_there_is_no_passkey(server: tuple[FakeServer, str]) -> None:
    fake, url = server
    result = run("simulate", "login", "--url", url)
    assert len(fake.users) == 1
    assert "register" in result.stderr
    assert result.stdout.startswith("ceremony")


def test_a_login_registers_the_user_who_is_named_when_there_is_no_passkey(server: tuple[FakeServer, str]) -> None:
    fake, url = server
    run("simulate", "register", "--url", url, "--email", "other@example.com")
    run("simulate", "login", "--url", url, "--email", EMAIL)
    assert set(fake.users) == {"other@example.com", EMAIL}


def test_a_login_registers_a_new_user_when_the_server_was_emptied(server: tuple[FakeServer, str]) -> None:
    fake, url = server
    run("simulate", "register", "--url", url, "--email", EMAIL)
    fake.users.clear()
    fake.credentials.clear()
    assert "registering first" in run("simulate", "login", "--url", url).stderr
    assert EMAIL not in fake.users


def test_passkeys_for_other_hosts_are_left_alone(server: tuple[FakeServer, str]) -> None:
    _, url = server
    run("simulate", "register", "--url", url, "--email", EMAIL)
    result = run("simulate", "login", "--url", url, "--origin", "https://example.com", expected=1)
    assert "may not use RP id 'localhost'" in result.stderr


def test_steps_go_to_stderr_and_the_answer_to_stdout(server: tuple[FakeServer, str]) -> None:
    result = run("simulate", "register", "--url", server[1])
    assert [line[:34].rstrip().split(maxsplit=2) for line in result.stderr.splitlines()] == [
        ["ok", "register", "begin"],
        ["ok", "register", "create passkey"],
        ["ok", "register", "complete"],
    ]
    assert "EdDSA" in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()][:4] == ["ceremony", "result", "server", "origin"]


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (["--algorithm", "rs256"], {"algorithm": -257}),
        (["--algorithm", "ES256", "--attestation", "packed"], {"algorithm": -7}),
        (["--preset", "synced-passkey"], {"flags": "UP+UV+BE+BS+AT"}),
        (["--preset", "security-key"], {"flags": "UP+UV+AT"}),
        (["--be", "--no-bs"], {"flags": "UP+UV+BE+AT"}),
        (["--counter", "fixed:9"], {"sign_count": 9}),
    ],
)
def test_options_choose_what_the_authenticator_makes(
    server: tuple[FakeServer, str], options: list[str], facts: dict[str, Any]
) -> None:
    result = run("simulate", "register", "--url", server[1], "--format", "json", *options)
    created = json.loads(result.stdout)["steps"][1]
    assert facts.items() <= created.items()


def test_a_login_is_refused_when_the_user_is_not_verified(server: tuple[FakeServer, str]) -> None:
    result = run("simulate", "login", "--url", server[1], "--no-uv", expected=1)
    assert "401 Invalid credentials" in result.stderr
    assert "Sent origin" in result.stderr


def test_a_login_is_refused_when_the_counter_goes_back(server: tuple[FakeServer, str]) -> None:
    result = run("simulate", "login", "--url", server[1], "--counter", "rollback:10", expected=1)
    assert "401" in result.stderr


def test_a_refusal_names_origin_and_rp_id_and_where_to_look() -> None:
    with listening_server(origin="https://login.example.com") as (_, url):
        result = run("simulate", "register", "--url", url, expected=1)
    assert f"Sent origin {url} and RP id localhost" in result.stderr
    for word in ("ORIGIN", "RP_ID", "authctl audit list --failure"):
        assert word in result.stderr
    assert "already taken" in result.stderr
    assert result.stdout == ""


def test_a_refused_login_is_not_said_to_be_about_a_taken_email(server: tuple[FakeServer, str]) -> None:
    result = run("simulate", "login", "--url", server[1], "--no-uv", expected=1)
    assert "authctl audit list --failure" in result.stderr
    assert "already taken" not in result.stderr


def test_a_failure_in_json_is_one_error_object(server: tuple[FakeServer, str]) -> None:
    """R-CL-09."""
    result = run("simulate", "login", "--url", server[1], "--no-uv", "--format", "json", expected=1)
    assert json.loads(result.stdout)["error"]["type"] == "ceremony-refused"


def test_the_exit_number_is_6_when_nothing_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = run("simulate", "login", "--url", f"http://localhost:{port}", expected=6)
    assert "Nothing answers" in result.stderr
    assert "authctl serve" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "localhost"], "not the address of a server"),
        (["--url", "http://127.0.0.1:8000"], "Use http://localhost"),
        (["--url", "http://localhost:1", "--origin", "http://example.com"], "not a secure origin"),
        (["--url", "http://localhost:1", "--preset", "toaster"], "platform, synced-passkey, security-key"),
        (["--url", "http://localhost:1", "--algorithm", "ES1"], "One of: ES256, ES384, ES512"),
        (["--url", "http://localhost:1", "--attestation", "xyz"], "none, packed, packed-x5c"),
        (["--url", "http://localhost:1", "--counter", "random"], "per-credential"),
        (["--url", "http://localhost:1", "--timeout", "0"], "0.1"),
    ],
)
@pytest.mark.parametrize("verb", ["register", "login"])
def test_the_exit_number_is_2_when_an_option_makes_no_sense(verb: str, options: list[str], words: str) -> None:
    assert words in run("simulate", verb, *options, expected=2).stderr


def test_the_exit_number_is_5_when_the_file_of_passkeys_is_damaged_and_the_server_is_not_asked(
    server: tuple[FakeServer, str], tmp_path: Path
) -> None:
    path = tmp_path / "passkeys.json"
    path.touch(mode=0o600)
    result = run("simulate", "register", "--url", server[1], "--passkeys", str(path), expected=5)
    assert "move it away" in result.stderr
    assert server[0].seen == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_statement_format_is_made_when_it_is_named(server: tuple[FakeServer, str], name: str) -> None:
    # What the server makes of it is another matter: it has no roots for some of them.
    words = ("--url", server[1], "--algorithm", "ES256", "--attestation", name)
    result = runner.invoke(app, ["simulate", "register", *words])
    (created,) = (line for line in result.stderr.splitlines() if "create passkey" in line)
    assert created.endswith(f", attestation {FORMATS[name].identifier}")


def test_the_report_holds_every_step(server: tuple[FakeServer, str], tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    run("simulate", "login", "--url", server[1], "--junit", str(path))
    suite = Xml.parse(path).getroot()[0]  # noqa: S314  # our own text
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("authctl.simulate.login", "8", "0")


def test_the_report_is_written_when_the_ceremony_fails(server: tuple[FakeServer, str], tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    run("simulate", "login", "--url", server[1], "--no-uv", "--junit", str(path), expected=1)
    suite = Xml.parse(path).getroot()[0]  # noqa: S314  # our own text
    assert (suite.get("failures"), suite.get("errors")) == ("1", "0")


def test_the_exit_number_is_2_when_the_report_cannot_be_written(server: tuple[FakeServer, str], tmp_path: Path) -> None:
    result = run("simulate", "login", "--url", server[1], "--junit", str(tmp_path), expected=2)
    assert "--junit" in result.stderr


def test_the_exit_number_is_that_of_the_ceremony_when_the_report_cannot_be_written_either(
    server: tuple[FakeServer, str], tmp_path: Path
) -> None:
    result = run("simulate", "login", "--url", server[1], "--no-uv", "--junit", str(tmp_path), expected=1)
    assert f"warning: {tmp_path} cannot be written" in result.stderr
    assert "401 Invalid credentials" in result.stderr


def test_the_file_of_passkeys_is_named_by_option_or_variable(server: tuple[FakeServer, str], tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    run("simulate", "register", "--url", server[1], "--passkeys", str(first))
    result = runner.invoke(app, ["simulate", "register", "--url", server[1]], env={"AUTHCTL_PASSKEYS": str(second)})
    assert result.exit_code == 0
    assert len(FileStore(first).all()) == len(FileStore(second).all()) == 1


def test_no_private_key_and_no_token_is_shown(server: tuple[FakeServer, str], data_home: Path) -> None:
    """R-CL-06, R-LG-05."""
    result = run("simulate", "login", "--url", server[1], "--format", "json")
    document = json.loads((data_home / "authctl" / "passkeys.json").read_text())
    assert document["credentials"][0]["private_key"] not in result.output
    assert ".c2ln" not in result.output


def test_the_token_is_written_alone_when_it_is_asked_for(server: tuple[FakeServer, str]) -> None:
    """R-CL-08: only then."""
    result = run("simulate", "login", "--url", server[1], "--print-token")
    assert result.stdout.count("\n") == 1
    assert result.stdout.strip().endswith(".c2ln")
    assert ".c2ln" not in result.stderr
