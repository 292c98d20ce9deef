"""The order in which tests run: those that wait begin, spread over the processes, so that none of them ends late.

A process that waits for servers, browsers and databases leaves its time to the others, and a long wait is no loss
unless it is the last one.
"""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

WAITING: Final = frozenset({"process", "browser", "targets", "postgres"})
"""Marks of tests that start something and wait for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts waiting tests first; with several processes, so that the first part of each has its share of them."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    waiting: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        (others if WAITING.isdisjoint(mark.name for mark in item.iter_markers()) else waiting).append(item)
    # Modules stay whole: what their tests share is made once.
    modules = [list(module) for _, module in groupby(waiting, key=lambda item: item.nodeid.partition("::")[0])]
    size = -(-len(others) // processes)
    items[:] = [
        item
        for number in range(processes)
        for part in (*modules[number::processes], others[number * size : (number + 1) * size])
        for item in part
    ]
