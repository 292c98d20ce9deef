"""What is counted, and as what: successes, failures, the ramp, and the client itself."""

from __future__ import annotations

from typing import Any

import pytest

from authctl.virtual_authenticator.harness.load.gauge import ClientCost, Gauge
from authctl.virtual_authenticator.harness.load.histogram import Histogram
from authctl.virtual_authenticator.harness.load.plan import Operation, Plan
from authctl.virtual_authenticator.harness.load.recording import Failure, Kind, Recording, Sample
from authctl.virtual_authenticator.harness.load.report import Report, document, failures, rows

LOGIN, READ = Operation.LOGIN, Operation.READ
FREE = ClientCost(0.5, 10.0)


def sample(began: float = 1.0, ended: float = 1.5, operation: Operation = LOGIN, **members: Any) -> Sample:
    return Sample(operation, began, ended, (("begin", 0.2), ("sign", 0.01), ("complete", 0.25)), **members)


def failed(kind: Kind, reason: str = "why", **members: Any) -> Sample:
    return sample(failure=Failure(kind, "complete", reason), **members)


def test_steps_and_the_whole_have_times_of_their_own() -> None:
    recording = Recording(0.0)
    recording.record(sample())
    tally = recording.snapshot().tallies[LOGIN]
    assert tally.latency.highest == 0.5
    assert {name: times.highest for name, times in tally.steps.items()} == {
        "begin": 0.2,
        "sign": 0.01,
        "complete": 0.25,
    }


def test_a_failure_has_no_part_in_the_times() -> None:
    recording = Recording(0.0)
    recording.record(failed(Kind.REFUSED, "the first"))
    recording.record(failed(Kind.REFUSED, "the second"))
    recording.record(failed(Kind.TIMEOUT, ended=90.0))
    snapshot = recording.snapshot()
    assert (snapshot.succeeded, snapshot.failed, snapshot.completed) == (0, 3, 0)
    assert snapshot.first[Kind.REFUSED].reason == "the first"
    assert snapshot.latency.count == 0


def test_the_ramp_is_counted_and_not_measured() -> None:
    recording = Recording(10.0)
    recording.record(sample(9.0, 9.5, is_measured=False))
    recording.record(sample(9.9, 10.1, is_measured=False))
    recording.record(failed(Kind.CRASHED, began=9.0, is_measured=False))
    snapshot = recording.snapshot()
    assert (snapshot.unmeasured, snapshot.succeeded, snapshot.failed) == (3, 0, 0)
    # What ends while it is measured is done then, whenever it began.
    assert snapshot.completed == 1
    assert list(snapshot.first) == [Kind.CRASHED]


def test_what_ends_too_late_has_its_time_and_no_part_in_the_rate() -> None:
    recording = Recording(0.0)
    recording.measures_until = 2.0
    recording.record(sample(1.0, 2.5))
    snapshot = recording.snapshot()
    assert (snapshot.completed, snapshot.succeeded, snapshot.latency.highest) == (0, 1, 1.5)


def test_silence_is_told_from_answers() -> None:
    recording = Recording(0.0)
    recording.record(failed(Kind.UNREACHABLE, ended=3.0, is_lost=True))
    recording.record(failed(Kind.TIMEOUT, ended=4.0, is_lost=True))
    assert (recording.lost_since, recording.ended) == (3.0, 4.0)
    recording.record(failed(Kind.REFUSED, ended=5.0))
    assert recording.lost_since is None


def test_a_snapshot_stays_as_it_is() -> None:
    recording = Recording(0.0)
    recording.record(sample(late=0.5, retries=2))
    before = recording.snapshot()
    recording.record(sample(operation=READ))
    recording.record(failed(Kind.LIMITED))
    assert (before.succeeded, before.failed, before.behind, before.retries) == (1, 0, 1, 2)
    assert list(before.tallies) == [LOGIN]


def report(recording: Recording, cost: ClientCost = FREE, **members: Any) -> Report:
    return Report(Plan(), recording.snapshot(), 10.0, cost, **members)


def test_a_report_has_a_row_for_all_when_there_are_several_operations() -> None:
    recording = Recording(0.0)
    recording.record(sample())
    assert [(row["operation"], row["step"]) for row in rows(report(recording))] == [
        ("login", ""),
        ("login", "begin"),
        ("login", "sign"),
        ("login", "complete"),
    ]
    recording.record(Sample(READ, 1.0, 2.0, (("read", 1.0),)))
    found = rows(report(recording))
    assert (found[0]["operation"], found[0]["step"]) == ("all", "")
    assert (found[-1]["operation"], found[-1]["step"]) == ("read", "")
    assert (found[0]["succeeded"], found[0]["per_second"], found[0]["max_ms"]) == (2, 0.2, 1000.0)


def test_failures_are_told_the_commonest_first() -> None:
    recording = Recording(0.0)
    recording.record(failed(Kind.CRASHED, is_measured=False))
    for kind in (Kind.REFUSED, Kind.TIMEOUT, Kind.TIMEOUT):
        recording.record(failed(kind))
    assert [(row["kind"], row["count"]) for row in failures(report(recording))] == [
        ("timeout", 2),
        ("refused", 1),
        ("crashed", 0),
    ]


def slow(seconds: float) -> Histogram:
    lag = Histogram()
    for _ in range(10):
        lag.record(seconds)
    return lag


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (ClientCost(5.0, 10.0, slow(0.001)), ""),
        (ClientCost(9.0, 10.0), "90% of the one core"),
        (ClientCost(1.0, 10.0, slow(0.0421)), "waited 42.1 ms for each turn, about 168.0 of 500.0 ms"),
        (ClientCost(1.0, 10.0, slow(0.041)), ""),
        (ClientCost(0.0, 0.0), ""),
    ],
)
def test_the_client_says_when_it_is_the_limit(cost: ClientCost, said: str) -> None:
    recording = Recording(0.0)
    assert report(recording, cost).limit == ""
    recording.record(sample())
    whole = report(recording, cost)
    assert said in whole.limit
    assert document(whole)["client"]["is_the_limit"] is bool(said)
    assert whole.cpu_per_operation == cost.cpu_seconds


def test_a_document_says_nothing_of_moments_that_the_closed_model_has_not() -> None:
    recording = Recording(0.0)
    closed = document(report(recording))
    assert (closed["model"], closed["unmade"], closed["behind"]) == ("closed", None, None)
    opened = document(Report(Plan(rate=5.0), recording.snapshot(), 0.0, FREE, unmade=3))
    assert (opened["model"], opened["unmade"], opened["behind"], opened["per_second"]) == ("open", 3, 0, 0.0)


def test_a_gauge_measures_from_when_it_is_started_anew() -> None:
    spent = iter((1.0, 1.5, 5.0, 6.0))
    gauge = Gauge(lambda: next(spent))
    gauge.start()
    sum(range(200_000))
    first = gauge.stop()
    assert first.cpu_seconds > 0
    gauge.start()
    second = gauge.stop()
    assert second.lag is not first.lag
    assert (first.server_cpu, second.server_cpu) == (0.5, 1.0)
