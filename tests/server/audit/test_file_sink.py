"""The file is private, append-only, shared, and looked at before every write."""

from __future__ import annotations

import fcntl
import gzip
import os
import stat
from typing import TYPE_CHECKING

import pytest

from authctl.errors import AuditUnavailable
from authctl.server.audit.copies import find_copied_size
from authctl.server.audit.file_sink import AuditFile, Change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def file(path: Path) -> Iterator[AuditFile]:
    """A file in which a line was written."""
    opened = AuditFile(path)
    write(opened, b"one\n")
    yield opened
    opened.close()


def write(file: AuditFile, data: bytes) -> Change | None:
    file.acquire(0)
    change = file.take_change()
    file.append(data)
    file.release()
    return change


def test_a_new_file_is_private_whatever_the_umask(path: Path) -> None:
    """R-LG-07."""
    before = os.umask(0)
    try:
        write(AuditFile(path), b"one\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_are_appended_to_what_is_there(path: Path, file: AuditFile) -> None:
    other = AuditFile(path)
    write(other, b"two\n")
    assert write(file, b"three\nfour\n") is None
    assert path.read_bytes() == b"one\ntwo\nthree\nfour\n"
    assert file.first_line() == b"one"
    assert file.is_all_ours
    other.acquire(0)
    assert not other.is_all_ours
    other.close()


def refuse(path: Path) -> str:
    with pytest.raises(AuditUnavailable) as caught:
        AuditFile(path).acquire(0)
    assert caught.value.hint is not None
    return caught.value.hint


def test_a_file_is_refused_when_it_is_a_symbolic_link(path: Path, tmp_path: Path) -> None:
    """R-LG-07."""
    (tmp_path / "target").touch(0o600)
    path.symlink_to(tmp_path / "target")
    assert refuse(path) == f"the audit file {path} is a symbolic link"


def test_a_file_is_refused_when_it_is_a_pipe_or_a_directory(path: Path) -> None:
    """F-08."""
    os.mkfifo(path, 0o600)
    assert refuse(path).endswith("is not a regular file")
    path.unlink()
    path.mkdir()
    assert "Is a directory" in refuse(path)


def test_a_file_is_refused_when_others_can_read_it(path: Path) -> None:
    """R-LG-07."""
    path.touch(0o600)
    path.chmod(0o640)
    assert "can be read by others (mode 0640)" in refuse(path)


def test_a_file_is_refused_when_it_belongs_to_another_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-LG-07; the other user is played by ourselves, since tests do not always run as root."""
    path.touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "belongs to another user" in refuse(path)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    assert "No such file or directory" in refuse(tmp_path / "none" / "app.log")


def test_a_deleted_file_is_noticed_at_the_next_write(path: Path, file: AuditFile) -> None:
    """R-LG-07, F-08."""
    path.unlink()
    assert write(file, b"two\n") is Change.DELETED
    assert path.read_bytes() == b"two\n"
    assert write(file, b"three\n") is None


def test_a_replaced_file_is_noticed_at_the_next_write(path: Path, file: AuditFile) -> None:
    path.with_name("new").touch(0o600)
    path.with_name("new").replace(path)
    assert write(file, b"two\n") is Change.REPLACED


def test_a_renamed_file_is_a_rotation(path: Path, file: AuditFile) -> None:
    """R-LG-08."""
    path.rename(path.with_name("app.log.1"))
    assert write(file, b"two\n") is Change.ROTATED
    assert path.read_bytes() == b"two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [0, 2])
def test_a_truncated_file_is_noticed_at_the_next_write(path: Path, file: AuditFile, size: int) -> None:
    os.truncate(path, size)
    assert write(file, b"two\n") is Change.TRUNCATED
    assert path.read_bytes() == b"two\n"


def test_a_truncated_file_is_noticed_when_it_has_grown_again(path: Path, file: AuditFile) -> None:
    os.truncate(path, 0)
    write(AuditFile(path), b"another, much longer line\n")
    assert write(file, b"two\n") is Change.TRUNCATED


def test_changed_permissions_are_mended_and_noticed(path: Path, file: AuditFile) -> None:
    """F-08: chmod 000."""
    path.chmod(0o000)
    assert write(file, b"two\n") is Change.PERMISSIONS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"one\ntwo\n"


def test_the_worst_change_is_told_and_told_once(path: Path, file: AuditFile) -> None:
    path.chmod(0o644)
    os.truncate(path, 0)
    file.acquire(0)
    assert file.take_change() is Change.TRUNCATED
    assert file.take_change() is None


def test_a_change_is_told_when_the_file_cannot_be_opened_again(path: Path, file: AuditFile, tmp_path: Path) -> None:
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditUnavailable):
        file.acquire(0)
    assert file.take_change() is Change.REPLACED
    with pytest.raises(AuditUnavailable):
        file.acquire(0)
    assert file.take_change() is None


@pytest.mark.parametrize("torn", [b"half", b"h" * 200_000, b"half\rline\x00\x00"])
def test_a_torn_last_line_is_cut_off_when_the_file_is_opened(path: Path, torn: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(b"one\n" + torn)
    write(AuditFile(path), b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_file_that_is_one_torn_line_becomes_empty(path: Path) -> None:
    path.touch(0o600)
    path.write_bytes(b"half")
    write(AuditFile(path), b"two\n")
    assert path.read_bytes() == b"two\n"


def test_the_lock_is_waited_for_and_no_longer_than_allowed(path: Path, file: AuditFile) -> None:
    fd = os.open(path, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(AuditUnavailable):
        file.acquire(0.002)
    os.close(fd)
    assert write(file, b"two\n") is None


def test_nothing_is_left_of_a_write_that_came_through_in_part(
    path: Path, file: AuditFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-03, F-08: the disk fills up."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:2]))
    file.acquire(0)
    with pytest.raises(AuditUnavailable) as caught:
        file.append(b"two\n")
    assert "No space left" in str(caught.value.hint)
    monkeypatch.undo()
    assert path.read_bytes() == b"one\n"
    file.append(b"three\n")
    assert path.read_bytes() == b"one\nthree\n"


def test_what_was_not_committed_is_taken_back(path: Path, file: AuditFile) -> None:
    file.acquire(0)
    size = file.size
    file.append(b"two\n", durable=True)
    file.cut(size)
    file.release()
    assert path.read_bytes() == b"one\n"
    assert write(file, b"three\n") is None


def test_lines_come_backward_with_their_offsets(path: Path) -> None:
    lines = [b"", b"a", b"b" * 70_000, b"c", b"d" * 140_000, b"e"]
    path.touch(0o600)
    path.write_bytes(b"\n".join(lines) + b"\n")
    file = AuditFile(path)
    file.acquire(0)
    found = list(file.lines_backward())
    assert [line for _, line in found] == lines[::-1]
    data = path.read_bytes()
    assert all(data[offset : offset + len(line) + 1] == line + b"\n" for offset, line in found)
    file.close()


def test_a_copy_is_known_by_its_first_line(path: Path, tmp_path: Path) -> None:
    """R-LG-08."""
    path.write_bytes(b"")
    (tmp_path / "app.log.2").write_bytes(b"other\nlines\n")
    (tmp_path / "app.log.1").write_bytes(b"one\ntwo\n")
    (tmp_path / "app.log.3").symlink_to(tmp_path / "app.log.1")
    (tmp_path / "app.logs").write_bytes(b"one\n")
    assert find_copied_size(path, b"one") == 8
    assert find_copied_size(path, b"two") is None
    assert find_copied_size(path, b"") is None


def test_a_copy_is_known_when_it_was_compressed_at_once(path: Path, tmp_path: Path) -> None:
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"one\ntwo\nthree\n"))
    (tmp_path / "app.log.2.gz").write_bytes(b"not compressed at all")
    assert find_copied_size(path, b"one") == 14


def test_a_copy_is_passed_over_when_it_vanishes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.log-1").write_bytes(b"one\ntwo\n")

    def vanish(*args: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(os, "open", vanish)
    assert find_copied_size(path, b"one") is None
