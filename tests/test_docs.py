"""The README is true: its tables are those of the code, and what it tells a reader to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup

from authctl.cli import COMMANDS
from authctl.commands._lazy import LazyGroup, walk
from authctl.server.audit.events import EventType
from authctl.server.http.routes import ROUTES
from authctl.settings.model import FIELD_OF_VARIABLE
from tests.readme_tables import README, block, tables

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")
_SHOWN = re.compile(r"(?m)(?:`|^    \$ |\$\()authctl ([a-z][^`\n|>#)]*)")
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "bench" / "README.md"]


@pytest.mark.parametrize("name", tables())
def test_a_table_of_the_readme_is_what_the_code_says(name: str) -> None:
    assert block(TEXT, name) == tables()[name], "run `python -m tests.readme_tables`"


def test_every_event_is_explained() -> None:
    assert set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"(?m)^\|([^|]*)\|", block(TEXT, "events"))))) == set(
        EventType
    )


def test_every_route_is_listed() -> None:
    listed = set(re.findall(r"`(GET|POST) (/[^`]*)`", TEXT))
    served = {(route.method, route.path) for route in ROUTES if route.method in {"GET", "POST"}}
    assert listed == served


def _commands() -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for words, command in walk(LazyGroup(COMMANDS, name="authctl")):
        if not isinstance(command, TyperGroup):
            options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
            found[words] = options | {"--help"}
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_shows_exists_with_its_options(document: Path) -> None:
    known = _commands()
    groups = {words[0] for words in known}
    wrong = []
    for shown in _SHOWN.findall(document.read_text(encoding="utf-8")):
        words = shown.split()
        names = next((tuple(words[:length]) for length in (3, 2, 1) if tuple(words[:length]) in known), None)
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        if (names is None and not (words[0] in groups and words[1:] in ([], ["COMMAND"]))) or (
            names is not None and not options <= known[names]
        ):
            wrong.append(shown)
    assert wrong == []


def test_every_setting_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+)(?:_FILE)?(?:=[^`]*)?`", TEXT)) - {"AUTHCTL_PASSKEYS", "EMAIL", "PASSKEY"}
    assert {name for name in named if not {name, name.removesuffix("_FILE")} & FIELD_OF_VARIABLE.keys()} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_every_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    shown = {name for path in DOCUMENTS for name in re.findall(r"`?make ([a-z]+)\b", path.read_text(encoding="utf-8"))}
    assert shown - {"a", "the", "a browser", "sure", "it"} <= targets | {"and"}


def test_every_requirement_that_a_document_cites_is_proved_by_a_test() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)
    )
    cited = {name for path in DOCUMENTS for name in re.findall(r"R-[A-Z]{2,3}-\d\d", path.read_text(encoding="utf-8"))}
    assert cited
    assert {name for name in cited if name not in tests} == set()
