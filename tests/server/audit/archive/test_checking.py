"""Whoever touches an archive is found out: its files, its manifest, and the rows inside (R-LG-06)."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.errors import StorageDamaged, StorageMissing
from authctl.server.audit.archive.checking import check_archive
from authctl.server.audit.archive.columns import COLUMNS
from authctl.server.audit.archive.copying import digest_of
from authctl.server.audit.archive.manifest import read_manifest, write_manifest
from authctl.server.audit.findings import FindingKind, Report, Status
from authctl.server.audit.keys import TrailKeys
from authctl.server.storage.parquet import ParquetFiles
from tests.server.audit.archive.store import Store, fill
from tests.server.audit.workbench import INSTANCE, KEYS, Site

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.findings import Verdict

pytestmark = pytest.mark.thorough


@pytest.fixture
def archived(store: Store) -> Store:
    """Three months in an archive."""
    store.move()
    return store


def sentences(verdict: Verdict) -> list[str]:
    return [finding.sentence for finding in verdict.findings]


def rewrite(path: Path, sql: str) -> None:
    """What somebody does who knows Parquet."""
    with closing(ParquetFiles()) as files:
        files.attach("t", [path], COLUMNS)
        files.write(path, sql)


def sign_again(store: Store, keys: TrailKeys = KEYS) -> None:
    """What somebody does who has the checkpoint key, or made one."""
    manifest = store.manifest
    files = tuple(
        replace(file, size=path.stat().st_size, sha256=digest_of(path))
        for file in manifest.files
        if (path := store.directory / file.name).exists()
    )
    write_manifest(store.directory, replace(manifest, files=files), keys)


def test_an_archive_that_nobody_touched_is_intact(archived: Store) -> None:
    assert archived.check().status is Status.INTACT
    verdict = archived.verify()
    assert verdict.status is Status.INTACT
    assert verdict.counts.archived == 21


def test_a_flipped_bit_of_a_file_is_found_and_named(archived: Store) -> None:
    path = archived.directory / "audit-2100-02.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    verdict = archived.verify()
    assert verdict.status is Status.ALTERED
    assert f"{path} is not the file that was archived" in sentences(verdict)


@pytest.mark.parametrize("content", [b"", b"no parquet at all", b"PAR1" * 100])
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_verified(archived: Store, content: bytes) -> None:
    path = archived.directory / "audit-2100-02.parquet"
    path.write_bytes(content)
    verdict = archived.verify()
    assert verdict.status is Status.ALTERED
    assert any("7 events of 2100-02 are missing" in sentence for sentence in sentences(verdict))
    assert {finding.kind for finding in verdict.findings} <= {
        FindingKind.ARCHIVE_ALTERED, FindingKind.ARCHIVE_ROWS_MISSING,
    }  # fmt: skip
    assert verdict.counts.archived == 14


def test_a_missing_file_is_named(archived: Store) -> None:
    (archived.directory / "audit-2100-02.parquet").unlink()
    verdict = archived.verify()
    assert verdict.status is Status.ALTERED
    assert any("audit-2100-02.parquet is missing, and 7 events" in sentence for sentence in sentences(verdict))


def test_a_file_in_place_of_another_is_named(archived: Store) -> None:
    shutil.copy(archived.directory / "audit-2100-01.parquet", archived.directory / "audit-2100-02.parquet")
    assert archived.verify().status is Status.ALTERED


def test_a_file_of_another_instance_is_named(archived: Store, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = fill(
        Site(folder, f"sqlite:///{folder / 'app.db'}", type(archived.site.clock)(archived.site.clock.now())), 9
    )
    other.move()
    (name, *_) = [name for name in other.names if name.endswith(".parquet")]
    shutil.copy(other.directory / name, archived.directory / "audit-2100-02.parquet")
    assert archived.verify().status is Status.ALTERED
    other.site.stop()
    stray = archived.directory / "audit-2099-12.parquet"
    shutil.copy(other.directory / name, stray)
    assert f"{stray} is not part of the archive" in sentences(archived.check())


def test_a_changed_manifest_is_named(archived: Store) -> None:
    path = archived.directory / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"rows": 7', b'"rows": 6'))
    assert sentences(archived.check()) == [f"The signature of {path} is wrong"]


def test_a_manifest_signed_with_another_key_is_named(archived: Store) -> None:
    sign_again(archived, TrailKeys(KEYS.audit, Ed25519PrivateKey.generate()))
    assert sentences(archived.check()) == [f"The signature of {archived.directory / 'manifest.json'} is wrong"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * REPLACE (CASE seq WHEN 10 THEN 'x@example.com' ELSE user_email END AS user_email) FROM t",
        "SELECT * REPLACE (CASE seq WHEN 10 THEN 1 - success ELSE success END AS success) FROM t",
        "SELECT * REPLACE (created_at - to_microseconds(CASE seq WHEN 10 THEN 1 ELSE 0 END) AS created_at) FROM t",
        "SELECT * FROM t WHERE seq <> 10",
        "SELECT * REPLACE (CASE seq WHEN 10 THEN 11 WHEN 11 THEN 10 ELSE seq END AS seq) FROM t",
        "SELECT * FROM t UNION ALL SELECT * FROM t WHERE seq = 10",
        "SELECT * REPLACE (CASE seq WHEN 10 THEN NULL ELSE ip_address END AS ip_address) FROM t",
    ],
)
def test_altered_rows_are_found_by_the_chain_even_when_the_manifest_was_signed_again(archived: Store, sql: str) -> None:
    """Whoever stole the checkpoint key, but not the chains' key, is found out row by row."""
    rewrite(archived.directory / "audit-2100-02.parquet", sql)
    sign_again(archived)
    assert archived.check().status is Status.INTACT
    verdict = archived.verify()
    assert verdict.status is Status.ALTERED
    assert {finding.seq for finding in verdict.findings} & {10, 11}
    assert {finding.writer_id for finding in verdict.findings} == {archived.rows[0][14]}


def test_a_file_taken_out_of_the_manifest_too_is_missed_by_the_trail(archived: Store) -> None:
    (archived.directory / "audit-2100-02.parquet").unlink()
    sign_again(archived)
    assert archived.check().status is Status.INTACT
    verdict = archived.verify()
    assert verdict.status is Status.ALTERED
    assert {finding.kind for finding in verdict.findings} == {FindingKind.ARCHIVE_ROWS_MISSING}


def test_an_interrupted_change_is_told(archived: Store) -> None:
    manifest = archived.manifest
    write_manifest(archived.directory, replace(manifest, unfinished=("audit-2100-04.parquet",)), KEYS)
    (archived.directory / "audit-2100-04.parquet").write_bytes(b"half")
    verdict = archived.check()
    assert verdict.status is Status.INTACT
    assert verdict.notes == (f"A change of the archive in {archived.directory} was interrupted: run its command again",)


def test_an_archive_of_another_instance_or_none_cannot_be_verified(archived: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageDamaged, match="another instance"):
        check_archive(archived.directory, KEYS, Report(), instance_id="another")
    with pytest.raises(StorageMissing):
        check_archive(tmp_path, KEYS, Report(), instance_id=INSTANCE)
    assert read_manifest(archived.directory).manifest.instance == INSTANCE
