"""The examples of docs/pytest.md are run as they stand, and the document shows them as they are."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from authctl.pytest_plugin import _INI
from tests.pytest_plugin.options import OPTIONS

EXAMPLES = Path(__file__).parent / "examples"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text(encoding="utf-8")
FILES = sorted(
    path for path in EXAMPLES.rglob("*") if path.suffix in {".py", ".ini", ".toml"} and path.stat().st_size > 10
)
_SHOWN = re.compile(r"`(\w+/[\w.]+)`:\n\n```\w*\n(.*?)```", re.DOTALL)


@pytest.mark.process
@pytest.mark.parametrize(("example", "least"), [("fastapi", 50), ("flask", 15), ("django", 15), ("authctl", 1)])
def test_an_example_runs_as_it_is_shown(
    example: str, least: int, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the example runs through is measured by other tests, in a third less of the time.
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(EXAMPLES / example, pytester.path, dirs_exist_ok=True)
    outcomes = pytester.runpytest_subprocess(*OPTIONS).parseoutcomes()
    assert set(outcomes) <= {"passed", "skipped", "xfailed"}
    assert outcomes["passed"] >= least


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_document_shows_a_file_as_it_is(path: Path) -> None:
    shown = dict(_SHOWN.findall(DOCUMENT))
    text = path.read_text(encoding="utf-8").removeprefix("# mypy: ignore-errors\n")
    assert shown[f"{path.parent.name}/{path.name}"] == text


def test_the_document_names_every_option_and_fixture() -> None:
    for name in (*_INI, "authctl_can", "webauthn_attack", "virtual_authenticator", "authctl_server", "passkey_user"):
        assert f"`{name}`" in DOCUMENT
