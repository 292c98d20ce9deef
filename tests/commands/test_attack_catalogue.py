"""The catalogue of attacks as commands list and show it, and the options by which attacks are chosen."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

import pytest

from authctl.commands._fitting import layout_of
from authctl.commands.simulate.attack import list as attack_list
from authctl.commands.simulate.attack import run as attack_run
from authctl.commands.simulate.attack import show as attack_show
from authctl.testing import root_certificate
from authctl.virtual_authenticator.faults.cases import read_cases
from tests.commands.attacking import answer, run


def test_the_list_can_be_narrowed() -> None:
    rows = answer("list", "--force", "must", "--layer", "signature", "--ceremony", "authentication", "--max-cases", "3")
    assert len(rows) == 3
    assert {(row["force"], row["layer"], row["ceremony"]) for row in rows} == {("must", "signature", "authentication")}
    assert {row["expected"] for row in rows} == {"refuse"}
    assert len(answer("list")) == len(read_cases())
    lines = run("list", "--only", "reg.env.id-missing").stdout.splitlines()
    assert lines[0].split() == ["Attack", "What", "is", "wrong", "Force", "Owed", "Tier", "Layer"]
    assert lines[1].startswith("reg.env.id-missing")


def test_a_case_is_shown_with_what_it_needs() -> None:
    shown = answer("show", "reg.key.rsa-e3")
    assert shown["why"]
    assert shown["standard"].startswith("§")
    assert "the algorithm RS256" in shown["needs"]
    text = run("show", "reg.env.id-missing").stdout
    assert [line.split()[0] for line in text.splitlines()][:4] == ["attack", "ceremony", "layer", "wrong"]


def test_an_id_shows_all_its_variants() -> None:
    several = next(one.id for one in read_cases() if one.variant)
    assert len(answer("show", several)) > 1
    assert "\n\n" in run("show", several).stdout
    assert len(run("show", several, "--format", "jsonl").stdout.splitlines()) > 1


@pytest.mark.parametrize("words", [["show", "reg.key.rsa-e33"], ["run", "--only", "reg.key.rsa-e33"]])
def test_the_nearest_names_are_told_when_there_is_no_such_attack(words: list[str]) -> None:
    assert "Did you mean reg.key.rsa-e3" in run(*words, expected=3).stderr


# Our own service.


def test_names_are_whole_when_a_terminal_is_narrow() -> None:
    columns = attack_list._COLUMNS
    rows = [{"case": one.name, "alters": one.alters, "force": one.force} for one in read_cases()]
    lines = [[str(row.get(column.key, "-")) for column in columns if column.heading] for row in rows]
    layout = layout_of(lines, [column for column in columns if column.heading], 80)
    shown = [layout.cells(line)[0][1].strip() for line in lines]
    assert shown == [one.name for one in read_cases()]
    assert 1 in layout.places


@pytest.mark.parametrize("command", [attack_show.show, attack_list.list_attacks, attack_run.run])
def test_the_attacks_in_examples_exist(command: Any) -> None:
    words = " ".join(part for part in (command.__doc__ or "").split("Example:")[1:])
    for name in re.findall(r"(?:show |--only )'?([a-z][a-z.*-]+)", words):
        assert fnmatch.filter([one.id for one in read_cases()], name), name


@pytest.mark.parametrize(
    ("words", "expected", "message"),
    [
        (["--can", "framming"], 2, "did you mean framing?"),
        (["--can", "nonsense-x"], 2, "one of usernameless"),
        (["--can", "expiry"], 2, "only a recipe can describe"),
        (["--can", "expiry"], 2, "[capabilities] expiry = [{ url = … }]"),
        (["--can", "related-origin"], 2, "[capabilities] related-origin = "),
        (["--can", "trusted-root"], 2, "--trusted-root TEXT"),
        (["--trusted-root", "x"], 2, "that --url or --target names"),
        (["root", "--seed", ""], 2, "The seed is empty"),
        (["--url", "ftp://x"], 2, "is not the address of a server"),
        (["--url", "http://example.com"], 2, "--i-am-allowed-to-test example.com"),
        (["--target", "simplewebauthm", "--url", "http://localhost:1"], 2, "Did you mean simplewebauthn?"),
        (["--tier", "core", "--force", "policy", "--layer", "certificate"], 2, "No attack is like that"),
        (["--tier", "cor"], 2, "cor"),
        (["nonsense"], 2, "No such command"),
        (["--url", "http://localhost:1"], 6, "Nothing answers"),
    ],
)
def test_an_option_that_makes_no_sense_is_explained(words: list[str], expected: int, message: str) -> None:
    assert message in run(*words, expected=expected).stderr


def test_the_root_is_the_same_for_the_same_seed() -> None:
    printed = run("root", "--seed", "my tests").stdout
    assert printed == run("root", "--seed", "my tests").stdout == root_certificate("my tests").decode()
    assert printed.startswith("-----BEGIN CERTIFICATE-----\n")


def test_help_is_given_for_the_group() -> None:
    text = run("--help").stdout
    assert "run" in text
    assert "list" in text


# Servers that hardly are any.
