"""An insider with the sqlite3 program and all the time in the world: what they change is named."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.builders import JOHN, Visitor
from tests.process.site import Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.process

INTACT, ALTERED, TRUNCATED = 0, 1, 4


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a service that has run and stopped in order."""
    with site(tmp_path_factory.mktemp("tampering") / "original") as made:
        made.start()
        for visitor in (Visitor(made), Visitor(made, JOHN)):
            visitor.register()
            visitor.log_in()
            visitor.see()
        assert made.stop() == 0
        yield made.directory


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Iterator[Site]:
    """A copy of it to be tampered with; the triggers that keep honest people out are gone."""
    shutil.copytree(original, tmp_path / "site")
    with site(tmp_path / "site") as copy:
        triggers = copy.sqlite("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_logs'")
        assert len(triggers) >= 2
        copy.sqlite(*(f"DROP TRIGGER {name}" for name in triggers))
        yield copy


def test_the_triggers_stop_whoever_does_not_drop_them(original: Path, tmp_path: Path) -> None:
    """D-11: neither UPDATE nor DELETE; and dropping them alone changes nothing."""
    shutil.copytree(original, tmp_path / "site")
    with site(tmp_path / "site") as copy:
        for statement in ("UPDATE audit_logs SET success = 1", "DELETE FROM audit_logs"):
            with pytest.raises(AssertionError, match="append-only"):
                copy.sqlite(statement)
        copy.sqlite("DROP TRIGGER audit_logs_no_update", "DROP TRIGGER audit_logs_no_delete")
        assert copy.verify() == INTACT


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ("UPDATE audit_logs SET ip_address = '203.0.113.7' WHERE seq = 5", 5),
        ("UPDATE audit_logs SET success = 0 WHERE seq = 3", 3),
        ("DELETE FROM audit_logs WHERE seq = 6", 6),
    ],
    ids=["personal field", "outcome", "row"],
)
def test_a_change_is_found_with_its_writer_and_sequence(place: Site, change: str, seq: int) -> None:
    """R-LG-06: exit 1, on the terminal and for machines."""
    (writer,) = place.sqlite("SELECT DISTINCT writer_id FROM audit_logs")
    place.sqlite(change)
    shown = place.command("audit", "verify")
    assert shown.returncode == ALTERED
    assert f"Row {seq} of writer {writer}" in " ".join(shown.stdout.split())


def test_a_change_is_named_for_machines(place: Site) -> None:
    """R-LG-06: `--format json`."""
    place.sqlite("UPDATE audit_logs SET details = 'nothing happened' WHERE seq = 5")
    verified = place.command("audit", "verify", "--format", "json")
    assert verified.returncode == ALTERED
    document = json.loads(verified.stdout)
    assert document["status"] == "altered"
    assert ("row_altered", 5) in {(finding["kind"], finding["seq"]) for finding in document["findings"]}


def test_a_tail_that_was_cut_off_is_found_by_the_heads(place: Site) -> None:
    """R-LG-06: the rows alone."""
    place.sqlite("DELETE FROM audit_logs WHERE seq >= 7")
    assert place.verify() in (ALTERED, TRUNCATED)


def test_a_tail_that_was_cut_off_together_with_the_heads_is_found_by_the_file(place: Site) -> None:
    """R-LG-06, D-11: the file has the lines, and the signed checkpoint among them."""
    place.sqlite(
        "DELETE FROM audit_logs WHERE seq >= 7",
        "UPDATE audit_writers SET last_seq = 6, shipped_seq = 6, checkpointed_seq = 0, closed_at = NULL,"
        " last_mac = (SELECT mac FROM audit_logs WHERE seq = 6)",
    )
    assert place.verify() == TRUNCATED


def test_a_change_of_the_file_alone_is_found(place: Site) -> None:
    """D-11: the copy that left the table first."""
    log = place.directory / "app.log"
    log.write_text(log.read_text(encoding="utf-8").replace("127.0.0.1", "127.0.0.9", 1), encoding="utf-8")
    assert place.verify() == ALTERED
