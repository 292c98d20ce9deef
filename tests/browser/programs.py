"""The system's own Chromium, where it is and how it is started."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--lang=en-US",
)  # fmt: skip


def need(package: str, *programs: str) -> None:
    """Skips the test with the reason when it cannot run here."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed")
