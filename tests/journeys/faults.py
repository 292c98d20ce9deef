"""A driver connection that fails once, at the statement that a test names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pytest

    from authctl.server.storage.connection import Driver

Kind = Literal["refused", "answer lost"]


@dataclass
class Plan:
    """Which statement of the ones to come fails, and how; shared by all connections.

    kind  "refused": it is not run. "answer lost": it is run, and reported as failed
    """

    countdown: int = 0
    kind: Kind = "refused"
    statements: int = 0
    has_failed: bool = False

    def fail_at(self, number: int, kind: Kind) -> None:
        """Sets the next fault; 0 is none. Counting begins anew."""
        self.countdown, self.kind, self.statements, self.has_failed = number, kind, 0, False


class FaultyConnection:
    """Passes everything on to the real connection, but for the statement of the plan."""

    def __init__(self, raw: Any, plan: Plan, error: type[Exception]) -> None:
        self._raw = raw
        self._plan = plan
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        """Runs a statement, or fails."""
        plan = self._plan
        plan.statements += 1
        if plan.statements != plan.countdown:
            return self._raw.execute(sql, *parameters)
        plan.has_failed = True
        if plan.kind == "answer lost":
            self._raw.execute(sql, *parameters)
        raise self._error("disk I/O error")


def install(monkeypatch: pytest.MonkeyPatch, kind: type[Driver]) -> Plan:
    """Makes every connection of a driver from now on one that follows the plan."""
    plan = Plan()
    connect = kind.connect

    def connect_faulty(driver: Any, *, readonly: bool) -> Any:
        return FaultyConnection(connect(driver, readonly=readonly), plan, driver.exceptions[0])

    monkeypatch.setattr(kind, "connect", connect_faulty)
    return plan
