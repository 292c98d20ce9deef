"""Loads and commands against real servers of other makers (SPEC §11)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from authctl.cli import app

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = ("simplewebauthn", "better_auth", "fido", "webauthn_io")


@pytest.mark.parametrize("server", SERVERS)
def test_a_real_server_carries_a_load(server: str, request: pytest.FixtureRequest) -> None:
    where = ("--target", server.replace("_", "-"), "--url", request.getfixturevalue(server))
    words = ("--count", "12", "--users", "3", "-c", "3", "--mix", "login=2,register=1", "--timeout", "60")
    result = CliRunner().invoke(app, ["simulate", "load", *where, *words, "--format", "json"])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert (shown["succeeded"], shown["failed"]) == (12, 0)


@pytest.mark.parametrize("server", SERVERS)
def test_commands_complete_a_login_at_a_real_server(
    server: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    where = ("--target", server.replace("_", "-"), "--url", request.getfixturevalue(server))
    shown = CliRunner().invoke(app, ["simulate", "login", *where, "--curl", "--unsent"])
    assert shown.exit_code == 0, shown.output
    done = subprocess.run(["bash", "-e", "-c", shown.stdout], capture_output=True, check=False, timeout=60, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(word in done.stdout for word in ("true", "ok", "The token is in"))
