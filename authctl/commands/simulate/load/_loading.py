"""Runs a load for the command: signals, people who are kept, progress, and the answer."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from authctl.commands._interrupting import on_signals
from authctl.commands.simulate.load import _showing as showing
from authctl.commands.simulate.load._aiming import OWN
from authctl.commands.simulate.load._live import watched
from authctl.virtual_authenticator.harness.load.events import Ended, Prepared
from authctl.virtual_authenticator.harness.load.people import is_reusable
from authctl.virtual_authenticator.harness.load.runner import run
from authctl.virtual_authenticator.harness.transport import host_of

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.commands._output import Output
    from authctl.commands.simulate.load._aiming import Aim
    from authctl.virtual_authenticator import FileStore
    from authctl.virtual_authenticator.harness.load.plan import Plan
    from authctl.virtual_authenticator.harness.load.report import Report


def load(aim: Aim, plan: Plan, output: Output, passkeys: Path | None) -> Report:
    """Runs the plan, shows what comes of it, and returns it; raises what `run` raises before anything is measured."""
    stop = threading.Event()

    def interrupted(*_: object) -> None:
        # Asked twice, whoever asks does not want to wait for what is under way.
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if aim.is_own:
        output.message(f"starting {OWN}")
    with on_signals(interrupted, signal.SIGINT, signal.SIGTERM), aim.open(stop) as server:
        name = OWN if aim.is_own else server.described.base_url
        store = _store(passkeys)
        host = host_of(server.described.origin)
        known = [each for each in store.all() if is_reusable(each, host)] if store else []
        report: Report | None = None
        with watched(output, plan) as watch:
            for event in run(plan, server, known=known, stop=stop):
                watch(event)
                match event:
                    case Prepared(found) if store:
                        held = {each.credential_id for each in known}
                        store.add_all([each for each in found if each.credential_id not in held])
                    case Ended(report):
                        """What is shown below."""
    if report is None:
        raise KeyboardInterrupt
    showing.show(report, name, output)
    return report


def _store(path: Path | None) -> FileStore | None:
    if path is None:
        return None
    from authctl.virtual_authenticator import FileStore

    return FileStore(path)
