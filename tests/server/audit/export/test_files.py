"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from authctl.errors import UsageError
from authctl.server.audit.export.cursor import Cursor, Owner
from authctl.server.audit.export.files import NewFile, replace_file
from authctl.server.audit.export.position_file import PositionFile

if TYPE_CHECKING:
    from pathlib import Path

CURSOR = Cursor.at_the_beginning(Owner("0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11", 1))


def write_and_fail(path: Path, error: BaseException, *, closes: bool = False) -> None:
    with NewFile(path) as file:
        file.write(b"half")
        if closes:
            os.close(file._file.fileno())
        raise error


def test_a_file_appears_under_its_name_when_it_is_published(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with NewFile(path) as file:
        file.write(b"whole")
        file.finish()
        assert not path.exists()
        file.publish()
    assert path.read_bytes() == b"whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_an_older_file_stays_as_it_is_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"older")
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(path, KeyboardInterrupt())
    assert path.read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_is_left_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(tmp_path / "out", b"x")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_even_closing_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_and_fail(tmp_path / "out", KeyError(), closes=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["directory", "symbolic link", "not a regular file"])
def test_other_things_than_files_are_not_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    match kind:
        case "directory":
            path.mkdir()
        case "symbolic link":
            path.symlink_to(tmp_path / "elsewhere")
        case _:
            os.mkfifo(path)
    with pytest.raises(UsageError, match=kind):
        NewFile(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_position_that_could_not_be_kept_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(UsageError, match="Nothing can be written into"):
        PositionFile(tmp_path / "position").read()


def test_a_position_is_kept_from_one_time_to_the_next(tmp_path: Path) -> None:
    file = PositionFile(tmp_path / "position")
    assert file.read() is None
    file.store(CURSOR)
    assert file.read() == CURSOR
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"two\nlines"])
def test_a_file_that_holds_no_cursor_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "position"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"position holds no cursor of `audit export`"):
        PositionFile(path).read()
    assert path.read_bytes() == content
