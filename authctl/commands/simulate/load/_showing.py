"""The answer of a load: what the server did, what went wrong, and whether the client was in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.commands._errors import DONE, INTERRUPTED, NO, UNREACHABLE, USAGE
from authctl.commands._output import Column, Format
from authctl.virtual_authenticator.harness.load import runner
from authctl.virtual_authenticator.harness.load.recording import Kind
from authctl.virtual_authenticator.harness.load.report import PERCENTS, document, failures, rows

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from authctl.commands._output import Output, Row
    from authctl.virtual_authenticator.harness.load.recording import Snapshot
    from authctl.virtual_authenticator.harness.load.report import Report


def _time(name: str) -> Column:
    key = f"{name}_ms"
    return Column(key, name, words=lambda row: milliseconds(row[key]))


def _sparse(key: str, heading: str) -> Column:
    """A figure that steps have none of."""
    return Column(key, heading, words=lambda row: "" if row[key] is None else str(row[key]))


def _operation(row: Row) -> str:
    return f"  {row['step']}{' (own)' if row['is_client'] else ''}" if row["step"] else str(row["operation"])


_COLUMNS: Final = (
    Column("operation", "Operation", words=_operation),
    Column("step"),
    Column("succeeded", "OK"),
    _sparse("failed", "Failed"),
    _sparse("per_second", "Per s"),
    *(_time(f"p{percent:g}") for percent in PERCENTS),
    _time("max"),
    Column("mean_ms"),
    Column("is_client"),
)
_FAILURE_COLUMNS: Final = (
    Column("kind", "Failure"),
    Column("count", "Measured"),
    Column("step", "Step"),
    Column("reason", "The first one"),
)


def exit_number(report: Report) -> int:
    """0 when all went well; otherwise why not."""
    if report.is_gone:
        return UNREACHABLE
    if report.stopped == runner.INTERRUPTED:
        return INTERRUPTED
    if report.snapshot.failed:
        return NO
    return DONE if report.snapshot.succeeded else USAGE


def show(report: Report, server: str, output: Output) -> None:
    """Writes the answer."""
    match output.format:
        case Format.JSON:
            output.record({"server": server, **document(report)})
        case Format.TABLE:
            _show_tables(report, output)
        case _:
            output.table(rows(report), _COLUMNS)
    if report.stopped:
        output.warning(f"stopped: {report.stopped}")
    if report.limit:
        output.warning(f"this figure is the client's limit and not the server's: {report.limit}")
    if Kind.LIMITED in report.snapshot.first:
        output.hint("the server limits the rate; RATE_LIMITS=off lifts the limits of an authctl server")
    if not report.snapshot.succeeded and not report.stopped:
        output.warning("nothing was measured")


def counted(snapshot: Snapshot) -> str:
    """How many succeeded, and how many did not."""
    return f"{snapshot.succeeded} succeeded, {snapshot.failed or 'none'} failed"


def milliseconds(value: object) -> str:
    """A time with as many digits as mean something."""
    number = float(str(value))
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def _show_tables(report: Report, output: Output) -> None:
    snapshot = report.snapshot
    output.text(f"{report.per_second:.1f} operations per second for {report.seconds:.1f} s: {counted(snapshot)}")
    output.text(_model(report))
    found = rows(report)
    if found:
        output.text("")
        output.table(found, _COLUMNS)
        output.text("Times in milliseconds, of what succeeded; (own) is the client's work")
    wrong = failures(report)
    if wrong:
        output.text("")
        output.table(wrong, _FAILURE_COLUMNS)
    if output.is_drawn and snapshot.succeeded:
        output.text("")
        output.draw(lambda console: _chart(report, console))
    output.text("")
    spent = report.server_cpu_per_operation
    if spent is not None:
        output.text(f"Service: {milliseconds(1000 * spent)} ms of a processor per operation")
    output.text(_client(report))


def _model(report: Report) -> str:
    plan = report.plan
    if not report.is_open:
        return (
            f"Closed model: {plan.concurrency} at a time, each begins again when it is answered, so that a slow server "
            "is asked less often"
        )
    late = [
        f"{report.snapshot.behind} began late" if report.snapshot.behind else "",
        f"{report.unmade} not at all: nobody was free" if report.unmade else "",
    ]
    told = ", ".join(filter(None, late)) or "all of them began in time"
    return f"Open model: {plan.rate:g} begin each second, and latency counts from then; {told}"


def _client(report: Report) -> str:
    cost, lag = report.cost, report.cost.lag
    parts = [
        f"Client: {cost.share:.0%} of one core, {milliseconds(1000 * report.cpu_per_operation)} ms per operation",
        f"lag {milliseconds(1000 * lag.mean)} ms, p90 {milliseconds(1000 * lag.percentile(90))} ms",
        f"{report.snapshot.retries} requests sent twice over a closed connection" if report.snapshot.retries else "",
        f"{report.unfinished} operations without an end" if report.unfinished else "",
    ]
    return "; ".join(filter(None, parts))


def _chart(report: Report, console: Console) -> RenderableType:
    from authctl.commands.simulate.load._live import chart

    return chart(report.snapshot.latency, console)
