"""Checks an archive against its manifest, and the manifest against its signature. The rows are the verifier's part."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from authctl.errors import StorageDamaged
from authctl.server.audit.archive.columns import COLUMNS
from authctl.server.audit.archive.copying import digest_of, read_fingerprint
from authctl.server.audit.archive.manifest import FILE_NAME, MANIFEST, foreign, read_manifest
from authctl.server.audit.findings import FindingKind
from authctl.server.storage.parquet import ParquetFiles

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.server.audit.archive.manifest import ArchiveFile, Manifest
    from authctl.server.audit.findings import Report
    from authctl.server.audit.keys import TrailKeys


def check_archive(directory: Path, keys: TrailKeys, report: Report, *, instance_id: str) -> frozenset[str]:
    """Finds what is not as the manifest says; the names of the files that cannot be read, to be skipped.

    Raises UsageError without the engine, and a StorageError for an archive of another instance, of a newer version,
    or without a manifest that can be understood.
    """
    found = read_manifest(directory)
    manifest = found.manifest
    if manifest.instance != instance_id:
        raise foreign(directory, manifest)
    if not found.is_signed_by(keys):
        _add(report, f"The signature of {directory / MANIFEST} is wrong")
    _look_around(directory, manifest, report)
    return frozenset(file.name for file in manifest.files if not _is_readable(directory, file, report))


def _look_around(directory: Path, manifest: Manifest, report: Report) -> None:
    known = {*(file.name for file in manifest.files), *manifest.unfinished}
    for path in sorted(directory.iterdir()):
        if FILE_NAME.fullmatch(path.name) and path.name not in known:
            _add(report, f"{path} is not part of the archive")
    if manifest.unfinished or not all(file.is_moved for file in manifest.files):
        report.notes.append(f"A change of the archive in {directory} was interrupted: run its command again")


def _is_readable(directory: Path, file: ArchiveFile, report: Report) -> bool:
    path = directory / file.name
    if not path.is_file():
        _add(report, f"{path} is missing, and {file.rows} events of {file.month} with it")
        return False
    if (path.stat().st_size, digest_of(path)) == (file.size, file.sha256):
        return True
    _add(report, f"{path} is not the file that was archived")
    with closing(ParquetFiles()) as files:
        try:
            files.attach("made", [path], COLUMNS)
            read_fingerprint(files)
        except StorageDamaged as error:
            _add(report, f"{error.detail}, so that {file.rows} events of {file.month} are missing")
            return False
    return True


def _add(report: Report, sentence: str) -> None:
    report.add(FindingKind.ARCHIVE_ALTERED, "", 0, None, sentence)
