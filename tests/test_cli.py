from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

import authctl
from authctl.cli import COMMANDS, app
from authctl.commands._errors import EXIT_NUMBERS
from authctl.commands._lazy import LazyCommand, LazyGroup, walk
from authctl.commands._output import Format

runner = CliRunner()
AUTHCTL = (sys.executable, "-m", "authctl")


def root_group() -> TyperGroup:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group


ROOT = root_group()
TREE = walk(ROOT)
VERBS = [(path, command) for path, command in TREE if not isinstance(command, TyperGroup)]
PRINT_NOTHING = {("serve",), ("passkeys", "export"), ("simulate", "attack", "root")}
OTHERS = {"simulate", "passkeys"}
"""Their groups shorten the words of their commands."""
HEAVY = (
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "webauthn",
    "uvicorn",
    "starlette",
    "pydantic_settings",
    "asyncio",
    "rich",
)


def process(
    *words: str, cwd: Path, env: dict[str, str] | None = None, stdout: int | TextIO = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False, cwd=cwd, env=env
    )


def words_of(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


def lazy_entries() -> list[tuple[tuple[str, ...], LazyCommand]]:
    groups: list[tuple[tuple[str, ...], TyperGroup]] = [((), ROOT)]
    groups += [(path, command) for path, command in TREE if isinstance(command, TyperGroup)]
    return [
        ((*path, name), entry)
        for path, group in groups
        for name, entry in group.commands.items()
        if isinstance(entry, LazyCommand)
    ]


@pytest.mark.parametrize(("path", "command"), TREE, ids=words_of)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...], command: TyperCommand) -> None:
    result = runner.invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert f"Example: authctl {' '.join(path)}" in text
    assert text.startswith(f"Usage: authctl {' '.join(path)} ") or "Usage: " in text
    assert all(parameter.help for parameter in command.params)  # type: ignore[attr-defined]


def test_the_table_of_a_group_says_what_its_commands_say_of_themselves() -> None:
    told = {path: str(command.help).split("\n\n", maxsplit=1)[0] for path, command in TREE}
    for path, entry in lazy_entries():
        assert 10 < len(entry.help or "") < 70
        if path[0] not in OTHERS:
            assert told[path] == entry.help


def test_the_table_of_a_group_is_short_and_ends_with_a_stop() -> None:
    assert all(str(entry.help).endswith(".") for _, entry in lazy_entries())


@pytest.mark.parametrize(("path", "command"), VERBS, ids=words_of)
def test_every_command_that_prints_data_takes_a_format(path: tuple[str, ...], command: TyperCommand) -> None:
    formats = [p for p in command.params if "--format" in p.opts]
    assert len(formats) == (0 if path in PRINT_NOTHING else 1)


@pytest.mark.process
def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    report = "atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    code = f"import atexit, sys; {report}; from authctl.__main__ import main; main()"
    result = process(sys.executable, "-c", code, "--help", cwd=tmp_path)
    assert "promote" in result.stdout
    loaded = set(result.stderr.split())
    assert "authctl.cli" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_version_is_one_line() -> None:
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"authctl {authctl.__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["users"], ["config"], ["db"], ["audit"]])
def test_a_group_alone_shows_its_help_as_a_usage_error(arguments: list[str]) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["promot"], "error: No such command 'promot'. Did you mean 'promote'"),
        (["users", "lst"], "error: No such command 'lst'. Did you mean 'list'"),
        (["promote"], "error: Missing argument 'EMAIL'."),
        (["users", "list", "--fromat", "json"], "error: No such option: --fromat"),
        (["users", "list", "--format", "xml"], "error: Invalid value for '--format': 'xml' is not"),
        (["users", "list", "\x1b[2J"], "error: Got unexpected extra argument"),
    ],
)
def test_a_usage_error_is_one_line_and_a_way_out(arguments: list[str], line: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith(line)
    assert second.startswith("hint: see ")
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("spelling", [["--format", "json"], ["--format=json"]])
def test_a_usage_error_is_json_when_json_was_asked_for(spelling: list[str]) -> None:
    """R-CL-09."""
    result = runner.invoke(app, ["users", "list", *spelling, "--nope"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["exit"] == 2


def test_the_last_format_counts_when_several_are_given() -> None:
    result = runner.invoke(app, ["users", "list", "--format", "json", "--format", "csv", "--nope"])
    assert result.stdout == ""


def test_walking_the_tree_finds_every_command_of_the_table() -> None:
    assert {path[0] for path, _ in TREE} == set(COMMANDS)
    assert ("users", "export") in {path for path, _ in VERBS}
    assert isinstance(dict(TREE)[("users",)], LazyGroup)


@pytest.mark.process
def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    result = process(*AUTHCTL, "users", "list", cwd=tmp_path)
    assert result.returncode == 5
    assert result.stdout == ""
    assert result.stderr.startswith("error: There is no database at app.db\nhint: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m authctl config show --format jsonl | head -n 1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True
    )
    first, status = result.stdout.splitlines()
    assert json.loads(first)["name"] == "JWT_SECRET"
    assert (status, result.stderr) == ("0", "")


@pytest.mark.process
def test_an_answer_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = process(*AUTHCTL, "config", "show", cwd=tmp_path, stdout=full)
    assert result.returncode == 5
    assert result.stderr == "error: No space left on device\n"


@pytest.mark.process
@pytest.mark.parametrize("full", [">/dev/full", "2>/dev/full", ">/dev/full 2>&1", "| true"])
def test_an_error_keeps_its_number_when_it_cannot_be_written(full: str, tmp_path: Path) -> None:
    command = f"set -o pipefail; {sys.executable} -m authctl users list --format json {full}"
    result = process("bash", "-c", command, cwd=tmp_path)
    assert result.returncode == 5
    assert "Traceback" not in result.stderr
    assert "ignored" not in result.stderr


@pytest.mark.process
@pytest.mark.parametrize("closed", ["<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_missing_streams_do_no_harm(closed: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m authctl --version {closed}"
    assert process("bash", "-c", command, cwd=tmp_path).returncode == 0


@pytest.mark.process
def test_letters_that_the_terminal_does_not_know_are_escaped(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "RP_NAME": "Zoë"}
    result = process(*AUTHCTL, "config", "show", cwd=tmp_path, env=environment)
    assert result.returncode == 0
    assert r"Zo\xeb" in result.stdout


@pytest.mark.process
@pytest.mark.parametrize("how", [["--debug"], []])
def test_a_traceback_is_shown_only_when_asked_for(how: list[str], tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "AUTHCTL_DEBUG"}
    result = process(*AUTHCTL, *how, "users", "list", cwd=tmp_path, env=environment)
    assert ("Traceback" in result.stderr) is bool(how)


def test_the_table_of_exit_numbers_is_the_promised_one() -> None:
    assert sorted(EXIT_NUMBERS) == [0, 1, 2, 3, 4, 5, 6, 70, 130]


def test_the_formats_are_the_promised_ones() -> None:
    assert [str(name) for name in Format] == ["table", "json", "jsonl", "csv"]
