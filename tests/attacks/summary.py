"""Ends a run of the tests with the count of attacks: how many cases were executed, how they ended, which were not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.attacks.cases import read_cases

if TYPE_CHECKING:
    import pytest

PROPERTY = "attack"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Reads what the tests reported, also from other processes."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    played = [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == PROPERTY]
    if played:
        terminalreporter.section("attack catalogue", sep="-")
        for line in lines(played):
            terminalreporter.write_line(line)


def lines(played: list[list[str]]) -> list[str]:
    """The summary of (case id, outcome) pairs."""
    cases = {case.id: case for case in read_cases()}
    executed = {case_id for case_id, _ in played}
    left_out = [case for case in cases.values() if case.not_executed]
    outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(Counter(o for _, o in played).items()))
    must = {case.id for case in cases.values() if case.force == "must"}
    return [
        f"{len(executed)} of {len(cases)} cases executed, of those of force must {len(executed & must)} of {len(must)}",
        f"{len(played)} ceremonies under attack: {outcomes}",
        *(f"not executed: {case.id} ({case.not_executed})" for case in left_out),
    ]
