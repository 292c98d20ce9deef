"""The ledger of a test run: what attacks came to the last time, and what is told when it has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import UsageError
from authctl.testing.ledger import RunLedger
from tests.pytest_plugin.options import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

TEST = """
import pytest

@pytest.mark.webauthn_attacks("ok.login", "cd.type-missing:registration", xfail={"cd.type-*": "careless"})
def test_it(webauthn_attack, webauthn_relying_party):
    webauthn_attack.against(webauthn_relying_party)

def test_that_is_no_attack(): pass
"""


def attacked(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makeini(
        "[pytest]\nauthctl_app = tests.pytest_plugin.careless_app:Careless()\nauthctl_target = fido\n"
        "authctl_ledger = kept.json\n"
    )
    pytester.makepyfile(TEST)
    return pytester.runpytest_inprocess(*OPTIONS, *options)


def entries(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())["cases"])


def test_what_attacks_came_to_is_kept_and_told_when_it_has_changed(pytester: pytest.Pytester) -> None:
    kept = pytester.path / "kept.json"
    first = attacked(pytester)
    first.assert_outcomes(passed=2, xfailed=1)
    assert "something else" not in first.stdout.str()
    found = entries(kept)
    assert {name: entry["outcome"] for name, entry in found.items()} == {
        "ok.login": "accepted",
        "cd.type-missing:registration": "accepted",
    }

    document = json.loads(kept.read_text())
    document["cases"]["ok.login"]["reason"] = "told\x1b[31m otherwise"
    document["cases"]["of.old"] = {"outcome": "refused", "status": 400, "reason": "x"}
    kept.write_text(json.dumps(document))
    second = attacked(pytester)
    second.assert_outcomes(passed=2, xfailed=1)
    second.stdout.fnmatch_lines(["*came to something else*", "ok.login: still accepted, for another reason (before: *"])
    assert "\x1b[31m otherwise" not in second.stdout.str()
    assert entries(kept) == {**found, "of.old": document["cases"]["of.old"]}


def test_the_command_line_names_another_ledger(pytester: pytest.Pytester) -> None:
    attacked(pytester, "--authctl-ledger", "other.json")
    assert not (pytester.path / "kept.json").exists()
    assert entries(pytester.path / "other.json")


def test_nothing_runs_when_the_ledger_is_something_else(pytester: pytest.Pytester) -> None:
    (pytester.path / "kept.json").write_text("[]")
    result = attacked(pytester)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*is no ledger of attacks*"])


def test_no_ledger_is_kept_where_there_cannot_be_one(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "kept.json"):
        with pytest.raises(UsageError, match="cannot be a ledger"):
            RunLedger(path)


class _Report:
    when = "call"
    user_properties = (
        ("webauthn_attack", "a.case"),
        ("webauthn_outcome", "refused"),
        ("webauthn_status", 400),
        ("webauthn_reason", "x"),
    )


class _Terminal:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        self.lines.append(title)

    write_line = section


def test_it_is_told_when_the_ledger_cannot_be_written(tmp_path: Path) -> None:
    folder, terminal = tmp_path / "folder", _Terminal()
    folder.mkdir()
    ledger = RunLedger(folder / "kept.json")
    ledger.pytest_runtest_logreport(_Report())
    folder.rmdir()
    ledger.pytest_sessionfinish()
    ledger.pytest_terminal_summary(terminal)
    assert terminal.lines[0] == "the ledger was not kept"
    assert "cannot be written" in terminal.lines[1]


def test_nothing_is_written_when_nothing_was_attacked(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path / "kept.json")
    ledger.pytest_sessionfinish()
    assert not (tmp_path / "kept.json").exists()
