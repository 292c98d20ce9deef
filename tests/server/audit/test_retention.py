"""Retention: what is old goes, in steps that each explain themselves; what has to stay stays."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuditUnavailable, Conflict, UsageError
from authctl.server.audit import removals as removals_module
from authctl.server.audit import retention as retention_module
from authctl.server.audit.events import EventType
from authctl.server.audit.removals import find_removable
from authctl.server.audit.retention import Cutoff, Preview, Retention
from authctl.server.storage import database as database_module
from authctl.server.storage.events import Events
from tests.server.audit.stories import CUTOFF, Story, begin, prune
from tests.server.audit.workbench import CALLER, START, Service, Site, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.clock import FixedClock


@pytest.fixture
def site(tmp_path: Path, any_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One writer thread, so that there is one chain, on either database."""
    monkeypatch.setattr(database_module, "POSTGRES_WRITERS", 1)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    made = Site(tmp_path, any_url, clock)
    yield made
    made.stop()


@pytest.fixture
def story(site: Site) -> Story:
    return begin(site)


@pytest.fixture
def cli(story: Story) -> Service:
    return story.site.start(kind="cli")


def rows_of(service: Service) -> list[tuple[str, int]]:
    return service.database.read_now(lambda tx: [(row[14], row[15]) for row in tx.events.in_chains()])


def test_old_rows_go_in_batches_that_each_leave_an_event(
    cli: Service, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-LG-11, R-CL-03."""
    monkeypatch.setattr(retention_module, "BATCH", 4)
    steps = list(Retention(cli.database).prune(Cutoff(CUTOFF), CALLER))
    assert steps == [4, 4, 2]
    assert story.removed() == 7
    events = story.site.rows("SELECT * FROM audit_logs WHERE event_type = 'audit_prune' ORDER BY seq")
    assert [event["details"] for event in events] == [
        f"{count} events from before 2100-01-02 00:00:00Z removed from IP: 192.0.2.1" for count in steps
    ]
    cli.stop()
    assert story.site.verify().findings == ()


def test_failures_stay_when_they_are_not_old_enough(cli: Service, story: Story) -> None:
    since = START + timedelta(seconds=3)  # the failure of row 2 is older, that of row 4 is not
    retention = Retention(cli.database)
    cutoff = Cutoff(CUTOFF, since)
    assert retention.preview(cutoff).kept_failures == 1
    assert sum(retention.prune(cutoff, CALLER)) == 9
    assert [seq for writer, seq in rows_of(cli) if writer == story.main][:2] == [4, 8]
    (event,) = story.site.rows("SELECT details FROM audit_logs WHERE event_type = 'audit_prune'")
    assert "failures since 2100-01-01 00:00:03Z kept" in event["details"]


def test_a_preview_counts_what_would_go_and_touches_nothing(cli: Service, story: Story) -> None:
    before = rows_of(cli)
    retention = Retention(cli.database)
    preview = retention.preview(Cutoff(CUTOFF))
    assert preview == Preview(
        rows=10,
        by_type={"login_complete": 8, "checkpoint": 2},
        oldest=START,
        newest=START + timedelta(seconds=7),
        kept_failures=0,
        not_in_file=0,
        open_ends=0,
    )
    assert rows_of(cli) == before
    assert sum(retention.prune(Cutoff(CUTOFF), CALLER)) == preview.rows
    assert retention.preview(Cutoff(CUTOFF)) == Preview(0, {}, None, None, 0, 0, 0)


def test_a_preview_leaves_out_what_has_to_stay(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    running, lagging = site.start(), site.start()
    running.write(an_event(1), an_event(2, type=EventType.AUDIT_PRUNE), an_event(3))
    running.tick()
    lagging.write(an_event(4))
    monkeypatch.setattr(lagging.shipper, "ship", lambda *args: None)
    lagging.write(an_event(5), an_event(6, type=EventType.LOGIN_BEGIN))
    site.clock.advance(3 * 86_400)
    retention = Retention(running.database)
    preview = retention.preview(Cutoff(CUTOFF))
    assert (preview.rows, preview.by_type) == (2, {"login_complete": 2})
    assert (preview.not_in_file, preview.open_ends) == (2, 1)
    assert sum(retention.prune(Cutoff(CUTOFF), CALLER)) == 2


@pytest.mark.parametrize("before", [timedelta(0), timedelta(hours=23), timedelta(days=-400)])
def test_a_cutoff_within_the_last_day_or_to_come_is_refused(cli: Service, story: Story, before: timedelta) -> None:
    cutoff = Cutoff(story.site.clock.now() - before)
    retention = Retention(cli.database)
    with pytest.raises(UsageError, match="last 24 hours always stay"):
        retention.preview(cutoff)
    with pytest.raises(UsageError, match="last 24 hours always stay"):
        next(retention.prune(cutoff, CALLER))
    assert story.removed() == 0


def test_what_was_done_is_consistent_when_somebody_stops_in_between(
    cli: Service, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-22."""
    monkeypatch.setattr(retention_module, "BATCH", 4)
    assert next(Retention(cli.database).prune(Cutoff(CUTOFF), CALLER)) == 4
    assert story.site.verify().findings == ()
    assert prune(cli) == 6
    assert story.site.verify().findings == ()


def test_nothing_goes_when_the_event_cannot_be_written(
    cli: Service, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-LG-01."""

    def fail(self: Events, row: dict[str, object]) -> None:
        raise AuditUnavailable

    before = rows_of(cli)
    monkeypatch.setattr(Events, "add", fail)
    with pytest.raises(AuditUnavailable):
        prune(cli)
    monkeypatch.undo()
    assert rows_of(cli) == before


def test_a_batch_is_looked_for_again_when_somebody_else_has_removed_some_of_it(
    cli: Service, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = story.site.start(kind="cli")
    found = find_removable
    rivals = iter([4, 0])

    def find(*args: Any, **options: Any) -> Any:
        rows = found(*args, **options)
        if next(rivals, 0):
            monkeypatch.setattr(retention_module, "BATCH", 3)
            assert next(Retention(other.database).prune(Cutoff(CUTOFF), CALLER)) == 3
        return rows

    monkeypatch.setattr(retention_module, "find_removable", find)
    assert sum(Retention(cli.database).prune(Cutoff(CUTOFF), CALLER)) == 7
    assert story.removed() == 7
    other.stop()
    assert story.site.verify().findings == ()


def test_it_gives_up_when_others_keep_changing_the_rows(
    cli: Service, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals_module, "limit_of", lambda writer: 1 << 40)

    def refuse(*args: Any, **options: Any) -> int:
        raise Conflict("changed")

    monkeypatch.setattr(retention_module, "remove_rows", refuse)
    with pytest.raises(Conflict):
        prune(cli)
    assert story.removed() == 0


def test_a_pause_follows_each_batch(cli: Service, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-20: the service's writer goes first."""
    pauses: list[float] = []
    monkeypatch.setattr(retention_module, "BATCH", 4)
    monkeypatch.setattr(time, "sleep", pauses.append)
    prune(cli)
    assert len(pauses) == 3
    assert min(pauses) >= 0.01


def test_the_trail_stays_intact_when_the_database_is_vacuumed(story: Story, cli: Service) -> None:
    """As the help tells operators who want the space back."""
    prune(cli, keep_failures=True)
    story.site.stop()
    story.site.damage("VACUUM")
    assert story.site.verify().findings == ()


@pytest.mark.parametrize(
    ("size", "took", "following"),
    [(200, 0.3, 100), (80, 0.3, 50), (200, 0.01, 400), (800, 0.01, 1000), (200, 0.07, 200)],
)
def test_a_step_is_as_large_as_the_machine_is_fast(size: int, took: float, following: int) -> None:
    """F-20: who waits behind it waits about a tenth of a second."""
    assert retention_module._next_size(size, took) == following
