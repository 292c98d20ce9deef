"""How far long work has come, on stderr and only for a person who looks at a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from authctl.commands._output import has_colours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def is_watched() -> bool:
    """Whether somebody sees progress, and it does not get between the lines of the answer."""
    return sys.stderr.isatty() and not sys.stdout.isatty()


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with the number of things done since the last call.

    total  of them, where it is known
    """
    if not is_watched():
        yield _not_shown
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda number: shown.advance(task, number)


def _not_shown(number: int) -> None:
    """Nobody looks."""
