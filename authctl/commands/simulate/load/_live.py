"""How a load goes, on stderr: drawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from authctl.commands._output import Format, has_colours
from authctl.commands.simulate.load._showing import counted, milliseconds
from authctl.virtual_authenticator.harness.load.events import Event, Preparing, Running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from authctl.commands._output import Output
    from authctl.virtual_authenticator.harness.load.histogram import Histogram
    from authctl.virtual_authenticator.harness.load.plan import Plan

Watch: TypeAlias = Callable[[Event], None]

_EVERY_SECONDS: Final = 5.0


@contextmanager
def watched(output: Output, plan: Plan) -> Iterator[Watch]:
    """Gives a function to tell every event to."""
    if sys.stderr.isatty():
        with _drawn(plan) as watch:
            yield watch
    else:
        yield _Plain(output) if output.format is Format.TABLE else _unseen


def _unseen(event: Event) -> None:
    """The answer says it."""


class _Plain:
    """A line every five seconds."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._pace = _Pace()
        self._said = time.monotonic()

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if now - self._said >= _EVERY_SECONDS:
            self._said = now
            self._output.message(self._pace.line(event))


class _Pace:
    """Words for an event; the rate is that since the event before."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._completed = 0

    def line(self, event: Event) -> str:
        """One line."""
        match event:
            case Preparing(ready, total):
                return f"set-up: {ready} of {total} people are ready"
            case Running(snapshot, measured) if measured:
                seconds, number = measured - self._seconds, snapshot.completed - self._completed
                self._seconds, self._completed = measured, snapshot.completed
                rate = number / seconds if seconds else 0.0
                return f"{measured:.0f} s  {rate:.1f}/s  {_times(snapshot.latency)}  {counted(snapshot)}"
            case Running(snapshot):
                return f"growing: {snapshot.unmeasured} operations"
            case _:
                return ""


def _times(latency: Histogram) -> str:
    shown = ((name, latency.percentile(percent)) for name, percent in (("p50", 50), ("p95", 95), ("p99", 99)))
    return "  ".join(f"{name} {milliseconds(1000 * seconds)} ms" for name, seconds in shown)


@contextmanager
def _drawn(plan: Plan) -> Iterator[Watch]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr), markup=False, highlight=False)
    pace = _Pace()
    with Live(Text(""), console=console, transient=True, auto_refresh=False) as live:

        def watch(event: Event) -> None:
            parts: list[RenderableType] = [Text(pace.line(event), no_wrap=True), _bar(event, plan)]
            if isinstance(event, Running) and event.snapshot.succeeded:
                parts.append(chart(event.snapshot.latency, console))
            live.update(Group(*parts), refresh=True)

        yield watch


def _bar(event: Event, plan: Plan) -> RenderableType:
    from rich.progress_bar import ProgressBar

    match event:
        case Preparing(ready, total):
            return ProgressBar(total, ready)
        case Running(snapshot, measured):
            done = snapshot.succeeded + snapshot.failed
            parts = [done / plan.count if plan.count else 0.0, measured / plan.seconds if plan.seconds else 0.0]
            return ProgressBar(1.0, min(1.0, max(parts)))
        case _:
            return ""


def chart(latency: Histogram, console: Console) -> RenderableType:
    """The histogram, as wide as there is room."""
    from authctl.commands._charts import BLOCKS, LETTERS, Bar, columns_in, histogram

    bars = latency.bars(columns_in(console.width - 1, latency.count))
    columns = [Bar(f"{milliseconds(1000 * low)} ms", number, 0) for low, _, number in bars]
    columns.append(Bar(f"{milliseconds(1000 * latency.highest)} ms", 0, 0))
    ink = LETTERS if console.options.ascii_only else BLOCKS
    return histogram("Latency of all operations, each column longer than the one before", columns, console.width, ink)
