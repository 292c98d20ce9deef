"""The ledger: what is kept, compared and refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import UsageError
from authctl.virtual_authenticator.faults.played import Played
from authctl.virtual_authenticator.harness.attack.ledger import Entry, Ledger
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict
from tests.virtual_authenticator.harness.attack.scripted import (
    ACCEPTED,
    CANNOT_BE,
    CANNOT_TELL,
    HAS_CRASHED,
    WAS_ACCEPTED,
    result,
)

if TYPE_CHECKING:
    from pathlib import Path

OTHERWISE = Played(ACCEPTED, (Reaction(Verdict.REFUSED, 400, "never", 0.1),))


def whats(ledger: Ledger, *results: Any) -> list[str]:
    return [change.what for change in ledger.changes(results)]


def test_what_has_changed_is_told() -> None:
    before = Ledger().updated([result("a"), result("b"), result("c"), result("d", played=WAS_ACCEPTED), result("e")])
    assert whats(before, result("a"), result("new"), result("e", played=CANNOT_TELL)) == []
    assert whats(before, result("a", played=OTHERWISE)) == ["still refused, for another reason"]
    assert whats(before, result("b", played=WAS_ACCEPTED)) == ["now accepted"]
    assert whats(before, result("c", played=HAS_CRASHED)) == ["now crashed"]
    assert whats(before, result("d"), result("e", played=CANNOT_BE)) == ["now refused", "now not applicable"]


def test_a_change_tells_both_sides() -> None:
    change = Ledger({"a": Entry("refused", 400, "no")}).changes([result("a", played=WAS_ACCEPTED)])[0]
    assert (str(change.before), str(change.now)) == ("refused, 400 no", "accepted, 200")
    assert str(Entry("not applicable", 0, "")) == "not applicable"


def test_what_was_not_played_or_has_no_verdict_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    Ledger().updated([result("b"), result("a")]).write(path)
    Ledger.read(path).updated([result("a", played=CANNOT_TELL), result("c", played=WAS_ACCEPTED)]).write(path)
    kept = json.loads(path.read_text())
    assert list(kept["cases"]) == ["a", "b", "c"]
    assert kept["cases"]["a"] == {"outcome": "refused", "status": 400, "reason": "no"}
    assert [one.name for one in tmp_path.iterdir()] == ["ledger.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_same_run_leaves_the_same_bytes_and_the_mode_that_was_there(tmp_path: Path) -> None:
    path, link = tmp_path / "ledger.json", tmp_path / "link.json"
    Ledger().updated([result("a"), result("b")]).write(path)
    before = path.read_bytes()
    path.chmod(0o600)
    link.symlink_to(path)
    Ledger.read(link).updated([result("b"), result("a")]).write(link)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink()


def test_there_is_an_empty_ledger_where_there_is_no_file(tmp_path: Path) -> None:
    assert Ledger.read(tmp_path / "none.json").entries == {}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"kind": "other"}',
        '{"kind": "authctl-attack-ledger", "version": 1}',
        '{"kind": "authctl-attack-ledger", "version": 1, "cases": {"a": 1}}',
        '{"kind": "authctl-attack-ledger", "version": 1, "cases": {"a": {"outcome": "?", "status": 1, "reason": ""}}}',
        '{"kind": "authctl-attack-ledger", "version": 1, "cases": {"a": {"outcome": "refused", "status": "1"}}}',
    ],
)
def test_a_file_is_refused_when_it_is_no_ledger(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="is no ledger of attacks"):
        Ledger.read(path)


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text('{"kind": "authctl-attack-ledger", "version": 2}')
    with pytest.raises(UsageError, match="is of version 2, and this program knows 1"):
        Ledger.read(path)


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Ledger.read(tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        Ledger().write(tmp_path / "none" / "ledger.json")
    (tmp_path / "place").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        Ledger().write(tmp_path / "place")
    assert [one.name for one in tmp_path.iterdir()] == ["place"]
