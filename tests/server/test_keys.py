"""Keys are made once, kept private, and refused when they are weak, lost or open to others."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authctl.errors import SettingsError
from authctl.server import key_directory
from authctl.server.keys import Keys, load_keys
from authctl.settings import load_settings

if TYPE_CHECKING:
    from authctl.settings import Settings

FILES = {"instance_id", "jwt.key", "audit.key", "decoy.key", "checkpoint.pem"}


def pem(key: Any) -> str:
    """The unencrypted PKCS#8 PEM of a private key."""
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def settings_in(cwd: Path, **environ: str) -> Settings:
    """Settings whose key directory is `cwd/app.keys`."""
    return load_settings(environ=environ, cwd=cwd)


def given(**changes: str) -> dict[str, str]:
    """Every key, as an operator gives them."""
    return {
        "JWT_SECRET": secrets.token_urlsafe(32),
        "AUDIT_KEY": secrets.token_urlsafe(32),
        "DECOY_KEY": secrets.token_urlsafe(32),
        "CHECKPOINT_KEY": pem(ed25519.Ed25519PrivateKey.generate()),
        **changes,
    }


def problems(settings: Settings, *, create: bool = True) -> tuple[str, ...]:
    """What load_keys complains about, which has to be something."""
    with pytest.raises(SettingsError) as caught:
        load_keys(settings, create=create)
    assert caught.value.hint is None or caught.value.hint
    return caught.value.problems


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


class TestCreating:
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    def test_first_start_makes_private_random_keys_whatever_the_umask(self, tmp_path: Path, umask: int) -> None:
        """R-CF-01."""
        before = os.umask(umask)
        try:
            keys = load_keys(settings_in(tmp_path))
        finally:
            os.umask(before)
        directory = tmp_path / "app.keys"
        assert mode(directory) == 0o700
        assert {path.name for path in directory.iterdir()} == FILES | {".lock"}
        assert {mode(path) for path in directory.iterdir()} == {0o600}
        assert len(keys.audit) == len(keys.decoy) == 43
        assert len({keys.audit, keys.decoy, keys.jwt.signing}) == 3
        assert uuid.UUID(keys.instance_id).version == 4

    def test_second_start_uses_the_same_keys(self, tmp_path: Path) -> None:
        """R-CF-01."""
        first, second = load_keys(settings_in(tmp_path)), load_keys(settings_in(tmp_path), create=False)
        assert second.instance_id == first.instance_id
        assert second.fingerprints() == first.fingerprints()
        assert second.jwt.kid == first.jwt.kid

    def test_two_directories_hold_different_keys(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        one, other = load_keys(settings_in(tmp_path / "a")), load_keys(settings_in(tmp_path / "b"))
        assert not set(one.fingerprints().values()) & set(other.fingerprints().values())
        assert one.instance_id != other.instance_id

    def test_nothing_is_created_when_it_is_not_allowed(self, tmp_path: Path) -> None:
        (found,) = problems(settings_in(tmp_path), create=False)
        assert "holds no keys and none are given" in found
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_created_when_the_parent_is_missing(self, tmp_path: Path) -> None:
        (found,) = problems(settings_in(tmp_path, KEY_DIR="no/such/place"))
        assert found.endswith("cannot be created: No such file or directory")

    def test_creation_is_finished_when_a_crash_interrupted_it(self, tmp_path: Path) -> None:
        """The instance id is written last: without it the rest is completed, and kept."""
        first = load_keys(settings_in(tmp_path))
        directory = tmp_path / "app.keys"
        (directory / "instance_id").unlink()
        (directory / "decoy.key").unlink()
        (directory / ".decoy.key.new").write_text("half a k")
        second = load_keys(settings_in(tmp_path))
        assert second.audit == first.audit
        assert second.decoy != first.decoy
        assert second.instance_id != first.instance_id
        assert not (directory / ".decoy.key.new").exists()

    def test_files_are_synchronised_before_they_get_their_names(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """D-6: exclusive create, fsync, rename, fsync of the directory."""
        synchronised: list[str] = []

        def fsync(descriptor: int) -> None:
            synchronised.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

        monkeypatch.setattr(os, "fsync", fsync)
        load_keys(settings_in(tmp_path))
        directory = tmp_path / "app.keys"
        files = [str(directory / f".{name}.new") for name in FILES]
        assert sorted(synchronised[:5]) == sorted(files)
        assert synchronised[4].endswith(".instance_id.new")
        assert synchronised[5:] == [str(directory), str(tmp_path)]

    def test_nothing_is_made_again_when_another_process_was_faster(self, tmp_path: Path) -> None:
        directory = key_directory.KeyDirectory(tmp_path / "keys", "last")
        directory.create({"last": lambda: "mine"})
        directory.create({"last": lambda: "yours", "more": lambda: "yours"})
        assert directory.read("last") == "mine"
        assert not (tmp_path / "keys" / "more").exists()

    @pytest.mark.process
    def test_processes_that_start_at_once_agree_on_the_keys(self, tmp_path: Path) -> None:
        """R-CF-01: no process sees, or makes, another set."""
        code = (
            "from pathlib import Path; import sys; from authctl.settings import load_settings;"
            "from authctl.server.keys import load_keys;"
            "keys = load_keys(load_settings(environ={}, cwd=Path(sys.argv[1])));"
            "print(keys.instance_id, sorted(keys.fingerprints().items()))"
        )
        command = [sys.executable, "-c", code, str(tmp_path)]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        answers = {process.communicate(timeout=60)[0] for process in started}
        assert [process.returncode for process in started] == [0] * 6
        assert len(answers) == 1
        assert load_keys(settings_in(tmp_path)).instance_id in answers.pop()


class TestRefusing:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        """A complete key directory."""
        load_keys(settings_in(tmp_path))
        return tmp_path / "app.keys"

    @pytest.mark.parametrize("name", sorted(FILES))
    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o606, 0o610])
    def test_file_is_refused_when_others_could_read_or_change_it(self, directory: Path, name: str, bits: int) -> None:
        """R-CF-01."""
        (directory / name).chmod(bits)
        (found,) = problems(settings_in(directory.parent))
        assert found == f"KEY_DIR: {directory / name} is open to other users; chmod 600 it"

    @pytest.mark.parametrize("bits", [0o750, 0o705, 0o770, 0o755, 0o1777])
    def test_directory_is_refused_when_others_could_look_into_it(self, directory: Path, bits: int) -> None:
        """R-CF-01."""
        directory.chmod(bits)
        (found,) = problems(settings_in(directory.parent))
        directory.chmod(0o700)
        assert found == f"KEY_DIR: {directory} is open to other users; chmod 700 it"

    @pytest.mark.parametrize("name", sorted(FILES))
    def test_file_is_refused_when_it_is_a_link(self, directory: Path, name: str) -> None:
        """R-CF-01."""
        (directory / name).rename(directory / "elsewhere")
        (directory / name).symlink_to(directory / "elsewhere")
        (found,) = problems(settings_in(directory.parent))
        assert found == f"KEY_DIR: {directory / name} is a symbolic link"

    @pytest.mark.parametrize("name", sorted(FILES))
    def test_file_is_refused_when_it_is_a_pipe(self, directory: Path, name: str) -> None:
        (directory / name).unlink()
        os.mkfifo(directory / name, 0o600)
        (found,) = problems(settings_in(directory.parent))
        assert found == f"KEY_DIR: {directory / name} is not a regular file"

    @pytest.mark.parametrize("name", sorted(FILES - {"instance_id"}))
    def test_file_is_refused_when_it_is_missing_from_a_complete_directory(self, directory: Path, name: str) -> None:
        """D-6: a lost key is not replaced without a word."""
        (directory / name).unlink()
        (found,) = problems(settings_in(directory.parent))
        assert found == f"KEY_DIR: {directory / name} is missing"
        assert not (directory / name).exists()

    @pytest.mark.parametrize("name", sorted(FILES))
    @pytest.mark.parametrize("content", [b"", b"\n", b" \n"])
    def test_file_is_refused_when_it_is_empty(self, directory: Path, name: str, content: bytes) -> None:
        """R-CF-01."""
        (directory / name).write_bytes(content)
        (found,) = problems(settings_in(directory.parent))
        assert found == f"KEY_DIR: {directory / name} is empty"

    @pytest.mark.parametrize("name", ["audit.key", "decoy.key", "jwt.key"])
    @pytest.mark.parametrize(
        ("content", "said"),
        [(b"brief\n", "is shorter than 32 bytes"), (b"k" * 43, "is too regular"), (b"changeme" * 8, "placeholder")],
    )
    def test_file_is_refused_when_its_key_is_weak(self, directory: Path, name: str, content: bytes, said: str) -> None:
        """R-CF-01, R-TK-06."""
        (directory / name).write_bytes(content)
        (found,) = problems(settings_in(directory.parent))
        assert str(directory / name) in found
        assert said in found
        assert content.decode().strip() not in found

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("audit.key", b"\xff" * 40, "is not a key file"),
            ("audit.key", b"A1b2C3d4E5" * 7000, "is not a key file"),
            ("checkpoint.pem", b"no key", "CHECKPOINT_KEY has to be an unencrypted PEM file with an Ed25519"),
            ("instance_id", b"not a uuid", "does not hold an instance id"),
            ("jwt.key", b'{"kty": "oct", "k": "%s"}', "key document"),
        ],
    )
    def test_file_is_refused_when_it_holds_something_else(
        self, directory: Path, name: str, content: bytes, said: str
    ) -> None:
        (directory / name).write_bytes(content.replace(b"%s", secrets.token_hex(16).encode()))
        (found,) = problems(settings_in(directory.parent))
        assert said in found

    def test_everything_is_refused_when_it_belongs_to_another_user(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R-CF-01."""
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        (found,) = problems(settings_in(directory.parent))
        assert found == f"KEY_DIR: {directory} belongs to another user (uid {owner}); run as that user"
        monkeypatch.setattr(key_directory.KeyDirectory, "check", lambda _: None)
        found_in_files = problems(settings_in(directory.parent))
        assert len(found_in_files) == 5
        assert all(f"belongs to another user (uid {owner})" in said for said in found_in_files)

    def test_directory_is_refused_when_it_is_a_link_or_a_file(self, directory: Path) -> None:
        """R-CF-01."""
        cwd = directory.parent
        (cwd / "link").symlink_to(directory)
        (cwd / "file").write_text("x")
        assert problems(settings_in(cwd, KEY_DIR="link")) == (
            f"KEY_DIR: {cwd / 'link'} is not a directory, or a symbolic link to one",
        )
        assert problems(settings_in(cwd, KEY_DIR="file")) == (f"KEY_DIR {cwd / 'file'} cannot be created: File exists",)

    def test_empty_directory_is_refused_when_others_could_look_into_it(self, tmp_path: Path) -> None:
        (tmp_path / "app.keys").mkdir()
        (tmp_path / "app.keys").chmod(0o755)
        (found,) = problems(settings_in(tmp_path))
        assert found.endswith("is open to other users; chmod 700 it")
        assert list((tmp_path / "app.keys").iterdir()) == []

    def test_all_problems_are_told_at_once(self, directory: Path) -> None:
        """R-CF-03."""
        (directory / "audit.key").chmod(0o644)
        (directory / "decoy.key").write_text("short")
        (directory / "jwt.key").unlink()
        (directory / "checkpoint.pem").write_text(pem(ec.generate_private_key(ec.SECP256R1())))
        (directory / "instance_id").write_text("x")
        assert len(problems(settings_in(directory.parent))) == 5

    def test_directory_is_refused_when_it_vanishes_between_two_looks(self, directory: Path) -> None:
        found = key_directory.KeyDirectory(directory / "gone", "x")
        with pytest.raises(key_directory.NotPrivate, match="is missing"):
            found.check()


class TestGiven:
    def test_no_directory_is_needed_when_every_key_is_given(self, tmp_path: Path) -> None:
        environ = given()
        keys = load_keys(settings_in(tmp_path, **environ))
        assert keys.audit == environ["AUDIT_KEY"].encode()
        assert keys.decoy == environ["DECOY_KEY"].encode()
        assert keys.jwt.signing == environ["JWT_SECRET"].encode()
        assert pem(keys.checkpoint) == environ["CHECKPOINT_KEY"]
        assert list(tmp_path.iterdir()) == []

    def test_instances_with_the_same_keys_have_the_same_name(self, tmp_path: Path) -> None:
        environ = given()
        (tmp_path / "b").mkdir()
        one, other = load_keys(settings_in(tmp_path, **environ)), load_keys(settings_in(tmp_path / "b", **environ))
        assert one.instance_id == other.instance_id
        assert one.fingerprints() == other.fingerprints()
        assert load_keys(settings_in(tmp_path, **given())).instance_id != one.instance_id

    def test_instance_keeps_its_name_when_its_keys_are_given_later(self, tmp_path: Path) -> None:
        generated = load_keys(settings_in(tmp_path))
        environ = {
            "JWT_SECRET_FILE": "app.keys/jwt.key",
            "AUDIT_KEY_FILE": "app.keys/audit.key",
            "DECOY_KEY_FILE": "app.keys/decoy.key",
            "CHECKPOINT_KEY_FILE": "app.keys/checkpoint.pem",
        }
        moved = load_keys(settings_in(tmp_path, **environ))
        assert moved.fingerprints() == generated.fingerprints()
        assert moved.instance_id == generated.instance_id

    def test_given_key_wins_when_there_is_a_generated_one(self, tmp_path: Path) -> None:
        generated = load_keys(settings_in(tmp_path))
        environ = given()
        mixed = load_keys(settings_in(tmp_path, JWT_SECRET=environ["JWT_SECRET"]))
        assert mixed.jwt.signing == environ["JWT_SECRET"].encode()
        assert mixed.audit == generated.audit
        assert mixed.instance_id == generated.instance_id

    def test_production_starts_with_given_keys_alone(self, tmp_path: Path) -> None:
        """D-6."""
        environ = given(ENVIRONMENT="production", RP_ID="example.com", ORIGIN="https://example.com")
        keys = load_keys(settings_in(tmp_path, **environ))
        assert keys.instance_id
        assert list(tmp_path.iterdir()) == []

    def test_production_creates_nothing_when_a_key_is_missing(self, tmp_path: Path) -> None:
        """D-6: also when somebody made the settings without their checks."""
        settings = settings_in(tmp_path).model_copy(update={"environment": "production"})
        (found,) = problems(settings)
        assert "holds no keys" in found
        assert list(tmp_path.iterdir()) == []

    def test_private_key_signs_tokens_when_the_algorithm_asks_for_it(self, tmp_path: Path) -> None:
        key = pem(ec.generate_private_key(ec.SECP256R1()))
        keys = load_keys(settings_in(tmp_path, JWT_ALGORITHM="ES256", JWT_PRIVATE_KEY=key))
        assert keys.jwt.algorithm == "ES256"
        assert pem(keys.jwt.signing) == key
        assert keys.fingerprints()["jwt"] != load_keys(settings_in(tmp_path)).fingerprints()["jwt"]

    def test_private_key_is_refused_by_name_when_it_does_not_fit(self, tmp_path: Path) -> None:
        for key in (pem(ed25519.Ed25519PrivateKey.generate()), "no key at all"):
            (found,) = problems(settings_in(tmp_path, JWT_ALGORITHM="ES256", JWT_PRIVATE_KEY=key))
            assert found.startswith("JWT_PRIVATE_KEY has to be")
            assert key not in found

    def test_given_keys_are_refused_together_when_they_are_no_keys(self, tmp_path: Path) -> None:
        settings = settings_in(tmp_path, **given(CHECKPOINT_KEY="no key at all"))
        weak = settings.model_copy(update={"audit_key": settings.checkpoint_key})
        assert problems(weak) == (
            "AUDIT_KEY is shorter than 32 bytes",
            "CHECKPOINT_KEY has to be an unencrypted PEM file with an Ed25519 private key",
        )


def test_no_key_appears_when_keys_are_printed(tmp_path: Path) -> None:
    """R-LG-05."""
    keys: Keys = load_keys(settings_in(tmp_path))
    assert isinstance(keys.jwt.signing, bytes)
    shown = repr(keys) + str(keys) + repr(keys.fingerprints())
    assert keys.instance_id in shown
    hidden = [keys.audit.decode(), keys.decoy.decode(), keys.jwt.signing.decode(), pem(keys.checkpoint)]
    assert not [key for key in hidden if key in shown]
    assert sorted(keys.fingerprints()) == ["audit", "checkpoint", "decoy", "jwt"]
