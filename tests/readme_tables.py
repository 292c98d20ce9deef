"""The README's tables, made from the code: `python -m tests.readme_tables` writes them, a test compares them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from typer.core import TyperGroup

from authctl.cli import COMMANDS
from authctl.commands._errors import EXIT_NUMBERS
from authctl.commands._lazy import LazyGroup, walk
from authctl.settings import describe, load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

README = Path(__file__).parent.parent / "README.md"


def tables() -> dict[str, str]:
    """Each table that is made from the code, by its name in the README."""
    return {"commands": _commands(), "exit numbers": _exit_numbers(), "settings": _settings()}


def block(text: str, name: str) -> str:
    """What stands in the README under a name."""
    start = text.index(f"<!-- table: {name} -->\n") + len(f"<!-- table: {name} -->\n")
    return text[start : text.index("<!-- end -->", start)]


def _rows(*header: str, rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("|" + "|".join(f" {cell} " if cell != "---" else cell for cell in line) + "|\n" for line in lines)


def _commands() -> str:
    rows: list[tuple[str, ...]] = []
    for words, command in walk(LazyGroup(COMMANDS, name="authctl")):
        if isinstance(command, TyperGroup):
            continue
        summary = (command.help or "").strip().split("\n\n")[0].replace("\n", " ")
        arguments = [(one.name or "").upper() for one in command.params if one.param_type_name == "argument"]
        rows.append((f"`authctl {' '.join((*words, *arguments))}`", summary))
    return _rows("Command", "Does", rows=rows)


def _exit_numbers() -> str:
    return _rows("Number", "Means", rows=[(str(number), meaning) for number, meaning in EXIT_NUMBERS.items()])


def _settings() -> str:
    nowhere = Path("/nonexistent")
    rows = [
        (f"`{row.name}`", f"`{value}`" if value and value != "(not set)" else "\N{EN DASH}", row.help)
        for row in describe(load_settings(environ={}, cwd=nowhere))
        for value in [row.value.replace(f"{nowhere}/", "")]
    ]
    return _rows("Variable", "Default", "Meaning", rows=rows)


def main() -> None:
    """Writes the tables into the README."""
    text = README.read_text(encoding="utf-8")
    for name, table in tables().items():
        text = text.replace(f"<!-- table: {name} -->\n{block(text, name)}", f"<!-- table: {name} -->\n{table}")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
