"""The file of passkeys: private, whole, locked, and honest about what it is (R-CL-05)."""

from __future__ import annotations

import fcntl
import functools
import json
import operator
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authctl.virtual_authenticator import FileStore, GetAssertionRequest, VirtualAuthenticator
from authctl.virtual_authenticator.credential_store import private_files
from authctl.virtual_authenticator.credential_store.extension_state import NO_EXTENSIONS, ExtensionState, Protection
from authctl.virtual_authenticator.errors import StoreDamaged, StoreNotPrivate, StoreUnusable
from tests.virtual_authenticator.credential_store.test_contract import credential

SIGNER = """
import sys
from authctl.virtual_authenticator import FileStore, GetAssertionRequest, VirtualAuthenticator
authenticator = VirtualAuthenticator(store=FileStore(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    print(authenticator.get_assertion(GetAssertionRequest("localhost", bytes(32))).authenticator_data.sign_count)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "passkeys.json"


@pytest.fixture
def store(path: Path) -> FileStore:
    made = FileStore(path)
    made.add(credential(1))
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_and_its_directory_are_private(store: FileStore) -> None:
    """R-CL-05: 0600 in 0700, whatever the umask says."""
    assert mode(store.path) == 0o600
    assert mode(store.path.parent) == 0o700
    store.count_signature(b"id-1")
    assert mode(store.path) == 0o600


def test_nothing_is_made_when_a_store_is_only_read(path: Path) -> None:
    assert FileStore(path).all() == []
    assert not path.parent.exists()


def test_nothing_but_the_file_remains_after_a_change(store: FileStore) -> None:
    store.count_signature(b"id-1")
    assert list(store.path.parent.iterdir()) == [store.path]


def test_a_directory_that_another_process_makes_meanwhile_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = os.mkdir

    def overtaken(directory: Path, *arguments: Any) -> None:
        make(directory, 0o700)
        make(directory, *arguments)

    monkeypatch.setattr(os, "mkdir", overtaken)
    FileStore(path).add(credential(1))
    assert len(FileStore(path).all()) == 1


def test_nothing_is_written_when_nothing_changed(store: FileStore) -> None:
    before = store.path.stat()
    assert not store.remove(b"unknown")
    assert store.path.stat() == before


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_the_file_is_refused_when_others_may_touch_it(store: FileStore, bits: int) -> None:
    """R-CL-05: refused when group or other can read."""
    store.path.chmod(bits)
    for action in (store.all, lambda: store.count_signature(b"id-1")):
        with pytest.raises(StoreNotPrivate, match="open to other users") as caught:
            action()
        assert "chmod 600" in str(caught.value.hint)


def test_the_file_is_refused_when_it_is_a_symbolic_link(store: FileStore, tmp_path: Path) -> None:
    """R-CL-05."""
    link = tmp_path / "link.json"
    link.symlink_to(store.path)
    for action in (FileStore(link).all, lambda: FileStore(link).add(credential(2))):
        with pytest.raises(StoreNotPrivate, match="symbolic link"):
            action()


def test_the_file_is_refused_when_it_belongs_to_another_user(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-05."""
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(StoreNotPrivate, match="another user"):
        store.all()


@pytest.mark.parametrize(
    "make", [lambda path: path.mkdir(mode=0o700, parents=True), lambda path: os.mkfifo(path, 0o600)]
)
def test_the_file_is_refused_when_it_is_no_regular_file(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "odd"
    make(path)
    with pytest.raises(StoreNotPrivate, match="regular"):
        FileStore(path).all()


def test_the_directory_is_refused_when_others_can_replace_files_in_it(tmp_path: Path) -> None:
    directory = tmp_path / "open"
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(StoreNotPrivate, match="replace files"):
        FileStore(directory / "passkeys.json").add(credential(1))
    directory.chmod(0o1777)
    FileStore(directory / "passkeys.json").add(credential(1))
    assert (directory / "passkeys.json").exists()


def test_the_file_says_that_it_is_for_tests_only(store: FileStore) -> None:
    """R-CL-07, D-16."""
    document = json.loads(store.path.read_bytes())
    assert document["mark"] == "test-only"
    assert document["version"] == 2
    assert "test" in document["note"]


def changed(store: FileStore, **members: Any) -> None:
    document = json.loads(store.path.read_bytes())
    document.update(members)
    store.path.write_text(json.dumps(document))


def test_a_newer_version_is_refused_and_left_alone(store: FileStore) -> None:
    changed(store, version=3)
    before = store.path.read_bytes()
    for action in (store.all, lambda: store.add(credential(2))):
        with pytest.raises(StoreDamaged, match="newer") as caught:
            action()
        assert caught.value.hint == "Update authctl"
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 200_000, b'{"format": "x"}'])
def test_anything_else_is_refused_and_left_alone(store: FileStore, content: bytes) -> None:
    store.path.write_bytes(content)
    with pytest.raises(StoreDamaged) as caught:
        store.add(credential(2))
    assert "move it away" in str(caught.value.hint)
    assert store.path.read_bytes() == content


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("credential_id", 5),
        ("credential_id", "a=="),
        ("rp_id", None),
        ("user_handle", "+"),
        ("algorithm", "ES256"),
        ("algorithm", -999),
        ("private_key", []),
        ("counter", None),
        ("counter", {"policy": "random", "value": 0}),
        ("counter", {"policy": "zero", "value": -1}),
        ("created_at", "yesterday"),
        ("created_at", "2026-01-01T00:00:00"),
        ("sign_count", True),
        ("sign_count", 2**32),
        ("sign_count", "1"),
        ("discoverable", 1),
        ("transports", ["usb", 1]),
    ],
)
def test_a_credential_is_refused_when_one_member_is_wrong(store: FileStore, member: str, value: object) -> None:
    document = json.loads(store.path.read_bytes())
    document["credentials"][0][member] = value
    store.path.write_text(json.dumps(document))
    with pytest.raises(StoreDamaged, match=r"passkeys\.json: The file of passkeys is damaged"):
        store.all()


@pytest.mark.parametrize("members", [{"version": 0}, {"version": None}, {"mark": "production"}, {"credentials": {}}])
def test_the_document_is_refused_when_a_member_is_wrong(store: FileStore, members: dict[str, Any]) -> None:
    changed(store, **members)
    with pytest.raises(StoreDamaged):
        store.all()


def test_no_error_shows_a_private_key(store: FileStore) -> None:
    """R-CL-06."""
    document = json.loads(store.path.read_bytes())
    secret = "c2VjcmV0LXNlY3JldA"
    document["credentials"][0]["private_key"] = secret
    store.path.write_text(json.dumps(document))
    with pytest.raises(StoreDamaged) as caught:
        VirtualAuthenticator(store=store).get_assertion(GetAssertionRequest("localhost", bytes(32)))
    assert secret not in repr((caught.value.detail, caught.value.hint, caught.value.debug, store.all()))
    assert caught.value.__suppress_context__


def test_the_file_is_refused_when_it_is_huge(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_files, "_LARGEST", 100)
    with pytest.raises(StoreUnusable, match="too large"):
        store.all()


def test_the_error_says_so_when_the_file_is_in_use(store: FileStore) -> None:
    waiting = FileStore(store.path, lock_seconds=0.05)
    with store.path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(StoreUnusable, match="in use"):
            waiting.count_signature(b"id-1")
    assert waiting.count_signature(b"id-1") == 1


def test_the_error_names_the_file_when_the_system_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match="cannot be used: Not a directory") as caught:
        FileStore(tmp_path / "file" / "passkeys.json").all()
    assert "--passkeys" in str(caught.value.hint)


def test_the_old_content_stays_and_nothing_is_signed_when_the_disk_is_full(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-CL-05: the counter is stored before the signature is released."""
    before = store.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnusable, match="No space left"):
        VirtualAuthenticator(store=store).get_assertion(GetAssertionRequest("localhost", bytes(32)))
    assert store.path.read_bytes() == before
    assert list(store.path.parent.iterdir()) == [store.path]


def test_the_temporary_file_goes_when_it_cannot_take_the_place(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreUnusable):
        store.count_signature(b"id-1")
    assert list(store.path.parent.iterdir()) == [store.path]


def test_the_file_is_made_anew_when_it_vanishes_under_the_lock(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    vanished: list[int] = []

    def vanish(descriptor: int, operation: int) -> None:
        lock(descriptor, operation)
        if not vanished:
            vanished.append(descriptor)
            store.path.unlink()

    monkeypatch.setattr(fcntl, "flock", vanish)
    store.add(credential(2))
    assert [each.credential_id for each in store.all()] == [b"id-2"]


def test_the_error_says_so_when_the_file_system_has_no_locks(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_locks(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(StoreUnusable, match="No locks available"):
        store.count_signature(b"id-1")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert repr(store) == f"<FileStore {store.path}>"


@pytest.mark.process
def test_counters_strictly_increase_when_processes_share_the_file(store: FileStore) -> None:
    """R-CL-05."""
    command = [sys.executable, "-c", SIGNER, str(store.path), "20"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    counts = [[int(line) for line in output.split()] for output in outputs]
    assert all(each == sorted(each) for each in counts)
    assert sorted(functools.reduce(operator.iadd, counts, [])) == list(range(1, 61))
    assert store.all()[0].sign_count == 60


@pytest.mark.process
def test_one_file_results_when_processes_create_it_together(path: Path) -> None:
    program = (
        "import sys; from authctl.virtual_authenticator import *\n"
        "client = Client(VirtualAuthenticator(store=FileStore(sys.argv[1])), 'http://localhost')\n"
        "client.create({'challenge': 'AQ', 'rp': {'name': 'x'}, 'pubKeyCredParams': [],\n"
        "    'user': {'id': sys.argv[2], 'name': 'x', 'displayName': 'x'}})\n"
    )
    commands = [[sys.executable, "-c", program, str(path), user] for user in ("AQ", "Ag", "Aw")]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert len(FileStore(path).all()) == 3


def test_a_file_of_version_1_is_read_and_becomes_one_of_this_version_with_its_next_change(store: FileStore) -> None:
    document = json.loads(store.path.read_bytes())
    document["version"] = 1
    del document["credentials"][0]["extensions"]
    store.path.write_text(json.dumps(document))
    before = store.path.read_bytes()
    assert store.all()[0].extensions == NO_EXTENSIONS
    assert store.path.read_bytes() == before
    assert store.count_signature(b"id-1") == 1
    document = json.loads(store.path.read_bytes())
    assert document["version"] == 2
    assert document["credentials"][0]["extensions"]["protection"] == 1


def test_what_extensions_keep_comes_back(store: FileStore) -> None:
    state = ExtensionState(Protection.REQUIRED, (b"one", b"two"), has_large_blob=True, large_blob=b"")
    store.add(credential(2, extensions=state))
    assert store.all()[0].extensions == state


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("protection", 4),
        ("protection", "1"),
        ("hmac_secrets", ["AAAA"]),
        ("hmac_secrets", "AAAA"),
        ("has_large_blob", None),
        ("large_blob", 5),
    ],
)
def test_a_credential_is_refused_when_its_extensions_are_wrong(store: FileStore, member: str, value: object) -> None:
    document = json.loads(store.path.read_bytes())
    document["credentials"][0]["extensions"][member] = value
    store.path.write_text(json.dumps(document))
    with pytest.raises(StoreDamaged, match="damaged"):
        store.all()
