"""A trail with holes goes on as any other: it starts, ships, fills a lost file again, and tells of what was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import StorageDamaged
from authctl.server.audit import shipping
from authctl.server.audit.events import EventType
from authctl.server.audit.explanations import find_removal
from authctl.server.audit.findings import FindingKind
from authctl.server.audit.removals import ranges_of, remove_rows
from authctl.server.audit.retention import Cutoff, Retention
from authctl.server.audit.tails import require_tails
from tests.server.audit.stories import CUTOFF, KINDS, Story, archive, begin, newest_writer, prune, tell
from tests.server.audit.workbench import CALLER, KEYS, START, Service, Site, an_event

if TYPE_CHECKING:
    from authctl.server.audit.anchor_judgement import AnchorJudge


def require(site: Site) -> None:
    site.start(kind="cli").database.read_now(lambda tx: require_tails(tx, KEYS))


# Starting.


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_accepts_ends_that_were_removed_in_order(site: Site, kind: str) -> None:
    """R-ST-03: the chain `other` is wholly gone in most of these."""
    tell(site, kind)
    require(site)


def removed_up_to(site: Site, *sequences: int) -> Story:
    """A story from whose main chain some rows were removed, whatever their age."""
    story = begin(site)
    cli = site.start(kind="cli")
    rows = cli.database.read_now(lambda tx: [row for row in tx.events.in_chains() if row[14] == story.main])
    chosen = [row for row in rows if row[15] in sequences]
    event = an_event(type=EventType.AUDIT_ARCHIVE)
    cli.database.write_now(lambda tx: remove_rows(tx, event, ranges_of(chosen)))
    story.cli = newest_writer(cli)
    cli.stop()
    return story


@pytest.mark.parametrize("sequences", [(14,), (13,), (13, 14), tuple(range(1, 15))])
def test_a_start_accepts_an_end_of_which_rows_were_removed(site: Site, sequences: tuple[int, ...]) -> None:
    removed_up_to(site, *sequences)
    require(site)
    assert site.verify().findings == ()


@pytest.mark.parametrize(
    ("sequences", "damage"),
    [
        ((14,), "UPDATE audit_writers SET last_mac = zeroblob(32) WHERE id = '{main}'"),
        ((14,), "UPDATE audit_writers SET last_seq = 15 WHERE id = '{main}'"),
        ((13,), "UPDATE audit_logs SET success = 0 WHERE writer_id = '{main}' AND seq = 14"),
        ((13,), "DELETE FROM audit_logs WHERE writer_id = '{main}' AND seq = 14"),
        ((14,), "DELETE FROM audit_logs WHERE writer_id = '{cli}' AND seq = 1"),
        ((14,), "UPDATE audit_logs SET signature = zeroblob(64) WHERE writer_id = '{cli}' AND seq = 1"),
        ((13,), "UPDATE audit_logs SET anchors = NULL WHERE writer_id = '{cli}' AND seq = 1"),
        ((12,), "DELETE FROM audit_logs WHERE writer_id = '{main}' AND seq >= 13"),
    ],
)
def test_a_start_is_refused_when_no_removal_explains_the_end(
    site: Site, sequences: tuple[int, ...], damage: str
) -> None:
    story = removed_up_to(site, *sequences)
    site.damage(damage.format(main=story.main, cli=story.cli))
    with pytest.raises(StorageDamaged, match="end of the chain of writer"):
        require(site)


def test_the_newest_removal_of_a_row_is_found_first(site: Site) -> None:
    story = tell(site, "failures kept")
    site.clock.advance(3600)
    cli = site.start(kind="cli")
    prune(cli)
    judge: AnchorJudge = _judge(site)

    def first_of(seq: int) -> tuple[int, int] | None:
        found = cli.database.read_now(lambda tx: find_removal(tx, judge, story.main, seq))
        return None if found is None else (found.first, found.last)

    assert [first_of(seq) for seq in (1, 2, 3, 4, 6, 8)] == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 7), None]


def _judge(site: Site) -> AnchorJudge:
    from authctl.server.audit.anchor_judgement import AnchorJudge
    from tests.server.audit.workbench import INSTANCE

    return AnchorJudge(KEYS, INSTANCE, 1)


# Shipping.


@pytest.fixture
def running(site: Site) -> Service:
    """A service with rows 1 to 40, every fourth a failure, of which all others but the last few were pruned."""
    service = site.start()
    for number in range(1, 41):
        service.write(an_event(number, success=number % 4 != 0))
    site.clock.advance(3 * 86_400)
    service.write(an_event(41))
    cli = site.start(kind="cli")
    assert sum(Retention(cli.database).prune(Cutoff(CUTOFF, START), CALLER)) == 30
    cli.stop()
    return service


def drain(service: Service) -> int:
    """How many batches it takes until the file has everything."""
    for batches in range(60):
        if not service.shipper.has_work():
            return batches
        service.tick()
    pytest.fail("the file is never filled again")


def assert_equal(site: Site) -> None:
    table = {(row["writer_id"], row["seq"]) for row in site.rows()}
    lines = [(line["writer_id"], line["seq"]) for line in site.lines()]
    assert set(lines) == table
    assert len(lines) == len(table)
    assert site.verify().findings == ()


@pytest.mark.parametrize("loss", ["deleted", "emptied"])
def test_a_lost_file_is_filled_again_across_the_holes(site: Site, running: Service, loss: str) -> None:
    """R-LG-07: in a few pieces, not one for each hole."""
    if loss == "deleted":
        site.log_file.unlink()
    else:
        site.log_file.write_bytes(b"")
    running.write(an_event(42))
    assert drain(running) <= 4
    running.stop()
    assert_equal(site)


def test_the_pieces_of_a_lost_file_join_up(site: Site, running: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "_PIECE", 3)
    site.log_file.unlink()
    running.write(an_event(42), an_event(43))
    drain(running)
    running.stop()
    assert_equal(site)


def test_what_a_dead_process_owes_is_adopted_across_the_holes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = site.start()
    dead.write(*(an_event(n) for n in range(1, 6)))
    monkeypatch.setattr(dead.shipper, "ship", lambda *args: None)
    dead.write(an_event(6), an_event(7))
    monkeypatch.undo()
    site.clock.advance(3 * 86_400)
    alive = site.start()
    alive.write(an_event(20))
    assert prune(alive) > 0
    monkeypatch.setattr("authctl.server.audit.backlog.has_ended", lambda writer: writer.id == newest_of(dead))
    alive.shipper.adopt_soon()
    alive.write(an_event(21))
    drain(alive)
    assert site.verify().findings == ()


def newest_of(service: Service) -> str:
    chain: Any = service.database.read_now(
        lambda tx: [row for row in tx.events.in_chains() if row[2] == "user7@example.com"]
    )
    return str(chain[0][14])


def test_rows_that_are_gone_are_owed_to_nobody(site: Site) -> None:
    story = begin(site)
    cli = site.start(kind="cli")
    cli.write(an_event(50))
    site.log_file.unlink()
    archive(cli, story)
    drain(cli)
    cli.stop()
    assert site.verify().findings == ()
    assert {line["seq"] for line in site.lines() if line["writer_id"] == story.main} <= set(range(8, 15))


# Lines whose rows are not there.


@pytest.mark.parametrize("policy", ["db", "all"])
def test_it_is_told_when_lines_are_cut_because_the_table_has_no_rows_for_them(site: Site, policy: Any) -> None:
    """An insider who cuts table and heads has the next process cut the file: that leaves a trace."""
    service = site.start(policy=policy)
    service.write(*(an_event(n) for n in range(1, 6)))
    service.stop()
    writer = newest_writer(site.start(kind="cli"))
    site.damage(
        "DELETE FROM audit_logs WHERE seq > 3",
        "UPDATE audit_writers SET last_seq = 3, shipped_seq = 3, closed_at = NULL,"
        " last_mac = (SELECT mac FROM audit_logs WHERE seq = 3)",
    )
    later = site.start(policy="all")
    later.write(an_event(9))
    assert later.trail.health().degraded is not None
    later.write(an_event(10))
    later.stop()
    (gap,) = site.rows("SELECT * FROM audit_logs WHERE event_type = 'audit_gap'")
    assert (gap["reason"], gap["success"]) == ("file_ahead_of_table", 0)
    assert "3 lines at the end of the audit file" in gap["details"]
    assert f"from row 4 of writer {writer} on" in gap["details"]
    assert site.verify().findings == ()


def test_one_line_is_one_line(site: Site) -> None:
    service = site.start(policy="all")
    service.write(an_event(1), an_event(2))
    site.stop()
    site.damage(
        "DELETE FROM audit_logs WHERE seq > 2",
        "UPDATE audit_writers SET last_seq = 2, last_mac = (SELECT mac FROM audit_logs WHERE seq = 2)",
    )
    later = site.start(policy="all")
    later.write(an_event(3), an_event(4))
    (gap,) = site.rows("SELECT * FROM audit_logs WHERE event_type = 'audit_gap'")
    assert "1 line at the end" in gap["details"]


def test_a_head_that_was_set_back_is_named_by_a_removal_behind_it(site: Site) -> None:
    """What the checkpoints name was removed in order; rows in between were not."""
    story = removed_up_to(site, 14)
    site.damage(
        f"DELETE FROM audit_logs WHERE seq > 7 AND writer_id = '{story.main}'",
        "UPDATE audit_writers SET last_seq = 7, last_mac = (SELECT mac FROM audit_logs WHERE seq = 7 AND"
        f" writer_id = '{story.main}') WHERE id = '{story.main}'",
    )
    findings = site.verify(file=False).findings
    assert [(finding.kind, finding.writer_id, finding.seq) for finding in findings] == [
        (FindingKind.HEAD_DIFFERS, story.main, 8)
    ]


def test_a_hole_before_an_end_that_was_removed_is_named(site: Site) -> None:
    story = removed_up_to(site, 14)
    site.damage(f"DELETE FROM audit_logs WHERE seq IN (12, 13) AND writer_id = '{story.main}'")
    findings = site.verify(file=False).findings
    assert [(finding.kind, finding.seq) for finding in findings] == [(FindingKind.ROWS_MISSING, 12)]


def test_a_writer_without_a_row_has_an_end(site: Site) -> None:
    story = tell(site, "erased")
    site.damage(
        f"DELETE FROM audit_logs WHERE writer_id = '{story.other}'",
        f"UPDATE audit_writers SET last_seq = 0 WHERE id = '{story.other}'",
    )
    require(site)
