"""What a load has shown: figures of operations and steps, failures, and whether the client itself set the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.harness.load.operations import SIGN

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.load.gauge import ClientCost
    from authctl.virtual_authenticator.harness.load.histogram import Histogram
    from authctl.virtual_authenticator.harness.load.plan import Plan
    from authctl.virtual_authenticator.harness.load.recording import Snapshot

PERCENTS: Final = (50.0, 90.0, 95.0, 99.0, 99.9)
ALL: Final = "all"
_BARS: Final = 60


@dataclass(frozen=True, slots=True)
class Report:
    """One load as a whole.

    seconds     that were measured
    unmade      operations of the open model that nobody was free to begin
    unfinished  operations that had no end when the load was over
    stopped     why it ended before its time; empty when it did not
    is_gone     whether that is because nothing answers any more
    """

    plan: Plan
    snapshot: Snapshot
    seconds: float
    cost: ClientCost
    unmade: int = 0
    unfinished: int = 0
    stopped: str = ""
    is_gone: bool = False

    @property
    def is_open(self) -> bool:
        """Whether operations began when it was time, and not when the one before was answered."""
        return self.plan.rate is not None

    @property
    def per_second(self) -> float:
        """Operations that succeeded, in each second."""
        return _rate(self.snapshot.completed, self.seconds)

    @property
    def cpu_per_operation(self) -> float:
        """Seconds of the client's processor for each operation."""
        done = self.snapshot.completed + self.snapshot.failed
        return self.cost.cpu_seconds / done if done else 0.0

    @property
    def server_cpu_per_operation(self) -> float | None:
        """Seconds of the server's processor for each operation, where somebody can tell."""
        done, spent = self.snapshot.completed + self.snapshot.failed, self.cost.server_cpu
        return None if spent is None or not done else spent / done

    @property
    def limit(self) -> str:
        """Why the figures are the client's limit; empty when they are not."""
        return self.cost.limit(self.snapshot.latency.mean) if self.snapshot.succeeded else ""


def rows(report: Report) -> list[dict[str, Any]]:
    """A row per operation, and per step of it; one for all operations where there are several."""
    snapshot, seconds = report.snapshot, report.seconds
    found = []
    if len(snapshot.tallies) > 1:
        found.append(_row(ALL, "", snapshot.latency, snapshot.failed, _rate(snapshot.completed, seconds)))
    for operation, tally in snapshot.tallies.items():
        found.append(_row(operation.value, "", tally.latency, tally.failed, _rate(tally.completed, seconds)))
        if len(tally.steps) > 1:
            found += [_row(operation.value, step, times, None, None) for step, times in tally.steps.items()]
    return found


def failures(report: Report) -> list[dict[str, Any]]:
    """A row per kind of failure, with how many were measured and the first of all; the commonest first."""
    numbers: dict[str, int] = {}
    for tally in report.snapshot.tallies.values():
        for kind, number in tally.failures.items():
            numbers[kind] = numbers.get(kind, 0) + number
    found = [
        {"kind": kind.value, "count": numbers.get(kind, 0), "step": first.step, "reason": first.reason}
        for kind, first in report.snapshot.first.items()
    ]
    return sorted(found, key=lambda row: -int(str(row["count"])))


def document(report: Report) -> dict[str, Any]:
    """The whole of it for a program; times are in milliseconds."""
    plan, snapshot, cost = report.plan, report.snapshot, report.cost
    return {
        "model": "open" if report.is_open else "closed",
        "users": plan.users,
        "concurrency": plan.concurrency,
        "mix": {operation.value: weight for operation, weight in plan.mix.items()},
        "rate": plan.rate,
        "ramp_seconds": plan.ramp,
        "seconds": round(report.seconds, 3),
        "succeeded": snapshot.succeeded,
        "failed": snapshot.failed,
        "per_second": report.per_second,
        "unmeasured": snapshot.unmeasured,
        "retries": snapshot.retries,
        "behind": snapshot.behind if report.is_open else None,
        "unmade": report.unmade if report.is_open else None,
        "unfinished": report.unfinished,
        "stopped": report.stopped or None,
        "operations": rows(report),
        "failures": failures(report),
        "histogram": [
            {"from_ms": _ms(low), "to_ms": _ms(high), "count": number}
            for low, high, number in snapshot.latency.bars(_BARS)
        ],
        "server_cpu_ms_per_operation": None
        if report.server_cpu_per_operation is None
        else _ms(report.server_cpu_per_operation),
        "client": {
            "is_the_limit": bool(report.limit),
            "why": report.limit or None,
            "cpu_share": round(cost.share, 3),
            "cpu_ms_per_operation": _ms(report.cpu_per_operation),
            "lag_ms": {"mean": _ms(cost.lag.mean), "p90": _ms(cost.lag.percentile(90))},
        },
    }


def _row(operation: str, step: str, times: Histogram, failed: int | None, rate: float | None) -> dict[str, Any]:
    return {
        "operation": operation,
        "step": step,
        "is_client": step == SIGN,
        "succeeded": times.count,
        "failed": failed,
        "per_second": rate,
        "mean_ms": _ms(times.mean),
        **{f"p{percent:g}_ms": _ms(times.percentile(percent)) for percent in PERCENTS},
        "max_ms": _ms(times.highest),
    }


def _rate(number: int, seconds: float) -> float:
    return round(number / seconds, 2) if seconds else 0.0


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
