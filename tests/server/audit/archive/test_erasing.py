"""A person disappears from an archive, and the rest of it stays provable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import Conflict, StorageDamaged
from authctl.server.audit.archive import blanking, erasing
from authctl.server.audit.archive.blanking import PERSONAL
from authctl.server.audit.archive.erasing import erase_in_archive, find_in_archive
from authctl.server.audit.archive.manifest import only_writer
from authctl.server.audit.erasure import Subject
from authctl.server.audit.events import ChainRange, EventType
from authctl.server.audit.findings import Status
from authctl.server.storage import parquet
from authctl.server.storage.erasures import PERSONAL_COLUMNS
from authctl.server.storage.event_query import EventFilter
from tests.server.audit.archive.test_writing import Faults
from tests.server.audit.workbench import INSTANCE, KEYS, an_event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.audit.archive.store import Store

pytestmark = pytest.mark.thorough

JANE = Subject("user5@example.com", ("id-5",))


@pytest.fixture
def archived(store: Store) -> Store:
    """Three months in an archive."""
    store.move()
    return store


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_nothing_of_the_person_is_left_and_the_trail_verifies(archived: Store) -> None:
    assert archived.erase(5) == 1
    (row,) = (row for row in archived.in_archive() if row[16] is None)
    assert (row[3], row[15]) == ("id-5", 6)
    assert {row[place] for place in (2, 4, 5, 7, 13, 16)} == {None}
    assert find_in_archive(archived.directory, JANE) == ()
    with pytest.raises(StopIteration):
        next(event for event in archived.together() if event.user_email == JANE.email)
    verdict = archived.verify()
    assert verdict.status is Status.INTACT
    assert verdict.counts.erased == 1


def test_a_rewritten_file_has_another_name_and_the_old_one_is_gone(archived: Store) -> None:
    archived.erase(5)
    assert archived.names == [
        "audit-2100-01-2.parquet", "audit-2100-02.parquet", "audit-2100-03.parquet", "manifest.json",
    ]  # fmt: skip
    assert [file.name for file in archived.manifest.files] == archived.names[:-1]
    assert archived.manifest.unfinished == ()
    assert b"user5@example.com" not in bytes_of(archived.directory)


def test_only_the_rows_of_the_person_are_blank(archived: Store) -> None:
    before = archived.in_archive()
    archived.erase(5)
    changed = [(one, other) for one, other in zip(before, archived.in_archive(), strict=True) if one != other]
    assert [one[15] for one, _ in changed] == [6]


def test_nothing_is_written_when_nothing_is_there_to_erase(archived: Store) -> None:
    content = bytes_of(archived.directory)
    assert erase_in_archive(archived.directory, KEYS, INSTANCE, [ChainRange("nobody", 1, 9)]) == 0
    archived.erase(5)
    names = archived.names
    assert erase_in_archive(archived.directory, KEYS, INSTANCE, [ChainRange(archived.rows[0][14], 6, 6)]) == 0
    assert archived.names == names
    assert bytes_of(archived.directory) != content


@pytest.mark.parametrize(
    ("event", "is_found"),
    [
        ({"user_id": "id-5", "user_email": None}, True),
        ({"target_user_id": "id-5", "user_email": "other@example.com", "user_id": "x"}, True),
        ({"user_email": "other@example.com", "user_id": "x"}, False),
        ({"type": EventType.AUDIT_QUERY, "user_id": "x", "user_email": "a@b.c",
          "details": "asked for User5@Example.com from"}, True),
        ({"type": EventType.AUDIT_QUERY, "user_id": "x", "user_email": "a@b.c",
          "details": "asked for auser5@example.com"}, False),
        ({"type": EventType.USER_ACCESS, "user_id": "x", "user_email": "a@b.c",
          "details": "user5@example.com"}, False),
    ],
)  # fmt: skip
def test_rows_about_a_person_are_found_as_in_the_table(store: Store, event: dict[str, Any], is_found: bool) -> None:
    store.cli.write(an_event(77, **event), an_event(78))
    store.site.clock.advance(86_400)
    store.move()
    found = {
        (one.writer_id, seq) for one in find_in_archive(store.directory, JANE) for seq in range(one.first, one.last + 1)
    }
    assert (store.rows[0][14], 6) in found
    assert len(found) == 1 + is_found


def test_an_erasure_keeps_away_from_an_archive_that_is_changing(archived: Store) -> None:
    ranges = find_in_archive(archived.directory, JANE)
    with only_writer(archived.directory), pytest.raises(Conflict):
        erase_in_archive(archived.directory, KEYS, INSTANCE, ranges)


def test_a_crash_anywhere_leaves_a_readable_archive_and_the_next_run_finishes(
    archived: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = 0
    number = 1
    done = False
    while not done:
        with monkeypatch.context() as patched:
            faults = Faults(crashes + 1)
            for module, name in (
                (blanking, "write_manifest"),
                (blanking, "digest_of"),
                (parquet, "_put"),
                (blanking, "sync_directory"),
                (erasing, "blank_file"),
            ):
                patched.setattr(module, name, faults.around(getattr(module, name)))
            try:
                archived.erase(number)
                done = True
            except KeyboardInterrupt:
                crashes += 1
        assert len(archived.in_archive()) == len(archived.rows)
        assert archived.check().status is Status.INTACT
        archived.erase(number)
        ranges = [ChainRange(archived.rows[0][14], number + 1, number + 1)]
        erase_in_archive(archived.directory, KEYS, INSTANCE, ranges)
        assert len(archived.names) == 4
        assert archived.manifest.unfinished == ()
        assert not [row for row in archived.in_archive() if row[2] == f"user{number}@example.com"]
        assert archived.verify().status is Status.INTACT
        number += 1
    assert crashes > 10


def test_a_file_that_comes_out_wrong_does_not_count(archived: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    names = archived.names
    with monkeypatch.context() as patched:
        patched.setattr(blanking, "_BLANKED", "SELECT * FROM made WHERE len($writers) = len($sequences) LIMIT 3")
        with pytest.raises(StorageDamaged):
            archived.erase(5)
    assert [file.name for file in archived.manifest.files] == names[:-1]
    assert len(archived.in_archive()) == len(archived.rows)
    archived.erase(5)
    assert archived.verify().status is Status.INTACT


def test_the_personal_columns_are_those_of_the_table() -> None:
    assert set(PERSONAL) == set(PERSONAL_COLUMNS)


def test_erased_events_are_still_counted(archived: Store) -> None:
    archived.erase(5)
    assert len(archived.together(EventFilter(user_id="id-5"))) == 2
