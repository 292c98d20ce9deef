"""Erases one person from an archive: which rows are about them, and blanking these so that the chain still verifies."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from authctl.server.audit.archive.blanking import Store, blank_file
from authctl.server.audit.archive.columns import COLUMNS
from authctl.server.audit.archive.manifest import only_writer, open_manifest, read_manifest
from authctl.server.audit.erasure import mentions, ranges_of_places
from authctl.server.storage.parquet import ParquetFiles, clear_leftovers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authctl.server.audit.erasure import Subject
    from authctl.server.audit.events import ChainRange
    from authctl.server.audit.keys import TrailKeys

_ABOUT = """
SELECT writer_id, seq, CASE WHEN is_named THEN NULL ELSE details END FROM (
  SELECT *, user_email = $email OR list_contains($ids, user_id) OR list_contains($ids, target_user_id) AS is_about,
    coalesce(is_about, false) AS is_named FROM made)
WHERE salt IS NOT NULL AND NOT (event_type = 'user_erased' AND user_email IS NULL)
  AND (is_named OR ($email <> '' AND event_type IN ('audit_query', 'audit_export')
                    AND contains(lower(details), $email)))
"""


def find_in_archive(directory: Path, subject: Subject) -> tuple[ChainRange, ...]:
    """The rows of an archive about a person that are not blank yet; the event of an erasure has to name them.

    Raises UsageError without the engine, and a StorageError for an archive that cannot be read.
    """
    manifest = read_manifest(directory).manifest
    places, mentioned = [], mentions(subject.email)
    with closing(ParquetFiles()) as files:
        files.attach("made", [directory / file.name for file in manifest.files], COLUMNS)
        params = {"email": subject.email.lower(), "ids": list(subject.ids)}
        for writer_id, seq, details in files.rows(_ABOUT, params):
            if details is None or mentioned.search(details):
                places.append((writer_id, seq))
    return ranges_of_places(places)


def erase_in_archive(directory: Path, keys: TrailKeys, instance_id: str, ranges: Sequence[ChainRange]) -> int:
    """Blanks these rows, as far as the archive has them, once an event that names them is durable; files written anew.

    Whatever is interrupted leaves a readable archive, and is finished by doing it again. Raises as `open_manifest`,
    and Conflict when somebody else is changing the archive.
    """
    store = Store(directory.absolute(), keys)
    written = 0
    with only_writer(directory):
        clear_leftovers(directory)
        manifest = store.discard_unfinished(open_manifest(directory, keys, instance_id))
        for file in manifest.files:
            manifest, changed = blank_file(store, manifest, file, ranges)
            written += changed != file
    return written
