"""How far the attacks have come, on stderr: drawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from authctl.commands._output import Format, has_colours
from authctl.escaping import escaped
from authctl.virtual_authenticator.harness.attack.events import CaseBegan, CaseEnded, Event
from authctl.virtual_authenticator.harness.attack.report import sentence
from authctl.virtual_authenticator.harness.attack.verdicts import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.commands._output import Output

Watch: TypeAlias = Callable[[Event], None]

_EVERY_SECONDS: Final = 10.0
_SHOWN: Final = (Mark.WRONGLY_ACCEPTED, Mark.CRASHED, Mark.INCONCLUSIVE)
_STYLES: Final = {Mark.WRONGLY_ACCEPTED: "bold red", Mark.CRASHED: "bold red", Mark.INCONCLUSIVE: "yellow"}


@contextmanager
def watched(output: Output, total: int) -> Iterator[Watch]:
    """Gives a function to tell every event to."""
    is_live = output.format in (Format.JSONL, Format.CSV) and sys.stdout.isatty()
    if sys.stderr.isatty() and not is_live:
        with _drawn(total) as watch:
            yield watch
    else:
        yield _Plain(output, total) if output.format is Format.TABLE else _unseen


def _unseen(event: Event) -> None:
    """The rows say it."""


class _Plain:
    """Findings as they come, and a count every ten seconds."""

    def __init__(self, output: Output, total: int) -> None:
        self._output = output
        self._total = total
        self._ended = 0
        self._said = time.monotonic()

    def __call__(self, event: Event) -> None:
        if not isinstance(event, CaseEnded):
            return
        self._ended += 1
        result = event.result
        if result.is_finding:
            self._output.message(f"{result.case.name}: {sentence(result)}")
        if time.monotonic() - self._said > _EVERY_SECONDS:
            self._said = time.monotonic()
            self._output.message(f"{self._ended} of {self._total} cases")


@contextmanager
def _drawn(total: int) -> Iterator[Watch]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr), markup=False, highlight=False)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
        TextColumn("{task.description}", markup=False),
    )
    counts: Counter[Mark] = Counter()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, counts="")

        def watch(event: Event) -> None:
            match event:
                case CaseBegan(case):
                    progress.update(task, description=case.name)
                case CaseEnded(result):
                    counts[result.mark] += 1
                    told = ", ".join(f"{counts[mark]} {mark}" for mark in _SHOWN if counts[mark])
                    progress.update(task, advance=1, counts=told)
                    if result.is_finding:
                        line = escaped(f"{result.case.name}: {sentence(result)}")
                        console.print(Text(line, style=_STYLES[result.mark]))

        yield watch
