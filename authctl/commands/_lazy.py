"""Command groups whose members are imported when they run, so that help and short commands start at once."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MARKUP: Final[Literal["rich"] | None] = "rich" if sys.stdout.isatty() else None
"""Help in panels on a terminal, in plain text for pipes, files and the README."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lives, as `module:attribute`, and the first line of its help.

    The attribute is a function, which becomes one command, or a LazyGroup.
    """

    target: str
    help: str


class LazyCommand(TyperCommand):
    """Stands for a command in lists and help, and becomes it when it is called."""

    def __init__(self, name: str, lazy: Lazy) -> None:
        super().__init__(name, help=lazy.help, rich_markup_mode=MARKUP)
        self._target = lazy.target

    def load(self) -> TyperCommand | TyperGroup:
        """Imports the command."""
        module, _, attribute = self._target.partition(":")
        found: TyperGroup | Callable[..., None] = getattr(import_module(module), attribute)
        if isinstance(found, TyperGroup):
            return found
        app = typer.Typer(add_completion=False, rich_markup_mode=MARKUP)
        app.command(self.name)(found)
        command = cast("TyperCommand", typer.main.get_command(app))
        # The lines of a docstring end where the source does, and those of a terminal elsewhere.
        command.help = "\n\n".join(" ".join(text.split()) for text in (command.help or "").split("\n\n"))
        return command

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Hands over to the real command, which then parses its own arguments."""
        return self.load().make_context(*args, **extra)


class LazyGroup(TyperGroup):
    """A group that is a table of names; nothing in it is imported before it is called."""

    def __init__(self, table: Mapping[str, Lazy], **attributes: Any) -> None:
        super().__init__(**{"rich_markup_mode": MARKUP, "no_args_is_help": True, **attributes})
        for name, lazy in table.items():
            self.add_command(LazyCommand(name, lazy))


def walk(group: TyperGroup, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    """Every group and command below `group` with the words that call it, imported, in the order of the help."""
    found: list[tuple[tuple[str, ...], TyperCommand | TyperGroup]] = []
    for name, entry in group.commands.items():
        command = entry.load() if isinstance(entry, LazyCommand) else entry
        found.append(((*path, name), command))  # type: ignore[arg-type]  # entries are Typer's own classes
        if isinstance(command, TyperGroup):
            found += walk(command, (*path, name))
    return found
