"""Each kind of damage is named with its writer and its sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.errors import AuditUnavailable
from authctl.server.audit import findings as findings_module
from authctl.server.audit.file_sink import AuditFile
from authctl.server.audit.file_verification import measure_committed
from authctl.server.audit.findings import FindingKind, Status, Verdict
from authctl.server.audit.keys import TrailKeys
from authctl.server.audit.verification import verify_trail
from tests.server.audit.workbench import INSTANCE, KEYS, Service, Site, an_event

if TYPE_CHECKING:
    from pathlib import Path

K = FindingKind
ROW = "WHERE seq = 3"


@pytest.fixture
def trail(site: Site, service: Service) -> Site:
    """Five events and the checkpoint of a clean stop, which is row 6."""
    service.write(*(an_event(n) for n in range(1, 6)))
    service.stop()
    return site


def places(verdict: Verdict) -> list[tuple[FindingKind, int]]:
    return [(finding.kind, finding.seq) for finding in verdict.findings]


def writer_of(site: Site) -> str:
    writer: str = site.rows("SELECT id FROM audit_writers")[0]["id"]
    return writer


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
        "salt = x'00'",
        "personal_digest = x'00'",
        "signature = x'00'",
        "id = 'x'",
        "details = x'00'",
        "personal_digest = 'text'",
        "success = 'yes'",
    ],
)
def test_a_row_is_named_when_one_field_was_edited(trail: Site, change: str) -> None:
    """R-LG-06."""
    trail.damage(f"UPDATE audit_logs SET {change} {ROW}")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ROW_ALTERED, 3)]
    assert verdict.findings[0].writer_id == writer_of(trail)
    assert f"Row 3 of writer {writer_of(trail)}" in verdict.findings[0].sentence


def test_a_row_is_named_when_its_mac_was_replaced(trail: Site) -> None:
    trail.damage(f"UPDATE audit_logs SET mac = zeroblob(32) {ROW}")
    assert places(trail.verify(file=False)) == [(K.ROW_ALTERED, 3), (K.ROW_ALTERED, 4)]


def test_the_first_row_is_named_when_its_anchors_were_edited(trail: Site) -> None:
    trail.damage("UPDATE audit_logs SET anchors = 'x' WHERE seq = 1")
    assert places(trail.verify(file=False)) == [(K.ANCHORS_INVALID, 1), (K.ROW_ALTERED, 1)]


def test_the_first_row_is_named_when_its_anchors_are_gone(trail: Site) -> None:
    trail.damage("UPDATE audit_logs SET anchors = NULL WHERE seq = 1")
    assert places(trail.verify(file=False))[0] == (K.ANCHORS_INVALID, 1)


def test_a_hole_is_named_when_a_row_was_deleted(trail: Site) -> None:
    """R-LG-06."""
    trail.damage(f"DELETE FROM audit_logs {ROW}")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ROWS_MISSING, 3)]
    assert "rows 3 to 3 are missing" in verdict.findings[0].sentence


def test_an_inserted_row_is_named_when_it_continues_the_chain(trail: Site) -> None:
    """R-LG-06."""
    columns = [row["name"] for row in trail.rows("PRAGMA table_info(audit_logs)")]
    values = ", ".join({"id": "'forged'", "seq": "7"}.get(column, column) for column in columns)
    trail.damage(f"INSERT INTO audit_logs SELECT {values} FROM audit_logs WHERE seq = 5")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ROW_ALTERED, 7), (K.HEAD_DIFFERS, 7)]


def test_an_inserted_row_is_named_when_it_stands_twice(trail: Site) -> None:
    columns = [row["name"] for row in trail.rows("PRAGMA table_info(audit_logs)")]
    values = ", ".join({"id": "'forged'"}.get(column, column) for column in columns)
    trail.damage(
        "DROP INDEX uq_audit_logs_writer_id_seq", f"INSERT INTO audit_logs SELECT {values} FROM audit_logs {ROW}"
    )
    assert (K.ROW_REPEATED, 3) in places(trail.verify(file=False))


def test_an_inserted_row_is_named_when_it_claims_a_writer_of_its_own(trail: Site) -> None:
    columns = [row["name"] for row in trail.rows("PRAGMA table_info(audit_logs)")]
    values = ", ".join({"id": "'forged'", "writer_id": "'zz'", "seq": "1"}.get(column, column) for column in columns)
    trail.damage(f"INSERT INTO audit_logs SELECT {values} FROM audit_logs WHERE seq = 1")
    verdict = trail.verify(file=False)
    assert [(finding.kind, finding.writer_id) for finding in verdict.findings] == [
        (K.WRITER_UNKNOWN, "zz"),
        (K.ANCHORS_INVALID, "zz"),
        (K.ROW_ALTERED, "zz"),
    ]


def test_both_rows_are_named_when_two_were_swapped(trail: Site) -> None:
    """R-LG-06."""
    trail.damage(
        "UPDATE audit_logs SET seq = 99 WHERE seq = 2",
        "UPDATE audit_logs SET seq = 2 WHERE seq = 3",
        "UPDATE audit_logs SET seq = 3 WHERE seq = 99",
    )
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict)[:2] == [(K.ROW_ALTERED, 2), (K.ROW_ALTERED, 3)]


def test_a_tail_is_missed_when_only_rows_were_cut_off(trail: Site) -> None:
    """R-LG-06."""
    trail.damage("DELETE FROM audit_logs WHERE seq > 3")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.TRUNCATED
    assert places(verdict) == [(K.TAIL_MISSING, 4)]
    assert trail.verify().status is Status.TRUNCATED


def cut_with_head(site: Site, after: int) -> None:
    """The careful insider also corrects the table of writers."""
    site.damage(
        f"DELETE FROM audit_logs WHERE seq > {after}",
        f"UPDATE audit_writers SET last_seq = {after}, last_mac = (SELECT mac FROM audit_logs WHERE seq = {after})",
    )


def test_a_tail_behind_a_checkpoint_is_missed_when_the_head_was_corrected(site: Site, service: Service) -> None:
    """R-LG-06, D-11."""
    service.write(*(an_event(n) for n in range(1, 6)))
    other = site.start()
    other.checkpoint()
    service.stop()
    other.stop()
    first = site.rows("SELECT writer_id FROM audit_logs WHERE user_email = 'user1@example.com'")[0]["writer_id"]
    site.damage(
        f"DELETE FROM audit_logs WHERE seq > 3 AND writer_id = '{first}'",
        "UPDATE audit_writers SET last_seq = 3, last_mac = (SELECT mac FROM audit_logs WHERE seq = 3 AND"
        f" writer_id = '{first}') WHERE id = '{first}'",
    )
    verdict = site.verify(file=False)
    assert verdict.status is Status.TRUNCATED
    assert {(finding.kind, finding.writer_id) for finding in verdict.findings} == {(K.TAIL_MISSING, first)}
    assert (K.TAIL_MISSING, 5) in places(verdict)


def test_a_tail_is_missed_by_the_file_when_the_head_was_corrected(trail: Site) -> None:
    """D-11: file against table."""
    cut_with_head(trail, 3)
    assert trail.verify(file=False).is_intact
    verdict = trail.verify()
    assert verdict.status is Status.TRUNCATED
    assert places(verdict) == [(K.LINE_WITHOUT_ROW, 4), (K.LINE_WITHOUT_ROW, 5), (K.LINE_WITHOUT_ROW, 6)]


def test_a_chain_is_missed_when_all_its_rows_are_gone(trail: Site) -> None:
    trail.damage("DELETE FROM audit_logs")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.TRUNCATED
    assert places(verdict) == [(K.WRITER_MISSING, 1)]


def test_a_chain_is_missed_when_its_writer_is_gone_with_it(site: Site, service: Service) -> None:
    service.write(an_event(1))
    other = site.start()
    other.write(an_event(2))
    service.stop()
    other.stop()
    first = site.rows("SELECT writer_id FROM audit_logs WHERE user_email = 'user1@example.com'")[0]["writer_id"]
    site.damage(
        f"DELETE FROM audit_logs WHERE writer_id = '{first}'", f"DELETE FROM audit_writers WHERE id = '{first}'"
    )
    verdict = site.verify(file=False)
    assert verdict.status is Status.TRUNCATED
    assert {finding.writer_id for finding in verdict.findings} == {first}


def test_a_writer_is_named_when_its_row_was_deleted(trail: Site) -> None:
    trail.damage("DELETE FROM audit_writers")
    assert places(trail.verify(file=False)) == [(K.WRITER_UNKNOWN, 1)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("last_mac = zeroblob(32)", (K.HEAD_DIFFERS, 6)),
        ("last_seq = 5", (K.HEAD_DIFFERS, 6)),
        ("last_seq = 9", (K.TAIL_MISSING, 7)),
    ],
)
def test_a_head_is_named_when_it_was_edited(trail: Site, change: str, expected: tuple[FindingKind, int]) -> None:
    trail.damage(f"UPDATE audit_writers SET {change}")
    assert places(trail.verify(file=False)) == [expected]


def test_a_checkpoint_is_named_when_its_key_id_was_replaced(trail: Site) -> None:
    """R-LG-06."""
    trail.damage("UPDATE audit_logs SET anchors = json_set(anchors, '$.key', 'f00d') WHERE seq = 6")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.KEY_UNKNOWN, 6), (K.ROW_ALTERED, 6)]


def test_a_chain_is_named_when_its_key_id_was_replaced(trail: Site) -> None:
    """R-LG-06."""
    trail.damage("UPDATE audit_logs SET anchors = json_set(anchors, '$.audit_key', 'f00d') WHERE seq = 1")
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict)[0] == (K.KEY_UNKNOWN, 1)


def test_a_checkpoint_is_named_when_its_signature_is_wrong_or_gone(trail: Site) -> None:
    trail.damage("UPDATE audit_logs SET signature = zeroblob(64) WHERE seq = 6")
    assert places(trail.verify(file=False)) == [(K.CHECKPOINT_INVALID, 6), (K.ROW_ALTERED, 6)]
    trail.damage("UPDATE audit_logs SET signature = NULL WHERE seq = 6")
    assert places(trail.verify(file=False)) == [(K.CHECKPOINT_INVALID, 6), (K.ROW_ALTERED, 6)]


def test_a_contradiction_is_named_when_a_row_was_chained_anew_behind_a_signed_head(
    site: Site, service: Service
) -> None:
    """An insider with the audit key and without the checkpoint key."""
    service.write(an_event(1))
    other = site.start()
    other.checkpoint()
    first = site.rows("SELECT writer_id FROM audit_logs WHERE user_email = 'user1@example.com'")[0]["writer_id"]
    site.damage(
        f"UPDATE audit_logs SET mac = zeroblob(32) WHERE writer_id = '{first}'",
        f"UPDATE audit_writers SET last_mac = zeroblob(32) WHERE id = '{first}'",
    )
    verdict = site.verify(file=False)
    assert (K.CHECKPOINT_CONTRADICTED, 1) in places(verdict)


def test_one_finding_is_enough_when_the_audit_key_is_another(trail: Site) -> None:
    other = TrailKeys(audit=b"x" * 32, checkpoint=KEYS.checkpoint)
    assert places(trail.verify(other, file=False)) == [(K.KEY_UNKNOWN, 1), (K.KEY_UNKNOWN, 6)]


def test_the_checkpoint_is_named_when_its_key_is_not_known_any_more(trail: Site) -> None:
    other = TrailKeys(audit=KEYS.audit, checkpoint=Ed25519PrivateKey.generate())
    assert places(trail.verify(other, file=False)) == [(K.KEY_UNKNOWN, 6)]


def test_anchors_are_refused_when_the_trail_is_of_another_instance(trail: Site) -> None:
    def unit(tx: object) -> Verdict:
        return verify_trail(tx, KEYS, "another")  # type: ignore[arg-type]

    assert places(trail.start().database.read_now(unit)) == [(K.ANCHORS_INVALID, 1), (K.ANCHORS_INVALID, 6)]


ERASE = (
    "UPDATE audit_logs SET user_email = NULL, ip_address = NULL, user_agent = NULL, details = NULL,"
    " peer_address = NULL, salt = NULL WHERE seq = 3"
)


def test_an_erased_row_is_named_when_no_event_tells_of_an_erasure(trail: Site) -> None:
    trail.damage(ERASE)
    verdict = trail.verify(file=False)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.ERASURE_UNEXPLAINED, 3)]


def test_findings_are_counted_when_there_are_too_many_to_keep(trail: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_module, "MOST_FINDINGS", 2)
    trail.damage("UPDATE audit_logs SET user_id = 'x'")
    verdict = trail.verify(file=False)
    assert len(verdict.findings) == 2
    assert verdict.total_findings == 6


def test_an_empty_trail_is_intact(site: Site, service: Service) -> None:
    service.tick()
    verdict = site.verify()
    assert verdict.is_intact
    assert verdict.notes == (f"There is no file {site.log_file}: it was not compared with the table",)


# The file against the table.


def edit_file(site: Site, old: bytes, new: bytes) -> None:
    site.log_file.write_bytes(site.log_file.read_bytes().replace(old, new))


def test_a_line_is_named_when_it_was_edited(trail: Site) -> None:
    edit_file(trail, b"user3@example.com", b"mallory@example.com")
    verdict = trail.verify()
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.LINE_ALTERED, 3)]
    assert verdict.findings[0].sentence.endswith("differs from the table in user_email; the row is what was recorded")


def test_a_line_is_named_when_only_its_spelling_was_edited(trail: Site) -> None:
    edit_file(trail, b'"seq":3,', b'"seq": 3,')
    verdict = trail.verify()
    assert places(verdict) == [(K.LINE_ALTERED, 3)]
    assert verdict.findings[0].sentence.endswith("its spelling; the row is what was recorded")


def remove_lines(site: Site, *sequences: int) -> None:
    lines = site.log_file.read_bytes().splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines, 1) if number not in sequences]
    site.log_file.write_bytes(b"".join(kept))


def test_a_hole_in_the_file_is_named_when_lines_were_deleted(trail: Site) -> None:
    remove_lines(trail, 3, 4)
    verdict = trail.verify()
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.LINES_MISSING, 3)]
    assert "rows 3 to 4" in verdict.findings[0].sentence


def test_single_holes_are_named_each(trail: Site) -> None:
    remove_lines(trail, 2, 4)
    assert places(trail.verify()) == [(K.LINES_MISSING, 2), (K.LINES_MISSING, 4)]


def test_a_tail_of_the_file_is_missed_when_it_was_cut_off(trail: Site) -> None:
    remove_lines(trail, 5, 6)
    verdict = trail.verify()
    assert verdict.status is Status.TRUNCATED
    assert places(verdict) == [(K.FILE_TAIL_MISSING, 5)]


def test_a_beginning_that_was_rotated_away_is_no_damage(trail: Site) -> None:
    remove_lines(trail, 1, 2)
    assert trail.verify().is_intact


def test_lines_that_are_no_events_are_named(trail: Site) -> None:
    with trail.log_file.open("ab") as file:
        file.write(b'hello\n{"writer_id":1,"seq":2,"generation":1}\n[]\n{"torn":')
    verdict = trail.verify()
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.LINE_FOREIGN, 0)] * 4


def test_a_line_of_a_deleted_row_is_named_beside_the_hole(trail: Site) -> None:
    trail.damage(f"DELETE FROM audit_logs {ROW}")
    assert places(trail.verify()) == [(K.ROWS_MISSING, 3), (K.ROWS_MISSING, 3)]


def test_lines_are_counted_when_they_stand_twice(trail: Site) -> None:
    data = trail.log_file.read_bytes()
    trail.log_file.write_bytes(data + data.splitlines(keepends=True)[2])
    verdict = trail.verify()
    assert verdict.is_intact
    assert verdict.counts.lines_repeated == 1


def test_lines_of_an_earlier_trail_are_left_alone(trail: Site) -> None:
    old = trail.log_file.read_bytes().replace(b'"generation":1', b'"generation":0')
    trail.log_file.write_bytes(old + trail.log_file.read_bytes())
    verdict = trail.verify()
    assert verdict.is_intact
    assert verdict.counts.lines_of_earlier_trails == 6


def test_a_trail_is_not_intact_when_it_was_wiped_and_called_a_new_one(trail: Site) -> None:
    """R-LG-06, D-11: lines of earlier trails are left alone, so what makes them earlier has to be proven."""
    trail.damage(
        "DELETE FROM audit_logs", "DELETE FROM audit_writers", "UPDATE instance SET generation = generation + 1"
    )
    verdict = trail.verify()
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.RESET_UNEXPLAINED, 0)]
    later = trail.start()
    later.write()
    later.stop()
    assert places(trail.verify()) == [(K.RESET_UNEXPLAINED, 0)]


def test_rows_are_named_when_the_trail_was_only_called_a_new_one(trail: Site) -> None:
    trail.damage("UPDATE instance SET generation = 2")
    assert places(trail.verify()) == [(K.ANCHORS_INVALID, 1), (K.ANCHORS_INVALID, 6), (K.RESET_UNEXPLAINED, 0)]


def test_lines_newer_than_the_snapshot_are_left_alone(site: Site, service: Service) -> None:
    """A line may be written while the table is being read."""
    service.write(*(an_event(n) for n in range(1, 4)))
    size = site.log_file.stat().st_size
    with site.log_file.open("ab") as file:
        file.write(site.log_file.read_bytes().splitlines(keepends=True)[-1].replace(b'"seq":3', b'"seq":4'))
        file.write(b'{"half":')
    verdict = service.database.read_now(lambda tx: verify_trail(tx, KEYS, INSTANCE, site.log_file, size))
    assert verdict.is_intact


def test_many_chains_in_one_file_are_told_apart(site: Site) -> None:
    services = [site.start() for _ in range(3)]
    for number in range(30):
        services[number % 3].write(an_event(number))
    verdict = site.verify()
    assert verdict.is_intact
    assert (verdict.counts.writers, verdict.counts.lines) == (3, 30)


def test_a_file_is_refused_when_it_is_a_link(trail: Site, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    trail.log_file.rename(moved)
    trail.log_file.symlink_to(moved)
    with pytest.raises(AuditUnavailable):
        trail.verify()


def test_measuring_waits_for_a_commit_and_not_for_ever(trail: Site) -> None:
    writer = AuditFile(trail.log_file)
    writer.acquire(0)
    with pytest.raises(AuditUnavailable):
        measure_committed(trail.log_file, patience=0.01)
    writer.release()
    assert measure_committed(trail.log_file) == trail.log_file.stat().st_size
    assert measure_committed(trail.folder / "none") == 0
    writer.close()
