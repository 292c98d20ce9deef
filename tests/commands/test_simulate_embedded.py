"""Simulations against the real service: embedded in the command, and running beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.server.running import temporary_server
from authctl.virtual_authenticator import PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

runner = CliRunner()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an empty data directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with temporary_server(authenticator_attachment="any", rate_limits=False) as server:
        yield server.url


def run(*words: str, expected: int = 0) -> Result:
    result = runner.invoke(app, ["simulate", *words, "--format", "json"])
    assert result.exit_code == expected, result.output
    return result


def answer(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words).stdout)
    return found


def test_a_login_works_when_nothing_is_running(place: Path) -> None:
    done = answer("login")
    assert (done["result"], done["role"], done["rp_id"]) == ("ok", "user", "localhost")
    assert [step["ceremony"] for step in done["steps"]] == ["register"] * 3 + ["login"] * 5
    assert list(place.iterdir()) == [place / "work"]
    assert list((place / "work").iterdir()) == []


def test_a_login_leaves_no_passkey_when_the_environment_names_a_file_of_passkeys(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHCTL_PASSKEYS", str(place / "passkeys.json"))
    answer("login")
    assert not (place / "passkeys.json").exists()
    answer("login", "--passkeys", str(place / "typed.json"))
    assert (place / "typed.json").exists()


def test_a_passkey_is_as_eligible_for_backup_at_login_as_it_said_at_registration(url: str) -> None:
    words = ("--url", url, "--email", "be@example.com")
    answer("register", "--be", "--bs", *words)
    assert answer("login", *words)["result"] == "ok"


def test_settings_of_the_folder_do_not_touch_the_embedded_service(place: Path) -> None:
    (place / "work" / ".env").write_text("ENVIRONMENT=production\nRP_ID=example.com\nNONSENSE=1\n")
    assert answer("register")["rp_id"] == "localhost"


def test_the_passkey_is_kept_when_a_file_is_named(place: Path) -> None:
    path = place / "kept.json"
    done = answer("register", "--passkeys", str(path))
    assert done["credential_id"] in path.read_text()


ANY_KEY = [name for name, profile in PRESETS.items() if {-7, -8, -257} <= set(profile.algorithms)]
"""Presets of devices that can make a key of each of the service's algorithms."""


@pytest.mark.parametrize("preset", ANY_KEY)
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize("attestation", ["none", "packed"])
def test_the_service_accepts_every_preset_algorithm_and_format(
    url: str, preset: str, algorithm: str, attestation: str
) -> None:
    options = ("--preset", preset, "--algorithm", algorithm, "--attestation", attestation)
    assert answer("login", "--url", url, *options)["result"] == "ok"


@pytest.mark.parametrize("preset", sorted(set(PRESETS) - set(ANY_KEY) - {"u2f-token"}))
def test_the_service_accepts_every_device_that_verifies_its_user(url: str, preset: str) -> None:
    assert answer("login", "--url", url, "--preset", preset)["result"] == "ok"


def test_a_token_that_cannot_verify_its_user_is_told_why(url: str) -> None:
    result = run("register", "--url", url, "--preset", "u2f-token", expected=1)
    assert "user verification" in json.loads(result.stdout)["error"]["detail"]


@pytest.mark.parametrize(
    "options",
    [
        ["--no-uv"],
        ["--no-up"],
        ["--be"],
        ["--bs"],
        ["--counter", "rollback:10"],
        ["--counter", "fixed:7"],
    ],
)
def test_the_service_refuses_a_login_when_the_authenticator_misbehaves(url: str, options: list[str]) -> None:
    result = run("login", "--url", url, *options, expected=1)
    assert "401 Invalid credentials" in json.loads(result.stdout)["error"]["detail"]


def test_the_service_refuses_when_its_origin_differs(url: str) -> None:
    result = run("register", "--url", url, "--origin", "http://localhost:1", expected=1)
    error = json.loads(result.stdout)["error"]
    assert "Sent origin http://localhost:1 and RP id localhost" in error["detail"]
    assert "ORIGIN" in error["hint"]


def test_the_service_refuses_a_second_registration_and_the_first_passkey_stays(url: str) -> None:
    first = answer("register", "--url", url, "--email", "Twice@Example.com")
    run("register", "--url", url, "--email", "twice@example.com", expected=1)
    again = answer("login", "--url", url, "--email", "TWICE@example.com")
    assert again["credential_id"] == first["credential_id"]


def test_the_fields_are_named_when_the_email_is_none(url: str) -> None:
    result = run("register", "--url", url, "--email", "nonsense", expected=1)
    assert "email" in json.loads(result.stdout)["error"]["detail"]


def test_a_refusal_by_the_service_of_this_run_tells_the_reason_that_it_noted(place: Path) -> None:
    hint = json.loads(run("login", "--no-uv", expected=1).stdout)["error"]["hint"]
    assert hint.endswith("noted as reason: user_verification_missing")
