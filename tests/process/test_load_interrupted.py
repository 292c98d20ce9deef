"""A load as a process of its own, which a terminal interrupts (SPEC §11)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.virtual_authenticator.harness.load.quick_server import QuickServer, listening

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_load_ends_with_what_it_has_when_a_terminal_interrupts_it(tmp_path: Path, number: signal.Signals) -> None:
    quick, runs = QuickServer(), threading.Event()

    def instead(path: str, asked: int) -> None:
        if path == "/login/complete" and asked == 20:
            runs.set()

    quick.instead = instead
    with listening(quick) as url:
        command = [sys.executable, "-m", "authctl", "simulate", "load", "--url", url, "--duration", "600", "-c", "2"]
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                assert runs.wait(60)
                os.killpg(process.pid, number)
                answer, said = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 130
    assert "operations per second" in answer
    assert "stopped: interrupted" in said
    assert "Traceback" not in said
