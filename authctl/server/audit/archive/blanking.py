"""Blanks rows of an archive: a file with such rows is written anew, and the old one goes when the new one counts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from authctl.errors import StorageDamaged
from authctl.server.audit.archive.columns import COLUMNS, NAMES
from authctl.server.audit.archive.copying import digest_of
from authctl.server.audit.archive.manifest import write_manifest
from authctl.server.storage.parquet import ParquetFiles, sync_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authctl.server.audit.archive.manifest import ArchiveFile, Manifest
    from authctl.server.audit.events import ChainRange
    from authctl.server.audit.keys import TrailKeys

PERSONAL = ("user_email", "ip_address", "user_agent", "details", "peer_address", "salt")
"""What an erasure empties."""
_LASTING = ", ".join(name for name in NAMES if name not in PERSONAL)
_IS_CHOSEN = "(writer_id, seq) IN (SELECT unnest($writers), unnest($sequences))"
_IS_FULL = " OR ".join(f"{name} IS NOT NULL" for name in PERSONAL)
_COUNT = f"SELECT count(*) FROM made WHERE {_IS_CHOSEN} AND ({_IS_FULL})"  # noqa: S608
_BLANKED = "SELECT {} FROM (SELECT *, {} AS chosen FROM made)".format(  # noqa: S608
    ", ".join(f"CASE WHEN NOT chosen THEN {name} END AS {name}" if name in PERSONAL else name for name in NAMES),
    _IS_CHOSEN,
)
_SUM = f"SELECT count(*), bit_xor(hash({_LASTING})) FROM made"  # noqa: S608


class Store(NamedTuple):
    """Where an archive is, and with which keys its manifest is signed. Whoever has one is the only writer."""

    directory: Path
    keys: TrailKeys

    def keep(self, manifest: Manifest) -> Manifest:
        """Makes this the manifest, durably."""
        write_manifest(self.directory, manifest, self.keys)
        return manifest

    def discard_unfinished(self, manifest: Manifest) -> Manifest:
        """Removes the files that are not part of the archive, or not any more."""
        if not manifest.unfinished:
            return manifest
        for name in manifest.unfinished:
            (self.directory / name).unlink(missing_ok=True)
        sync_directory(self.directory)
        return self.keep(replace(manifest, unfinished=()))


def blank_file(
    store: Store, manifest: Manifest, file: ArchiveFile, ranges: Sequence[ChainRange]
) -> tuple[Manifest, ArchiveFile]:
    """Blanks the rows of these ranges in one file, as far as they are in it; the manifest and the file after that.

    A crash leaves the old file or the new one as part of the archive, and the other named as unfinished.
    """
    chosen = [one for one in ranges if _overlaps(one, file)]
    if not chosen:
        return manifest, file
    places = [(one.writer_id, seq) for one in chosen for seq in range(one.first, one.last + 1)]
    params = {"writers": [writer_id for writer_id, _ in places], "sequences": [seq for _, seq in places]}
    old = store.directory / file.name
    with closing(ParquetFiles(threads=1)) as files:
        files.attach("made", [old], COLUMNS)
        ((count,),) = files.rows(_COUNT, params)
        if not count:
            return manifest, file
        name = manifest.new_name(file.month, store.directory)
        manifest = store.keep(replace(manifest, unfinished=(*manifest.unfinished, name)))
        new = store.directory / name
        expected = list(files.rows(_SUM))
        files.write(new, _BLANKED, params)
        files.attach("made", [new], COLUMNS)
        if list(files.rows(_SUM)) != expected or list(files.rows(_COUNT, params)) != [(0,)]:
            raise StorageDamaged(f"{new} does not hold what was written into it", hint="the disk may be at fault")
    changed = replace(file, name=name, size=new.stat().st_size, sha256=digest_of(new))
    manifest = store.keep(manifest.with_file(changed, instead_of=file.name))
    return store.discard_unfinished(manifest), changed


def _overlaps(one: ChainRange, file: ArchiveFile) -> bool:
    return any(
        one.writer_id == part.writer_id and one.first <= part.last and part.first <= one.last for part in file.chains
    )
