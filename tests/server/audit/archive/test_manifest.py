"""The manifest says what belongs to the archive, and nobody else can say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.errors import SchemaMismatch, StorageDamaged, StorageMissing, TrailAltered
from authctl.server.audit.anchors import parse_anchors
from authctl.server.audit.archive import manifest as module
from authctl.server.audit.archive.columns import COLUMNS, NAMES
from authctl.server.audit.archive.manifest import (
    MANIFEST,
    ArchivedRange,
    ArchiveFile,
    Manifest,
    open_manifest,
    read_manifest,
    write_manifest,
)
from authctl.server.audit.keys import TrailKeys
from authctl.server.storage.events import COLUMNS as TABLE_COLUMNS
from tests.server.audit.workbench import INSTANCE, KEYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RANGE = ArchivedRange("w1", 1, 8, bytes(32), b"\x01" * 32)
FILE = ArchiveFile("audit-2026-10.parquet", "2026-10", 8, "2026-10-01", "2026-10-31", 99, "ab" * 32, (RANGE,))
MANIFEST_OF_TWO = Manifest(INSTANCE, (FILE,), ("audit-2026-11.parquet",))


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
    return found


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    found = read_manifest(tmp_path)
    assert found.manifest == MANIFEST_OF_TWO
    assert found.is_signed_by(KEYS)
    assert open_manifest(tmp_path, KEYS, INSTANCE) == MANIFEST_OF_TWO
    assert (tmp_path / MANIFEST).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_anybody_can_check_the_signature_with_the_public_key_alone(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    found = document(tmp_path)
    text = orjson.dumps(found["content"], option=orjson.OPT_SORT_KEYS)
    KEYS.checkpoint.public_key().verify(
        bytes.fromhex(found["signature"]), b"authctl checkpoint\x00authctl archive\n" + text
    )
    assert found["public_key"] == KEYS.public_key.hex()


def test_a_signature_of_a_retired_key_still_counts(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    newer = TrailKeys(KEYS.audit, Ed25519PrivateKey.generate(), retired=(KEYS.public_key,))
    assert read_manifest(tmp_path).is_signed_by(newer)
    assert not read_manifest(tmp_path).is_signed_by(TrailKeys(KEYS.audit, newer.checkpoint))


def test_what_is_signed_is_never_taken_for_anchors(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    with pytest.raises(ValueError):
        parse_anchors("authctl archive\n" + read_manifest(tmp_path).text)


def _content(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda found: change(found["content"])


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["content"]["files"].pop(),
        lambda found: found["content"]["files"][0].update(sha256="00" * 32),
        lambda found: found["content"]["files"][0]["chains"][0].update(last=9),
        lambda found: found["content"].update(unfinished=[]),
        lambda found: found.update(signature="00" * 64),
        lambda found: found.update(key="somebody's"),
    ],
)
def test_a_changed_manifest_is_not_signed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    found = document(tmp_path)
    change(found)
    (tmp_path / MANIFEST).write_bytes(orjson.dumps(found))
    assert not read_manifest(tmp_path).is_signed_by(KEYS)
    with pytest.raises(TrailAltered):
        open_manifest(tmp_path, KEYS, INSTANCE)


@pytest.mark.parametrize("name", ["../app.db", "/etc/passwd", "audit-2026-10.parquet\n", "audit-2026-10-0.parquet", 7])
def test_a_manifest_names_nothing_outside_its_directory(tmp_path: Path, name: Any) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    for change in (
        _content(lambda content: content["files"][0].update(name=name)),
        _content(lambda content: content.update(unfinished=[name])),
    ):
        found = document(tmp_path)
        change(found)
        (tmp_path / MANIFEST).write_bytes(orjson.dumps(found))
        with pytest.raises(StorageDamaged, match="not the manifest"):
            read_manifest(tmp_path)
        write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"content": 1}', b'{"content": {"version": 1}}', b"\xff"])
def test_what_cannot_be_understood_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(StorageDamaged, match="not the manifest"):
        read_manifest(tmp_path)


def test_a_manifest_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(StorageDamaged):
        read_manifest(tmp_path)


def test_a_newer_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(module, "VERSION", 2)
        write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    with pytest.raises(SchemaMismatch, match="version 2"):
        read_manifest(tmp_path)
    with pytest.raises(SchemaMismatch):
        open_manifest(tmp_path, KEYS, INSTANCE)


def test_an_archive_of_another_instance_is_not_changed(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    with pytest.raises(StorageDamaged, match="another instance"):
        open_manifest(tmp_path, KEYS, "another")


def test_an_archive_begins_empty_and_not_beside_files_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(StorageMissing, match="no archive"):
        read_manifest(tmp_path)
    assert open_manifest(tmp_path, KEYS, INSTANCE) == Manifest(INSTANCE)
    (tmp_path / "audit-2026-10.parquet").touch()
    with pytest.raises(StorageDamaged, match=r"manifest\.json is gone"):
        open_manifest(tmp_path, KEYS, INSTANCE)


def test_the_old_manifest_stays_when_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    write_manifest(tmp_path, MANIFEST_OF_TWO, KEYS)
    monkeypatch.setattr(module, "make_durable", fail)
    with pytest.raises(OSError, match="No space"):
        write_manifest(tmp_path, Manifest(INSTANCE), KEYS)
    assert read_manifest(tmp_path).manifest == MANIFEST_OF_TWO
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_names_are_new_whatever_lies_in_the_directory(tmp_path: Path) -> None:
    manifest = Manifest(INSTANCE, (FILE,))
    (tmp_path / "audit-2026-10-2.parquet").touch()
    assert manifest.new_name("2026-10", tmp_path) == "audit-2026-10-3.parquet"
    assert manifest.new_name("2026-11", tmp_path) == "audit-2026-11.parquet"


def test_a_file_takes_the_place_of_another() -> None:
    newer = replace(FILE, name="audit-2026-10-2.parquet")
    changed = replace(MANIFEST_OF_TWO, unfinished=(newer.name,)).with_file(newer, instead_of=FILE.name)
    assert (changed.files, changed.unfinished) == ((newer,), (FILE.name,))
    assert changed.with_file(replace(newer, is_moved=True)).files == (replace(newer, is_moved=True),)


def test_the_columns_are_those_of_the_table() -> None:
    assert NAMES == TABLE_COLUMNS
    assert [column.name for column in COLUMNS] == list(TABLE_COLUMNS)
