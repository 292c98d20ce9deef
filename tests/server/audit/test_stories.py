"""What was pruned, archived or erased in order is explained; every other damage is named all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.server.audit import chain
from authctl.server.audit.findings import FindingKind, Status, Verdict
from authctl.server.audit.keys import TrailKeys
from authctl.server.audit.lines import render, row_of
from authctl.server.storage.erasures import PERSONAL_COLUMNS as PERSONAL
from authctl.server.storage.events import COLUMNS
from tests.server.audit.stories import KINDS, KeptRows, Story, begin, erase, prune, tell
from tests.server.audit.workbench import KEYS, Site

if TYPE_CHECKING:
    from authctl.server.storage.transaction import Transaction

K = FindingKind
Place = tuple[FindingKind, str, int]


@pytest.fixture(params=KINDS)
def story(request: pytest.FixtureRequest, site: Site) -> Story:
    """A trail of each kind."""
    return tell(site, request.param)


def verify(story: Story, *, file: bool = False, archive: bool = True, keys: TrailKeys = KEYS) -> Verdict:
    options = {"archive": story.archive} if archive and story.archive.rows else {}
    return story.site.verify(keys, file=file, **options)


def places(verdict: Verdict) -> list[Place]:
    return [(finding.kind, finding.writer_id, finding.seq) for finding in verdict.findings]


# In order.


def test_a_story_is_intact_when_nobody_touched_it(story: Story) -> None:
    for archive in (False, True):
        verdict = verify(story, file=True, archive=archive)
        assert verdict.findings == ()
        assert verdict.status is Status.INTACT


@pytest.mark.parametrize("kind", KINDS)
def test_a_story_is_intact_when_the_file_is_written_first(site: Site, kind: str) -> None:
    """Policy `all`."""
    assert verify(tell(site, kind, policy="all"), file=True).findings == ()


@pytest.mark.parametrize(
    ("kind", "removed", "erased", "archived", "lines"),
    [
        ("pruned", 10, 0, 0, 10),
        ("failures kept", 8, 0, 0, 8),
        ("archived", 0, 0, 10, 10),
        ("erased", 0, 2, 0, 0),
        ("erased and pruned", 8, 1, 0, 8),
    ],
)
def test_what_is_gone_is_counted(site: Site, kind: str, removed: int, erased: int, archived: int, lines: int) -> None:
    counts = verify(tell(site, kind), file=True).counts
    assert (counts.removed, counts.erased, counts.archived) == (removed, erased, archived)
    assert counts.lines_of_removed_rows == lines
    own = 3 if kind == "erased and pruned" else 2
    assert counts.rows == 17 + own - removed


def test_removals_of_different_times_join_up(site: Site) -> None:
    story = tell(site, "failures kept")
    site.clock.advance(3600)
    later = site.start(kind="cli")
    assert prune(later) == 2
    before = site.clock.now()
    site.clock.advance(86_400 * 2)
    assert prune(later, before=before) == 8  # what is left of `main`, and the checkpoint of who pruned first
    later.stop()
    assert story.removed() == 14
    assert verify(story, file=True).findings == ()


def test_rows_of_an_archive_may_be_in_the_table_too(site: Site) -> None:
    """An archiving that was interrupted."""
    story = tell(site, "pruned")
    rows = site.start().database.read_now(lambda tx: list(tx.events.in_chains()))
    story.archive = KeptRows([row for row in rows if row[14] == story.main])
    assert verify(story).findings == ()


# Each kind of damage of R-LG-06, on rows that nothing explains.


@pytest.mark.parametrize(
    "change",
    [
        "event_type = 'login_begin'",
        "user_email = 'mallory@example.com'",
        "user_email = NULL",
        "user_id = 'x'",
        "ip_address = '203.0.113.1'",
        "user_agent = 'other'",
        "success = 0",
        "details = 'nothing happened'",
        "created_at = '2026-01-02 00:00:00.000000'",
        "actor = 'x'",
        "target_user_id = 'x'",
        "reason = 'x'",
        "request_id = NULL",
        "peer_address = 'x'",
        "salt = mac",
        "personal_digest = mac",
        "signature = mac",
        "id = 'x'",
    ],
)
def test_an_edited_field_is_named(story: Story, change: str) -> None:
    """R-LG-06, also on trails that were pruned, archived or erased."""
    story.damage_main(11, change)
    verdict = verify(story)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ROW_ALTERED, story.main, 11)]


@pytest.mark.parametrize("seq", [8, 11, 14])
def test_a_deleted_row_is_named(story: Story, seq: int) -> None:
    """R-LG-06: behind the rows that were removed, in the middle, and at the end."""
    story.site.damage(f"DELETE FROM audit_logs WHERE seq = {seq} AND writer_id = '{story.main}'")
    verdict = verify(story)
    kind = K.ROWS_MISSING if seq < 14 else K.TAIL_MISSING
    assert places(verdict)[0] == (kind, story.main, seq)
    assert verdict.status is (Status.ALTERED if seq < 14 else Status.TRUNCATED)


def test_an_inserted_row_is_named(story: Story) -> None:
    """R-LG-06."""
    columns = story.site.rows("SELECT * FROM audit_logs")[0].keys()
    values = ", ".join({"id": "'forged'", "seq": "15"}.get(column, column) for column in columns)
    story.site.damage(
        f"INSERT INTO audit_logs SELECT {values} FROM audit_logs WHERE seq = 13 AND writer_id = '{story.main}'"
    )
    assert places(verify(story)) == [(K.ROW_ALTERED, story.main, 15), (K.HEAD_DIFFERS, story.main, 15)]


def test_two_swapped_rows_are_named(story: Story) -> None:
    """R-LG-06."""
    for old, new in ((11, 99), (12, 11), (99, 12)):
        story.damage_main(old, f"seq = {new}")
    verdict = verify(story)
    assert verdict.status is Status.ALTERED
    assert places(verdict)[:2] == [(K.ROW_ALTERED, story.main, 11), (K.ROW_ALTERED, story.main, 12)]


def test_a_tail_behind_the_last_checkpoint_is_missed_when_the_head_was_corrected(story: Story) -> None:
    """R-LG-06: the checkpoint of the next process names the chain."""
    story.site.damage(
        f"DELETE FROM audit_logs WHERE seq > 11 AND writer_id = '{story.main}'",
        "UPDATE audit_writers SET last_seq = 11, last_mac = (SELECT mac FROM audit_logs WHERE seq = 11 AND"
        f" writer_id = '{story.main}') WHERE id = '{story.main}'",
    )
    verdict = verify(story)
    assert verdict.status is Status.TRUNCATED
    assert (K.TAIL_MISSING, story.main, 14) in places(verdict)
    lines = [place for place in places(verify(story, file=True)) if place[0] is K.LINE_WITHOUT_ROW]
    assert lines == [(K.LINE_WITHOUT_ROW, story.main, seq) for seq in (12, 13, 14)]


@pytest.mark.parametrize("key", ["key", "audit_key"])
def test_a_replaced_key_id_is_named(story: Story, key: str) -> None:
    """R-LG-06."""
    anchors = f'regexp_replace(anchors, \'"{key}":"....\', \'"{key}":"f00d\')'
    if not story.site.is_postgres:
        anchors = f"json_set(anchors, '$.{key}', 'f00d')"
    story.damage_main(14, f"anchors = {anchors}")
    verdict = verify(story)
    assert verdict.status is Status.ALTERED
    assert (K.KEY_UNKNOWN, story.main, 14) in places(verdict)


def test_a_row_is_named_when_its_mac_was_replaced(story: Story) -> None:
    story.damage_main(11, "mac = personal_digest")
    assert places(verify(story)) == [(K.ROW_ALTERED, story.main, 11), (K.ROW_ALTERED, story.main, 12)]


def test_one_finding_for_each_anchor_is_enough_when_the_audit_key_is_another(story: Story) -> None:
    other = TrailKeys(audit=b"x" * 32, checkpoint=KEYS.checkpoint)
    assert {finding.kind for finding in verify(story, keys=other, file=True).findings} == {K.KEY_UNKNOWN}


def test_nothing_is_explained_by_a_key_that_is_not_known(site: Site) -> None:
    story = tell(site, "pruned")
    other = TrailKeys(audit=KEYS.audit, checkpoint=Ed25519PrivateKey.generate())
    found = places(verify(story, keys=other))
    assert (K.KEY_UNKNOWN, story.cli, 1) in found
    assert (K.ROWS_MISSING, story.main, 1) in found
    assert (K.WRITER_MISSING, story.other, 1) in found


# Removals.


def anchors_of(story: Story, change: Any) -> str:
    (row,) = story.site.rows(f"SELECT anchors FROM audit_logs WHERE seq = 1 AND writer_id = '{story.cli}'")
    return str(change(row["anchors"])).replace("'", "''")


def test_a_deletion_is_named_when_the_removal_was_edited_to_cover_it(site: Site) -> None:
    story = tell(site, "pruned")
    longer = anchors_of(story, lambda text: text.replace(",1,7,", ",1,9,"))
    site.damage(
        f"DELETE FROM audit_logs WHERE seq IN (8, 9) AND writer_id = '{story.main}'",
        f"UPDATE audit_logs SET anchors = '{longer}' WHERE seq = 1 AND writer_id = '{story.cli}'",
    )
    found = places(verify(story))
    assert (K.CHECKPOINT_INVALID, story.cli, 1) in found
    assert (K.ROW_ALTERED, story.cli, 1) in found
    assert (K.ROWS_MISSING, story.main, 1) in found


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ('"kind":"removal"', '"kind":"start"', K.ROW_ALTERED),
        ('"kind":"removal"', '"kind":"erasure"', K.ANCHORS_INVALID),
        ('"seq":1,', '"seq":2,', K.ANCHORS_INVALID),
        ('"generation":1', '"generation":2', K.ANCHORS_INVALID),
        (",1,7,", ",7,1,", K.ANCHORS_INVALID),
        (",1,7,", ",0,7,", K.ANCHORS_INVALID),
        ('"ranges":[[', '"ranges":[["x",1,2,"00"],[', K.ANCHORS_INVALID),
        ('"ranges":[[', '"ranges":[[', None),
    ],
)
def test_a_removal_explains_nothing_when_it_was_touched(
    site: Site, old: str, new: str, kind: FindingKind | None
) -> None:
    story = tell(site, "pruned")
    edited = anchors_of(story, lambda text: text.replace(old, new))
    site.damage(f"UPDATE audit_logs SET anchors = '{edited}' WHERE seq = 1 AND writer_id = '{story.cli}'")
    found = places(verify(story))
    if kind is None:
        assert found == []
        return
    assert (kind, story.cli, 1) in found
    assert (K.ROWS_MISSING, story.main, 1) in found


def test_a_removal_explains_nothing_when_it_has_no_signature(site: Site) -> None:
    story = tell(site, "pruned")
    site.damage(f"UPDATE audit_logs SET signature = NULL WHERE seq = 1 AND writer_id = '{story.cli}'")
    found = places(verify(story))
    assert (K.CHECKPOINT_INVALID, story.cli, 1) in found
    assert (K.ROWS_MISSING, story.main, 1) in found


def test_a_removal_explains_nothing_when_it_stands_in_another_row(site: Site) -> None:
    story = tell(site, "pruned")
    site.damage(
        f"UPDATE audit_logs SET seq = 9 WHERE seq = 1 AND writer_id = '{story.cli}'",
    )
    assert (K.ANCHORS_INVALID, story.cli, 9) in places(verify(story))
    assert (K.ROWS_MISSING, story.main, 1) in places(verify(story))


def test_holes_are_named_when_the_removal_is_gone(site: Site) -> None:
    story = tell(site, "pruned")
    site.damage(f"DELETE FROM audit_logs WHERE seq = 1 AND writer_id = '{story.cli}'")
    assert set(places(verify(story))) == {
        (K.ROWS_MISSING, story.cli, 1),
        (K.TAIL_MISSING, story.cli, 1),  # which its checkpoint names
        (K.ROWS_MISSING, story.main, 1),
        (K.WRITER_MISSING, story.other, 1),
    }


def test_a_removal_is_held_against_the_row_behind_it(site: Site) -> None:
    """An insider with the signing key and without the audit key: what is behind does not fit."""
    story = tell(site, "pruned")
    (row,) = site.rows(f"SELECT anchors FROM audit_logs WHERE seq = 1 AND writer_id = '{story.cli}'")
    start = row["anchors"].index(",1,7,") + len(',1,7,"')
    forged = row["anchors"][:start] + "00" * 32 + row["anchors"][start + 64 :]
    signature = KEYS.sign(forged).hex()
    value = f"'\\x{signature}'::bytea" if site.is_postgres else f"x'{signature}'"
    where = f"WHERE seq = 1 AND writer_id = '{story.cli}'"
    site.damage(f"UPDATE audit_logs SET anchors = '{forged}', signature = {value} {where}")
    found = places(verify(story))
    assert (K.ROW_ALTERED, story.cli, 1) in found
    assert (K.ROW_ALTERED, story.main, 8) in found


def test_a_kept_failure_is_missed_between_two_removals(site: Site) -> None:
    story = tell(site, "failures kept")
    site.damage(f"DELETE FROM audit_logs WHERE seq = 4 AND writer_id = '{story.main}'")
    verdict = verify(story)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ROWS_MISSING, story.main, 4)]
    assert places(verify(story, file=True))[0] == (K.ROWS_MISSING, story.main, 4)


def test_a_kept_failure_is_named_when_it_was_edited(site: Site) -> None:
    story = tell(site, "failures kept")
    story.damage_main(4, "success = 1")
    assert places(verify(story)) == [(K.ROW_ALTERED, story.main, 4)]


def test_a_removed_row_is_named_when_it_stands_in_the_table_again(site: Site) -> None:
    story = tell(site, "archived")
    rows = [row for row in story.archive.rows if row[14] == story.main and row[15] in (3, 4, 6)]

    def put_back(tx: Transaction) -> None:
        for row in rows:
            tx.events.add(dict(zip(COLUMNS, row, strict=True)))

    site.start().database.write_now(put_back)
    for archive in (False, True):
        found = [place for place in places(verify(story, archive=archive)) if place[0] is K.REMOVAL_CONTRADICTED]
        assert found == [(K.REMOVAL_CONTRADICTED, story.main, seq) for seq in (3, 4, 6)]


@pytest.mark.parametrize(
    ("change", "kind", "seq"),
    [
        ("last_mac = id::bytea", K.HEAD_DIFFERS, 3),
        ("last_seq = 2", K.HEAD_DIFFERS, 3),
        ("last_seq = 0", K.HEAD_DIFFERS, 1),
        ("last_seq = 5", K.TAIL_MISSING, 4),
    ],
)
def test_the_head_of_a_chain_that_is_wholly_gone_still_has_to_fit(
    site: Site, change: str, kind: FindingKind, seq: int
) -> None:
    story = tell(site, "pruned")
    if not site.is_postgres:
        change = change.replace("id::bytea", "zeroblob(32)")
    site.damage(f"UPDATE audit_writers SET {change} WHERE id = '{story.other}'")
    assert places(verify(story)) == [(kind, story.other, seq)]


def test_a_writer_is_missed_when_only_a_removal_knows_it(site: Site) -> None:
    story = tell(site, "pruned")
    site.damage(f"DELETE FROM audit_writers WHERE id = '{story.other}'")
    verdict = verify(story)
    assert places(verdict) == [(K.WRITER_MISSING, story.other, 1)]
    assert verdict.status is Status.TRUNCATED


def test_a_value_of_a_type_that_no_event_has_is_named(site: Site) -> None:
    story = tell(site, "pruned")
    story.damage_main(11, "seq = 'x'")
    findings = verify(story).findings
    assert [finding.sentence for finding in findings if finding.kind is K.ROW_ALTERED] == [
        f"Row x of writer {story.main}: a value is of a type that no event has"
    ]


# Erasures.

ERASE = "user_email = NULL, ip_address = NULL, user_agent = NULL, details = NULL, peer_address = NULL, salt = NULL"


def test_a_blank_row_is_named_when_no_erasure_names_it(story: Story) -> None:
    story.damage_main(11, ERASE)
    verdict = verify(story)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ERASURE_UNEXPLAINED, story.main, 11)]
    assert verdict.findings[0].event_id is not None


def test_an_erased_row_is_named_when_it_was_filled_again(site: Site) -> None:
    story = tell(site, "erased")
    story.damage_main(10, "user_email = 'user10@example.com'")
    assert places(verify(story)) == [(K.ROW_ALTERED, story.main, 10)]


def test_an_erased_row_is_named_when_everything_that_was_erased_is_back(site: Site) -> None:
    story = begin_and_copy(site)
    row = story.archive.rows[0]
    names = [name for name in PERSONAL if name != "salt"]
    values = ", ".join(f"{name} = '{row[COLUMNS.index(name)]}'" for name in names)
    salt = row[COLUMNS.index("salt")].hex()
    value = f"'\\x{salt}'::bytea" if site.is_postgres else f"x'{salt}'"
    story.damage_main(10, f"{values}, salt = {value}")
    verdict = site.verify(file=False)
    assert places(verdict) == [(K.ERASURE_CONTRADICTED, story.main, 10)]
    assert "tells of its erasure" in verdict.findings[0].sentence


def begin_and_copy(site: Site) -> Story:
    """An erased trail, and row 10 as it was before."""
    story = begin(site)
    cli = site.start(kind="cli")
    rows = cli.database.read_now(lambda tx: tx.events.between(story.main, after=9, last=10, most=1))
    story.archive = KeptRows(rows)
    erase(cli, story, "user10@example.com")
    cli.stop()
    return story


def test_an_erasure_explains_nothing_when_it_was_edited(site: Site) -> None:
    story = tell(site, "erased")
    longer = anchors_of(story, lambda text: text.replace(",10,10,", ",10,11,"))
    site.damage(f"UPDATE audit_logs SET anchors = '{longer}' WHERE seq = 1 AND writer_id = '{story.cli}'")
    found = places(verify(story))
    assert (K.CHECKPOINT_INVALID, story.cli, 1) in found
    assert (K.ERASURE_UNEXPLAINED, story.main, 3) in found
    assert (K.ERASURE_UNEXPLAINED, story.main, 10) in found


def edit_line(story: Story, seq: int, change: Any) -> None:
    lines = story.site.log_file.read_bytes().splitlines(keepends=True)
    place = f'"writer_id":"{story.main}","seq":{seq},'.encode()
    story.site.log_file.write_bytes(b"".join(change(line) if place in line else line for line in lines))


def test_an_erased_line_is_named_when_it_has_something_again(site: Site) -> None:
    story = tell(site, "erased")
    edit_line(story, 10, lambda line: line.replace(b'"user_email":null', b'"user_email":"x"'))
    verdict = verify(story, file=True)
    assert places(verdict) == [(K.LINE_ALTERED, story.main, 10)]
    assert "user_email; the row is what was recorded" in verdict.findings[0].sentence


def test_a_line_is_named_when_the_erasure_did_not_reach_it(site: Site) -> None:
    story = begin(site)
    cli = site.start(kind="cli")
    before = site.log_file.read_bytes()
    erase(cli, story, "user10@example.com")
    written = site.log_file.read_bytes()[len(before) :]
    site.log_file.write_bytes(before + written)
    cli.stop()
    verdict = site.verify()
    assert places(verdict) == [(K.LINE_NOT_ERASED, story.main, 10)]
    assert verdict.status is Status.ALTERED


# Lines of rows that were removed.


def test_a_line_of_a_removed_row_is_named_when_it_was_edited(site: Site) -> None:
    story = tell(site, "pruned")
    edit_line(story, 5, lambda line: line.replace(b"user5@", b"user6@"))
    verdict = verify(story, file=True)
    assert places(verdict) == [(K.LINE_ALTERED, story.main, 5)]
    assert "which was removed" in verdict.findings[0].sentence


@pytest.mark.parametrize("seq", [1, 3, 7])
def test_a_line_of_a_removed_row_is_named_when_its_mac_was_replaced(site: Site, seq: int) -> None:
    story = tell(site, "pruned")
    edit_line(story, seq, lambda line: line.replace(b'"mac":"', b'"mac":"00')[:-20] + line[-18:])
    found = places(verify(story, file=True))
    assert (K.LINE_ALTERED, story.main, seq) in found


def test_lines_of_removed_rows_are_held_against_the_row_before_them(site: Site) -> None:
    story = tell(site, "failures kept")
    edit_line(story, 3, lambda line: line.replace(b'"success":true', b'"success":false'))
    edit_line(story, 5, lambda line: line.replace(b'"success":true', b'"success":false'))
    assert places(verify(story, file=True)) == [(K.LINE_ALTERED, story.main, 3), (K.LINE_ALTERED, story.main, 5)]


def test_an_erased_line_of_a_removed_row_is_in_order(site: Site) -> None:
    story = tell(site, "erased and pruned")
    line = next(line for line in site.lines() if line["writer_id"] == story.main and line["seq"] == 3)
    assert (line["user_email"], line["salt"]) == (None, None)
    assert verify(story, file=True).findings == ()


def test_it_is_told_whether_row_or_line_is_what_was_recorded(story: Story) -> None:
    edit_line(story, 11, lambda line: line.replace(b"user11@", b"user12@"))
    (finding,) = verify(story, file=True).findings
    assert finding.sentence.endswith("differs from the table in user_email; the row is what was recorded")
    edit_line(story, 11, lambda line: line.replace(b"user12@", b"user11@"))
    story.damage_main(11, "user_email = 'user12@example.com'")
    sentences = [finding.sentence for finding in verify(story, file=True).findings]
    assert any(sentence.endswith("in user_email; the line is what was recorded") for sentence in sentences)
    edit_line(story, 11, lambda line: line.replace(b"user11@", b"user13@"))
    sentences = [finding.sentence for finding in verify(story, file=True).findings]
    assert any(sentence.endswith("differs from the table in user_email") for sentence in sentences)


def test_lines_that_were_taken_out_are_no_events_and_no_damage(site: Site) -> None:
    story = tell(site, "pruned")
    edit_line(story, 3, lambda line: b" " * (len(line) - 1) + b"\n")
    assert verify(story, file=True).findings == ()
    edit_line(story, 11, lambda line: b" " * (len(line) - 1) + b"\n")
    assert places(verify(story, file=True)) == [(K.LINES_MISSING, story.main, 11)]


# Archives.


def test_rows_are_missed_when_the_archive_lacks_them(site: Site) -> None:
    story = tell(site, "archived")
    story.archive = KeptRows([row for row in story.archive.rows if not (row[14] == story.main and row[15] in (3, 7))])
    verdict = verify(story)
    assert places(verdict) == [
        (K.ARCHIVE_ROWS_MISSING, story.main, 3),
        (K.ARCHIVE_ROWS_MISSING, story.main, 7),
    ]
    assert verdict.status is Status.ALTERED
    story.archive = KeptRows([row for row in story.archive.rows if row[14] == story.main])
    assert (K.ARCHIVE_ROWS_MISSING, story.other, 1) in places(verify(story))


def test_an_archived_row_is_named_when_it_was_edited(site: Site) -> None:
    story = tell(site, "archived")
    story.archive = KeptRows(
        [(*row[:6], 1 - row[6], *row[7:]) if row[14:16] == (story.main, 3) else row for row in story.archive.rows]
    )
    assert places(verify(story)) == [(K.ROW_ALTERED, story.main, 3)]


def test_an_archived_row_is_named_when_no_event_tells_of_its_removal(site: Site) -> None:
    story = tell(site, "archived")
    rows = site.start().database.read_now(lambda tx: tx.events.between(story.main, after=10, last=11, most=1))
    story.archive = KeptRows([*story.archive.rows, *rows])
    assert verify(story).findings == ()
    site.damage(f"DELETE FROM audit_logs WHERE seq = 11 AND writer_id = '{story.main}'")
    assert places(verify(story)) == [(K.ROWS_MISSING, story.main, 11)]


def test_the_fields_are_named_in_which_archive_and_table_differ(site: Site) -> None:
    story = tell(site, "archived")
    (row,) = site.start().database.read_now(lambda tx: tx.events.between(story.main, after=10, last=11, most=1))
    story.archive = KeptRows([*story.archive.rows, row])
    story.damage_main(11, "user_id = 'x', success = 0")
    verdict = verify(story)
    assert set(places(verdict)) == {(K.ROW_ALTERED, story.main, 11), (K.ARCHIVE_ALTERED, story.main, 11)}
    (finding,) = (one for one in verdict.findings if one.kind is K.ARCHIVE_ALTERED)
    assert finding.sentence.endswith("differs between table and archive in success, user_id")


def test_an_archive_of_chains_that_the_table_has_lost_is_told(site: Site) -> None:
    story = tell(site, "archived")
    site.damage(
        f"DELETE FROM audit_logs WHERE writer_id = '{story.main}'",
        f"DELETE FROM audit_writers WHERE id = '{story.main}'",
    )
    assert (K.WRITER_UNKNOWN, story.main, 1) in places(verify(story))


@pytest.mark.parametrize("seq", [5, 11])
def test_a_line_that_cannot_be_read_any_more_is_named(site: Site, seq: int) -> None:
    """It still says whose line it is."""
    story = tell(site, "pruned")
    edit_line(story, seq, lambda line: line.replace(b'"success":true', b'"success":tru'))
    (finding,) = verify(story, file=True).findings
    assert (finding.kind, finding.writer_id, finding.seq) == (K.LINE_ALTERED, story.main, seq)


def test_a_line_is_held_against_a_row_with_a_value_that_no_event_has(site: Site) -> None:
    story = tell(site, "pruned")
    story.damage_main(11, "details = x'00'")
    edit_line(story, 11, lambda line: line.replace(b'"success":true', b'"success":false'))
    found = places(verify(story, file=True))
    assert found == [(K.LINE_ALTERED, story.main, 11), (K.ROW_ALTERED, story.main, 11)]


def test_the_last_line_of_removed_rows_is_pinned_by_the_signed_removal(site: Site) -> None:
    """An insider with the audit key: the line fits its chain, and not what was signed of it."""
    story = tell(site, "pruned")
    lines = {line[1]: line[0] for line in lines_of(story)}
    before, row = row_of(lines[6]), row_of(lines[7])
    assert before is not None
    assert row is not None
    changed = (*row[:9], "somebody else", *row[10:])
    mac = chain.compute_mac(chain.derive_writer_key(KEYS.audit, story.main), changed, before[20])
    edit_line(story, 7, lambda line: render((*changed[:20], mac), 1))
    assert places(verify(story, file=True)) == [(K.LINE_ALTERED, story.main, 7)]


def lines_of(story: Story) -> list[tuple[bytes, int]]:
    place = f'"writer_id":"{story.main}"'.encode()
    lines = [line for line in story.site.log_file.read_bytes().splitlines(keepends=True) if place in line]
    return [(line, int(line.split(b'"seq":')[1].split(b",")[0])) for line in lines]
