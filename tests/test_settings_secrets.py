"""Secrets come from files, are never shown, and are refused when they are weak."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from typing import TYPE_CHECKING

import pytest

from authctl.errors import SettingsError
from authctl.settings import describe, load_settings, rules, settings_warnings, sources

if TYPE_CHECKING:
    from pathlib import Path

STRONG = secrets.token_urlsafe(32)
OTHER = secrets.token_urlsafe(32)


def problems(cwd: Path, environ: dict[str, str]) -> tuple[str, ...]:
    """What load_settings complains about, which has to be something."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, cwd=cwd)
    return caught.value.problems


def private_file(path: Path, content: str | bytes = STRONG) -> str:
    """A 0600 file with the content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return str(path)


class TestFiles:
    @pytest.mark.parametrize("name", ["JWT_SECRET", "JWT_PRIVATE_KEY", "AUDIT_KEY", "DECOY_KEY", "CHECKPOINT_KEY"])
    def test_secret_is_read_from_its_file_without_a_warning_when_the_file_is_private(
        self, tmp_path: Path, name: str
    ) -> None:
        """R-CF-02."""
        environ = {f"{name}_FILE": private_file(tmp_path / "key", f"{STRONG}\n"), "JWT_ALGORITHM": "HS256"}
        settings = load_settings(environ=environ, cwd=tmp_path)
        assert getattr(settings, name.lower()).get_secret_value() == STRONG
        assert {row.name: row.source for row in describe(settings)}[name] == f"environment ({name}_FILE)"
        assert not [said for said in settings_warnings(settings) if "environment" in said or "read by" in said]

    def test_address_of_the_database_is_read_from_its_file(self, tmp_path: Path) -> None:
        url = "postgresql+psycopg://u:pw@db/x"
        settings = load_settings(environ={"DATABASE_URL_FILE": private_file(tmp_path / "url", url)}, cwd=tmp_path)
        assert settings.database_url == url
        assert settings_warnings(settings) == ()

    def test_file_is_found_beside_dotenv_when_its_path_is_relative(self, tmp_path: Path) -> None:
        private_file(tmp_path / "key")
        (tmp_path / ".env").write_text("JWT_SECRET_FILE=key\n")
        settings = load_settings(environ={}, cwd=tmp_path)
        assert settings.jwt_secret is not None
        assert settings.jwt_secret.get_secret_value() == STRONG

    def test_environment_wins_when_dotenv_names_a_file_for_the_same_secret(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("JWT_SECRET_FILE=missing\n")
        settings = load_settings(environ={"JWT_SECRET": STRONG}, cwd=tmp_path)
        assert settings.jwt_secret is not None

    def test_secret_is_refused_when_value_and_file_are_both_given(self, tmp_path: Path) -> None:
        environ = {"JWT_SECRET": STRONG, "JWT_SECRET_FILE": private_file(tmp_path / "key")}
        assert problems(tmp_path, environ) == ("JWT_SECRET and JWT_SECRET_FILE are both set in environment; keep one",)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"x" * 65_537, "is larger than 64 KB"),
            (b"\xff" * 40, "is not UTF-8 text"),
            (b"", "JWT_SECRET is empty"),
            (b"\n", "JWT_SECRET is empty"),
            (b"short\n", "JWT_SECRET is shorter than 32 bytes"),
        ],
    )
    def test_file_is_refused_when_its_content_is_no_key(self, tmp_path: Path, content: bytes, said: str) -> None:
        (found,) = problems(tmp_path, {"JWT_SECRET_FILE": private_file(tmp_path / "key", content)})
        assert said in found

    def test_file_is_refused_when_it_cannot_be_opened(self, tmp_path: Path) -> None:
        assert problems(tmp_path, {"JWT_SECRET_FILE": "missing", "AUDIT_KEY_FILE": str(tmp_path)}) == (
            "JWT_SECRET_FILE: 'missing' cannot be read: No such file or directory",
            f"AUDIT_KEY_FILE: '{tmp_path}' cannot be read: Is a directory",
        )

    def test_file_earns_a_warning_when_everybody_can_read_it(self, tmp_path: Path) -> None:
        environ = {"JWT_SECRET_FILE": private_file(tmp_path / "key")}
        (tmp_path / "key").chmod(0o644)
        assert settings_warnings(load_settings(environ=environ, cwd=tmp_path)) == (
            "JWT_SECRET_FILE can be read by every user of this machine; chmod 600 it",
        )

    def test_dotenv_earns_a_warning_when_everybody_can_read_a_secret_in_it(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(f"JWT_SECRET={STRONG}\n")
        (tmp_path / ".env").chmod(0o644)
        open_to_all = settings_warnings(load_settings(environ={}, cwd=tmp_path))
        (tmp_path / ".env").chmod(0o600)
        assert open_to_all == (".env can be read by every user of this machine; chmod 600 it",)
        assert settings_warnings(load_settings(environ={}, cwd=tmp_path)) == ()


class TestEnvironment:
    def test_secret_works_with_a_warning_when_it_stands_in_the_environment(self, tmp_path: Path) -> None:
        """R-CF-02."""
        settings = load_settings(environ={"JWT_SECRET": STRONG}, cwd=tmp_path)
        (said,) = settings_warnings(settings)
        assert said.startswith("JWT_SECRET stands in the environment")
        assert STRONG not in said

    def test_address_of_the_database_earns_a_warning_only_when_it_holds_a_password(self, tmp_path: Path) -> None:
        plain = load_settings(environ={"DATABASE_URL": "postgresql+psycopg://db/x"}, cwd=tmp_path)
        secret = load_settings(environ={"DATABASE_URL": "postgresql+psycopg://u:pw@db/x"}, cwd=tmp_path)
        assert settings_warnings(plain) == ()
        assert "DATABASE_URL stands in the environment" in settings_warnings(secret)[0]


class TestWeakness:
    @pytest.mark.parametrize("name", ["JWT_SECRET", "AUDIT_KEY", "DECOY_KEY"])
    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("secret", "is shorter than 32 bytes"),
            ("k" * 31, "is shorter than 32 bytes"),
            ("k" * 64, "is too regular to be random"),
            ("abab" * 16, "is too regular to be random"),
            ("changeme-changeme-changeme-changeme", "is a known placeholder"),
            ("your-super-secret-jwt-key-for-the-app", "is a known placeholder"),
            ("CHANGE_THIS_IN_PRODUCTION_PLEASE_OR_ELSE", "is a known placeholder"),
            ("a-string-secret-at-least-256-bits-long", "is a known placeholder"),
            ("kq8ZrVd2mXw1Hc7Ns5Tb9Yf3Lg6Pj0-Insecure", "is a known placeholder"),
            ("0123456789abcdefghijklmnopqrstuvwxyz", "is a known placeholder"),
        ],
    )
    def test_key_is_refused_by_name_when_it_is_weak(self, tmp_path: Path, name: str, value: str, said: str) -> None:
        """R-TK-06, V-27: the message names the setting and not the value."""
        (found,) = problems(tmp_path, {name: value})
        assert found.startswith(f"{name} {said}")
        assert value not in found.replace(name, "")

    def test_key_is_refused_when_a_tutorial_published_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """R-TK-06: random-looking keys are known by their digest."""
        monkeypatch.setattr(rules, "_PUBLISHED", frozenset({hashlib.sha256(STRONG.encode()).hexdigest()}))
        (found,) = problems(tmp_path, {"JWT_SECRET": STRONG})
        assert found.startswith("JWT_SECRET is a known placeholder")

    def test_key_is_refused_when_it_serves_two_purposes(self, tmp_path: Path) -> None:
        """D-3: the decoy key is not the token key."""
        environ = {"JWT_SECRET": STRONG, "DECOY_KEY": STRONG, "AUDIT_KEY": OTHER}
        assert problems(tmp_path, environ) == ("DECOY_KEY and JWT_SECRET have to differ",)

    def test_key_of_other_alphabets_is_measured_in_bytes(self, tmp_path: Path) -> None:
        settings = load_settings(environ={"JWT_SECRET": "жшцюфйблгщ🜁🜂🜃🜄🜅🜆"}, cwd=tmp_path)
        assert settings.jwt_secret is not None

    @pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
    def test_asymmetric_algorithm_is_refused_when_its_key_is_missing(self, tmp_path: Path, algorithm: str) -> None:
        assert problems(tmp_path, {"JWT_ALGORITHM": algorithm}) == (
            f"JWT_ALGORITHM {algorithm} needs JWT_PRIVATE_KEY_FILE",
        )

    def test_unused_key_earns_a_warning(self, tmp_path: Path) -> None:
        unused = load_settings(environ={"JWT_PRIVATE_KEY_FILE": private_file(tmp_path / "k")}, cwd=tmp_path)
        also = load_settings(
            environ={
                "JWT_ALGORITHM": "ES256",
                "JWT_PRIVATE_KEY_FILE": private_file(tmp_path / "k"),
                "JWT_SECRET_FILE": private_file(tmp_path / "s"),
            },
            cwd=tmp_path,
        )
        assert settings_warnings(unused) == ("JWT_PRIVATE_KEY is not used with JWT_ALGORITHM HS256",)
        assert settings_warnings(also) == ("JWT_SECRET is not used with JWT_ALGORITHM ES256",)


class TestShowing:
    def test_no_secret_is_shown_when_settings_are_described_or_printed(self, tmp_path: Path) -> None:
        """R-CF-04."""
        password = "p4ssw0rd-of-the-database"
        environ = {
            "JWT_SECRET": STRONG,
            "AUDIT_KEY": OTHER,
            "DATABASE_URL": f"postgresql+psycopg://user:{password}@db/x?sslmode=require&password={password}",
        }
        settings = load_settings(environ=environ, cwd=tmp_path)
        rows = {row.name: row.value for row in describe(settings)}
        shown = repr(settings) + str(settings) + repr(rows) + repr(settings_warnings(settings))
        assert not [secret for secret in (STRONG, OTHER, password) if secret in shown]
        assert rows["JWT_SECRET"] == "********"
        assert rows["DECOY_KEY"] == "(not set)"
        assert rows["DATABASE_URL"] == "postgresql+psycopg://user:********@db/x?sslmode=require&password=********"

    def test_secrets_are_known_by_value_so_that_logs_can_hide_them(self, tmp_path: Path) -> None:
        """R-LG-05."""
        environ = {"JWT_SECRET": STRONG, "AUDIT_KEY": OTHER, "DATABASE_URL": "postgresql+psycopg://u:pass-word@db/x"}
        assert set(load_settings(environ=environ, cwd=tmp_path).secret_values) == {STRONG, OTHER, "pass-word"}
        assert load_settings(environ={}, cwd=tmp_path).secret_values == ()

    def test_no_secret_is_shown_when_it_is_refused(self, tmp_path: Path) -> None:
        """R-CF-03, R-LG-05."""
        environ = {"DATABASE_URL": "mysql://u:hidden-word@db", "JWT_SECRET": "hidden-word", "REDIS_URL": "hidden-word"}
        found = problems(tmp_path, environ)
        assert len(found) == 3
        assert not [said for said in found if "hidden-word" in said]

    def test_switches_and_lists_are_shown_as_they_are_written(self, tmp_path: Path) -> None:
        environ = {"TRUSTED_PROXIES": "10.0.0.0/8, ::1", "RATE_LIMITS": "off", "USER_VERIFICATION": "preferred"}
        settings = load_settings(environ=environ, cwd=tmp_path)
        rows = {row.name: row.value for row in describe(settings)}
        assert (rows["TRUSTED_PROXIES"], rows["RATE_LIMITS"], rows["PAGES"]) == ("10.0.0.0/8,::1/128", "off", "on")
        assert settings_warnings(settings) == (
            "RATE_LIMITS=off: nothing slows an attacker down",
            "USER_VERIFICATION=preferred: a login may prove possession alone",
        )


def test_file_is_refused_when_it_is_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(file: Path) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))

    monkeypatch.setattr(sources, "_content_of", forbidden)  # permissions stop nobody where tests run as root
    assert problems(tmp_path, {"JWT_SECRET_FILE": "key"}) == (
        "JWT_SECRET_FILE: 'key' cannot be read: Permission denied",
    )
