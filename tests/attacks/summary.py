"""Ends a run of the tests with the count of attacks: how many cases were played and how they ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.faults.catalogue import cases, left_out

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
    """The summary of (case, verdicts) pairs; no verdicts means that the case is not applicable."""
    by_name = {case.name: case for case in cases()}
    done = {name for name, verdict in played if verdict}
    must = {name for name, case in by_name.items() if case.force == "must"}
    outcomes = ", ".join(f"{number} {what}" for what, number in sorted(Counter(v for _, v in played if v).items()))
    return [
        f"{len(done)} of {len(by_name)} cases played, of those of force must {len(done & must)} of {len(must)}",
        f"ceremonies under attack: {outcomes}",
        *(f"not built: {case.id} ({case.reason})" for case in left_out()),
    ]
