"""Runs attacks for the command: signals, progress, and results as they come."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from authctl.commands._interrupting import on_signals
from authctl.commands._output import Format
from authctl.commands.simulate.attack import _showing as showing
from authctl.commands.simulate.attack._live import watched
from authctl.virtual_authenticator.harness.attack.events import CaseEnded, Ended
from authctl.virtual_authenticator.harness.attack.report import Report, row_of
from authctl.virtual_authenticator.harness.attack.runner import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.commands._output import Output, Row
    from authctl.commands.simulate.attack._aiming import Aim
    from authctl.commands.simulate.attack._live import Watch
    from authctl.virtual_authenticator.harness.attack.events import Event
    from authctl.virtual_authenticator.harness.attack.ledger import Ledger
    from authctl.virtual_authenticator.harness.attack.plan import Plan
    from authctl.virtual_authenticator.harness.attack.verdicts import Result


def attack(aim: Aim, plan: Plan, output: Output, known: Ledger | None) -> Report:
    """Runs the plan, shows what comes of it, and returns it; raises what `run` raises before anything is attacked."""
    stop = threading.Event()

    def interrupted(*_: object) -> None:
        # Asked twice, whoever asks does not want to wait for the cases that are being played.
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    collected = _Collected()
    with on_signals(interrupted, signal.SIGINT, signal.SIGTERM):
        events = run(plan, aim.open_target, stop)
        first = next(events)
        with watched(output, len(plan.cases)) as watch:
            watch(first)
            rows = collected.rows(events, watch)
            if output.format in (Format.JSONL, Format.CSV):
                output.stream(rows, showing.ROW_COLUMNS)
            else:
                for _ in rows:
                    """Whole answers come at the end."""
    report = collected.report(aim, plan, known)
    showing.show(report, output)
    if known is not None and not known.entries:
        output.message("The ledger is new: the next run is compared with this one.")
    return report


class _Collected:
    """What has come of the run so far."""

    def __init__(self) -> None:
        self._results: list[Result] = []
        self._end = Ended(0.0)

    def rows(self, events: Iterator[Event], watch: Watch) -> Iterator[Row]:
        """A row per case, as the cases end."""
        for event in events:
            watch(event)
            match event:
                case CaseEnded(result):
                    self._results.append(result)
                    yield row_of(result)
                case Ended():
                    self._end = event

    def report(self, aim: Aim, plan: Plan, known: Ledger | None) -> Report:
        """The run as a whole, its results in the order of the plan."""
        places = {case.name: place for place, case in enumerate(plan.cases)}
        results = tuple(sorted(self._results, key=lambda result: places[result.case.name]))
        return Report(
            server=aim.server,
            recipe=aim.recipe,
            profile=plan.profile,
            total=len(plan.cases),
            results=results,
            seconds=self._end.seconds,
            stopped=self._end.stopped,
            is_gone=self._end.is_gone,
            changes=known.changes(results) if known is not None and known.entries else None,
        )
