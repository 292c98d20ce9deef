"""Runs `authctl simulate attack` for tests, with the cases that they choose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from authctl.cli import app

if TYPE_CHECKING:
    import pytest
    from typer.testing import Result

    from authctl.virtual_authenticator.faults.cases import Case

QUICK = ("--only", "reg.env.id-*,auth.env.id-missing,auth.state.replay")


def run(*words: str, expected: int = 0) -> Result:
    """What came of the command, which has to end with this number."""
    result = CliRunner().invoke(app, ["simulate", "attack", *words])
    assert result.exit_code == expected, result.output
    assert "Traceback" not in result.output
    return result


def answer(*words: str, expected: int = 0) -> Any:
    """Its JSON."""
    return json.loads(run(*words, "--format", "json", expected=expected).stdout)


def catalogue(monkeypatch: pytest.MonkeyPatch, *cases: Case) -> None:
    """Puts these cases in the place of the catalogue."""
    monkeypatch.setattr("authctl.virtual_authenticator.faults.catalogue.cases", lambda: cases)


# The catalogue.
