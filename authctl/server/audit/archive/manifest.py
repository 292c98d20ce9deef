"""The manifest of an archive: which files belong to it, what is in each, and the signature over all of that.

It is replaced as a whole, so that a reader sees the archive before a change or after it. A file that is being made or
discarded is named first: whoever finds it after a crash knows that it may go.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from authctl.errors import (
    Conflict,
    Refused,
    SchemaMismatch,
    StorageDamaged,
    StorageMissing,
    TrailAltered,
    UsageError,
)
from authctl.server.storage.parquet import TEMPORARY, make_durable, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.audit.keys import TrailKeys

VERSION = 1
MANIFEST = "manifest.json"
FILE_NAME = re.compile(r"audit-(\d{4}-\d{2})(?:-([1-9]\d*))?\.parquet", re.ASCII)
_LOCK = ".lock"
_DOMAIN = "authctl archive\n"
"""Stands before what is signed, which therefore cannot be taken for the anchors of a row."""
_RESTORE = "restore the archive from a backup"


@dataclass(frozen=True, slots=True)
class ArchivedRange:
    """Rows of one chain in one file, first and last included.

    previous  the MAC of the row before the first one, empty when that row was gone already
    mac       the MAC of the last one
    """

    writer_id: str
    first: int
    last: int
    previous: bytes
    mac: bytes


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One Parquet file; its events are of one month and in the order of time.

    first, last  the times of its first and last event, as SQLite writes them
    is_moved     whether its events have left the table
    """

    name: str
    month: str
    rows: int
    first: str
    last: str
    size: int
    sha256: str
    chains: tuple[ArchivedRange, ...]
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of the archive of one instance.

    files       in the order of their names
    unfinished  names of files that are not part of it, or not any more
    """

    instance: str
    files: tuple[ArchiveFile, ...] = ()
    unfinished: tuple[str, ...] = ()

    def with_file(self, file: ArchiveFile, *, instead_of: str | None = None) -> Manifest:
        """With one more file, or with one that takes the place of another, which then may go."""
        gone = file.name if instead_of is None else instead_of
        files = (*(other for other in self.files if other.name not in (gone, file.name)), file)
        unfinished = tuple(name for name in self.unfinished if name != file.name)
        if instead_of not in (None, file.name):
            unfinished = (*unfinished, str(instead_of))
        return replace(self, files=tuple(sorted(files, key=lambda one: (one.first, one.name))), unfinished=unfinished)

    def new_name(self, month: str, directory: Path) -> str:
        """A name for one more file of a month, which nothing in the directory has."""
        taken = {file.name for file in self.files}
        part = 1
        while True:
            name = f"audit-{month}.parquet" if part == 1 else f"audit-{month}-{part}.parquet"
            if name not in taken and not os.path.lexists(directory / name):
                return name
            part += 1


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest as it was found, with what vouches for it."""

    manifest: Manifest
    text: str
    key: str
    signature: bytes

    def is_signed_by(self, keys: TrailKeys) -> bool:
        """Whether one of our checkpoint keys signed exactly this."""
        return keys.is_signature_valid(self.key, _DOMAIN + self.text, self.signature)


def read_manifest(directory: Path) -> SignedManifest:
    """The manifest of an archive; whether the signature holds is another question.

    Raises StorageMissing where there is no archive, SchemaMismatch when it was written by a newer program,
    StorageDamaged when it cannot be understood.
    """
    path = directory / MANIFEST
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise StorageMissing(f"There is no archive in {directory}", hint="`authctl audit archive` makes one") from None
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unreadable(path, error) from error
    try:
        return _parse(document)
    except _NewerVersion as error:
        detail = f"{path} is of version {error}, this program knows version {VERSION}"
        raise SchemaMismatch(detail, hint="install a newer authctl") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, error) from error


def open_manifest(directory: Path, keys: TrailKeys, instance_id: str) -> Manifest:
    """The manifest of an archive that is about to be changed; an empty one where there is none yet.

    Raises as `read_manifest`, StorageDamaged for that of another instance, TrailAltered when the signature is wrong.
    """
    try:
        found = read_manifest(directory)
    except StorageMissing:
        if any(FILE_NAME.fullmatch(path.name) for path in directory.iterdir()):
            raise StorageDamaged(f"{directory} holds archived events, but {MANIFEST} is gone", hint=_RESTORE) from None
        return Manifest(instance_id)
    if found.manifest.instance != instance_id:
        raise foreign(directory, found.manifest)
    if not found.is_signed_by(keys):
        raise TrailAltered(f"The signature of {directory / MANIFEST} is wrong", hint=_RESTORE)
    return found.manifest


def foreign(directory: Path, manifest: Manifest) -> StorageDamaged:
    """The error for an archive of somebody else's events."""
    return StorageDamaged(
        f"The archive in {directory} belongs to another instance", hint="give each instance a directory of its own",
        debug=f"instance {manifest.instance}",
    )  # fmt: skip


def write_manifest(directory: Path, manifest: Manifest, keys: TrailKeys) -> None:
    """Signs a manifest and puts it in the place of the one that is there; durable when this returns."""
    from authctl.server.audit.keys import fingerprint_of  # questions do without the cryptography behind it

    content = _content(manifest)
    text = _canonical(content)
    public = keys.public_key
    signature = keys.sign(_DOMAIN + text)
    document = {
        "content": content, "key": fingerprint_of(public), "public_key": public.hex(), "signature": signature.hex(),
    }  # fmt: skip
    fd, name = tempfile.mkstemp(prefix=TEMPORARY, dir=directory)
    os.close(fd)
    path = Path(name)
    try:
        path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        make_durable(path)
        path.replace(directory / MANIFEST)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_directory(directory)


@contextmanager
def only_writer(directory: Path) -> Iterator[None]:
    """Keeps others from changing the archive meanwhile. Raises Conflict when somebody is at it."""
    fd = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"Another command is changing the archive in {directory}", hint="try again later") from None
        yield
    finally:
        os.close(fd)


def make_directory(directory: Path) -> None:
    """Makes the directory of an archive, for its owner alone.

    Raises UsageError when something else is in the place, Refused when others may enter it.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is not a directory", hint="an archive is a directory of its own")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_mode & 0o077:
        raise Refused(f"Others may enter {directory}", hint=f"chmod 700 {directory}")


class _NewerVersion(Exception):
    pass


def _unreadable(path: Path, error: Exception) -> StorageDamaged:
    return StorageDamaged(f"{path} is not the manifest of an archive", hint=_RESTORE, debug=repr(error))


def _canonical(content: dict[str, Any]) -> str:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def _content(manifest: Manifest) -> dict[str, Any]:
    return {
        "version": VERSION,
        "instance": manifest.instance,
        "unfinished": list(manifest.unfinished),
        "files": [
            {
                "name": file.name, "month": file.month, "rows": file.rows, "first": file.first, "last": file.last,
                "size": file.size, "sha256": file.sha256, "moved": file.is_moved,
                "chains": [
                    {"writer": r.writer_id, "first": r.first, "last": r.last, "previous": r.previous.hex(),
                     "mac": r.mac.hex()}
                    for r in file.chains
                ],
            }
            for file in manifest.files
        ],
    }  # fmt: skip


def _parse(document: dict[str, Any]) -> SignedManifest:
    content = document["content"]
    version = int(content["version"])
    if version > VERSION:
        raise _NewerVersion(version)
    files = tuple(_parse_file(file) for file in content["files"])
    manifest = Manifest(str(content["instance"]), files, tuple(_name(name) for name in content["unfinished"]))
    return SignedManifest(manifest, _canonical(content), str(document["key"]), bytes.fromhex(document["signature"]))


def _parse_file(file: dict[str, Any]) -> ArchiveFile:
    return ArchiveFile(
        name=_name(file["name"]),
        month=str(file["month"]),
        rows=int(file["rows"]),
        first=str(file["first"]),
        last=str(file["last"]),
        size=int(file["size"]),
        sha256=str(file["sha256"]),
        is_moved=bool(file["moved"]),
        chains=tuple(
            ArchivedRange(
                str(r["writer"]), int(r["first"]), int(r["last"]), bytes.fromhex(r["previous"]), bytes.fromhex(r["mac"])
            )
            for r in file["chains"]
        ),
    )


def _name(name: Any) -> str:
    """A name in the directory and nowhere else."""
    if not isinstance(name, str) or not FILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an archive's file")
    return name
