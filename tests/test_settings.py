"""Settings are read once from several places, checked as a whole, and refused with every problem at once."""

from __future__ import annotations

import secrets
import subprocess
import sys
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from authctl.errors import SettingsError
from authctl.settings import Settings, describe, load_settings, settings_warnings
from authctl.settings.model import FIELD_OF_VARIABLE, WITH_FILE, variable

if TYPE_CHECKING:
    from pathlib import Path

STRONG = secrets.token_urlsafe(32)
STRONGER = secrets.token_urlsafe(32)
STRONGEST = secrets.token_urlsafe(32)
PEM = "-----BEGIN PRIVATE KEY-----"
PROMISED = """
    JWT_SECRET JWT_ALGORITHM JWT_EXPIRATION_MINUTES RP_ID RP_NAME ORIGIN JWT_PRIVATE_KEY AUDIT_KEY DECOY_KEY
    CHECKPOINT_KEY HOST PORT BEHIND_TLS_PROXY ATTESTATION_FORMATS ALLOWED_TOP_ORIGINS AUDIT_POLICY DATABASE_URL
    REDIS_URL LOG_FILE KEY_DIR CHALLENGE_TTL_SECONDS TRUSTED_PROXIES CORS_ORIGINS AUTHENTICATOR_ATTACHMENT
    USER_VERIFICATION RATE_LIMITS PAGES ENVIRONMENT LOG_LEVEL
"""


def problems(cwd: Path, environ: dict[str, str] | None = None, **overrides: object) -> tuple[str, ...]:
    """What load_settings complains about, which has to be something."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ or {}, cwd=cwd, **overrides)
    return caught.value.problems


def production(**more: str) -> dict[str, str]:
    """An environment that production accepts."""
    return {
        "ENVIRONMENT": "production",
        "RP_ID": "example.com",
        "ORIGIN": "https://login.example.com",
        "JWT_SECRET": STRONG,
        "AUDIT_KEY": STRONGER,
        "DECOY_KEY": STRONGEST,
        "CHECKPOINT_KEY": PEM,
        **more,
    }


class TestSources:
    def test_defaults_serve_localhost_when_nothing_is_set(self, tmp_path: Path) -> None:
        settings = load_settings(environ={}, cwd=tmp_path)
        assert (settings.host, settings.port, settings.rp_id) == ("127.0.0.1", 8000, "localhost")
        assert settings.origins == ("http://localhost:8000",)
        assert settings.issuer == "http://localhost:8000"
        assert settings.token_lifetime_seconds == 3600
        assert settings.has_pages
        assert not settings.is_production
        assert settings_warnings(settings) == ()

    def test_options_win_over_environment_and_environment_over_dotenv(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("PORT=1001\nRP_NAME=From file\nLOG_LEVEL=debug\n")
        settings = load_settings(environ={"PORT": "1002", "RP_NAME": "From environment"}, cwd=tmp_path, port=1003)
        assert (settings.port, settings.rp_name, settings.log_level) == (1003, "From environment", "debug")
        sources = {row.name: row.source for row in describe(settings)}
        assert (sources["PORT"], sources["RP_NAME"], sources["LOG_LEVEL"]) == ("option", "environment", ".env")
        assert sources["HOST"] == "default"

    def test_options_count_as_not_given_when_none(self, tmp_path: Path) -> None:
        assert load_settings(environ={"PORT": "9000"}, cwd=tmp_path, port=None).port == 9000

    def test_process_environment_and_directory_are_used_when_not_told_otherwise(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("RP_NAME=Here\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PORT", "8123")
        settings = load_settings()
        assert (settings.rp_name, settings.port) == ("Here", 8123)
        assert str(settings.key_dir) == "app.keys"
        assert settings.database_url == "sqlite:///app.db"

    def test_relative_paths_are_anchored_when_a_directory_is_given(self, tmp_path: Path) -> None:
        settings = load_settings(environ={"LOG_FILE": "/var/log/a.log"}, cwd=tmp_path)
        assert settings.database_url == f"sqlite:///{tmp_path}/app.db"
        assert settings.key_dir == tmp_path / "app.keys"
        assert str(settings.log_file) == "/var/log/a.log"

    def test_other_databases_stay_as_they_are_when_a_directory_is_given(self, tmp_path: Path) -> None:
        url = "postgresql+psycopg://db/authctl"
        assert load_settings(environ={"DATABASE_URL": url}, cwd=tmp_path).database_url == url

    def test_no_setting_changes_when_it_was_loaded(self, tmp_path: Path) -> None:
        settings = load_settings(environ={}, cwd=tmp_path)
        with pytest.raises(ValidationError, match="frozen"):
            settings.port = 1

    def test_settings_class_alone_reads_nothing_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("port", "1")
        monkeypatch.setenv("PORT", "1")
        assert Settings().port == 8000

    def test_lists_and_switches_are_read_from_text(self, tmp_path: Path) -> None:
        environ = {
            "ORIGIN": "http://localhost:8000, https://app.localhost",
            "TRUSTED_PROXIES": "10.0.0.0/8,2001:db8::1",
            "CORS_ORIGINS": "https://a.example",
            "ATTESTATION_FORMATS": "none",
            "PAGES": "OFF",
            "BEHIND_TLS_PROXY": "yes",
            "LOG_LEVEL": "WARNING",
        }
        settings = load_settings(environ=environ, cwd=tmp_path)
        assert settings.origins == ("http://localhost:8000", "https://app.localhost")
        assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1"))
        assert settings.cors_origins == ("https://a.example",)
        assert settings.attestation_formats == ("none",)
        assert not settings.has_pages
        assert settings.behind_tls_proxy
        assert settings.log_level == "warning"

    def test_values_of_their_own_type_are_taken_when_given_as_options(self, tmp_path: Path) -> None:
        settings = load_settings(
            environ={}, cwd=tmp_path, rate_limits=False, trusted_proxies=(ip_network("10.0.0.0/8"),), log_level="info"
        )
        assert not settings.rate_limits
        assert settings.trusted_proxies == (ip_network("10.0.0.0/8"),)

    def test_empty_values_mean_unset_when_unset_is_the_default(self, tmp_path: Path) -> None:
        settings = load_settings(
            environ={"REDIS_URL": "", "TRUSTED_PROXIES": "", "PAGES": "", "ORIGIN": ""}, cwd=tmp_path
        )
        assert settings.redis_url is None
        assert settings.trusted_proxies == ()
        assert settings.origins == ("http://localhost:8000",)

    def test_importing_settings_loads_no_server(self) -> None:
        code = "import sys, authctl.settings; print(*[m for m in sys.modules if m.startswith('authctl.server')])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == ""

    def test_every_setting_has_help_and_a_row(self, tmp_path: Path) -> None:
        rows = describe(load_settings(environ={}, cwd=tmp_path))
        assert [row.name for row in rows] == [variable(name) for name in Settings.model_fields]
        assert all(row.help for row in rows)


class TestOrigin:
    @pytest.mark.parametrize(
        ("port", "origin"),
        [("8080", "http://localhost:8080"), ("80", "http://localhost"), ("443", "http://localhost:443")],
    )
    def test_origin_follows_the_port_when_unset(self, tmp_path: Path, port: str, origin: str) -> None:
        assert load_settings(environ={"PORT": port}, cwd=tmp_path).origins == (origin,)

    def test_free_port_is_refused_when_origin_is_unset(self, tmp_path: Path) -> None:
        assert problems(tmp_path, port=0) == ("PORT 0 takes any free port, so ORIGIN has to be set",)

    def test_free_port_is_taken_when_origin_is_set(self, tmp_path: Path) -> None:
        assert load_settings(environ={"PORT": "0", "ORIGIN": "http://localhost:9"}, cwd=tmp_path).port == 0

    @pytest.mark.parametrize(
        ("origin", "said"),
        [
            ("http://example.com", "begin with https://"),
            ("https://*.example.com", "wildcard"),
            ("*", "wildcard"),
            ("https://example.com/", "browsers would send https://example.com"),
            ("https://example.com:443", "browsers would send https://example.com"),
            ("https://EXAMPLE.com", "browsers would send https://example.com"),
            ("https://user:pw@example.com", "browsers would send https://example.com"),
            ("https://example.com/path?x#y", "browsers would send https://example.com"),
            ("https://example.com:port", "is not an origin"),
            ("https://[::1", "is not an origin"),
            ("https://127.0.0.1", "https:// and a domain"),
            ("ftp://example.com", "https:// and a domain"),
            ("example.com", "https:// and a domain"),
            ("https://exämple.com", "https:// and a domain"),
            ("", "https:// and a domain"),
        ],
    )
    def test_origin_is_refused_when_browsers_would_not_send_it(self, tmp_path: Path, origin: str, said: str) -> None:
        """R-CF-03."""
        found = problems(tmp_path, {"ORIGIN": f"{origin},http://localhost:1"}, rp_id="localhost")
        assert len(found) == 1
        assert found[0].startswith("ORIGIN ")
        assert said in found[0]

    @pytest.mark.parametrize("name", ["CORS_ORIGINS", "ALLOWED_TOP_ORIGINS"])
    def test_other_origins_are_held_to_the_same_rules_when_set(self, tmp_path: Path, name: str) -> None:
        assert problems(tmp_path, {name: "*"}) == (f"{name} '*' holds a wildcard; list each origin",)

    @pytest.mark.parametrize(
        ("rp_id", "origin"),
        [
            ("example.com", "https://example.com"),
            ("example.com", "https://login.example.com:8443"),
            ("intranet", "https://intranet"),
            ("localhost", "http://app.localhost:8000"),
        ],
    )
    def test_relying_party_id_is_taken_when_it_covers_the_origin(self, tmp_path: Path, rp_id: str, origin: str) -> None:
        assert load_settings(environ={"RP_ID": rp_id, "ORIGIN": origin}, cwd=tmp_path).rp_id == rp_id

    @pytest.mark.parametrize(
        ("rp_id", "said"),
        [
            ("other.example", "is not the host of ORIGIN"),
            ("ample.com", "is not the host of ORIGIN"),
            ("www.login.example.com", "is not the host of ORIGIN"),
            ("com", "top-level domain"),
            ("https://example.com", "has to be a domain"),
            ("example.com:443", "has to be a domain"),
            ("EXAMPLE.com", "has to be a domain"),
            ("-example.com", "has to be a domain"),
            ("example.com.", "has to be a domain"),
            ("127.0.0.1", "has to be a domain"),
            ("", "has to be a domain"),
        ],
    )
    def test_relying_party_id_is_refused_when_it_does_not_cover_the_origin(
        self, tmp_path: Path, rp_id: str, said: str
    ) -> None:
        """R-CF-03."""
        found = problems(tmp_path, {"RP_ID": rp_id, "ORIGIN": "https://login.example.com"})
        assert len(found) == 1
        assert said in found[0]


class TestProblems:
    def test_all_problems_are_told_at_once(self, tmp_path: Path) -> None:
        """R-CF-03."""
        (tmp_path / ".env").write_text("NO_SUCH=1\nnot an assignment\n")
        found = problems(
            tmp_path,
            {
                "PORT": "many",
                "JWT_SECRET": "secret",
                "HOST": "0.0.0.0",  # noqa: S104  the point of the test
                "TRUSTED_PROXIES": "*,10.0.0.1",
                "ORIGIN": "http://a.example,https://b.example",
                "REDIS_URL": "redis://localhost",
                "AUDIT_KEY_FILE": "missing",
            },
        )
        assert [problem.split(" ")[0].rstrip(",:") for problem in found] == [
            ".env",
            ".env",
            "AUDIT_KEY_FILE",
            "ORIGIN",
            "PORT",
            "TRUSTED_PROXIES",
            "REDIS_URL",
            "HOST",
            "JWT_SECRET",
        ]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "70000"),
            ("PORT", ""),
            ("JWT_EXPIRATION_MINUTES", "0"),
            ("JWT_EXPIRATION_MINUTES", "1441"),
            ("JWT_ALGORITHM", "none"),
            ("JWT_ALGORITHM", "HS512"),
            ("CHALLENGE_TTL_SECONDS", "0"),
            ("ATTESTATION_FORMATS", "tpm"),
            ("ATTESTATION_FORMATS", ""),
            ("AUDIT_POLICY", "none"),
            ("AUTHENTICATOR_ATTACHMENT", "roaming"),
            ("USER_VERIFICATION", "discouraged"),
            ("RATE_LIMITS", "maybe"),
            ("RATE_LIMIT_BEGINS_PER_MINUTE", "0"),
            ("PAGES", "perhaps"),
            ("ENVIRONMENT", "staging"),
            ("LOG_LEVEL", "loud"),
            ("RP_NAME", ""),
            ("RP_NAME", "a\x1b[31mb"),
            ("HOST", "a b"),
            ("TRUSTED_PROXIES", "0.0.0.0/0"),
            ("TRUSTED_PROXIES", "::/0"),
            ("TRUSTED_PROXIES", "10.0.0.1/8"),
            ("TRUSTED_PROXIES", "proxy.example"),
            ("TRUSTED_PROXIES", "10.0.0.1,,10.0.0.2"),
            ("DATABASE_URL", "sqlite://"),
            ("DATABASE_URL", "sqlite:///:memory:"),
            ("DATABASE_URL", "postgresql://db/x"),
            ("DATABASE_URL", "mysql://db/x"),
            ("JWT_SECRET", ""),
            ("DECOY_KEY", "  "),
            ("LOG_FILE", ""),
            ("KEY_DIR", " "),
            ("KEY_DIR", "a\0b"),
        ],
    )
    def test_value_is_refused_by_name_when_it_is_not_usable(self, tmp_path: Path, name: str, value: str) -> None:
        """R-CF-03."""
        found = problems(tmp_path, {name: value})
        assert len(found) == 1
        assert found[0].startswith(f"{name} ")

    def test_control_characters_of_a_value_are_escaped_when_it_is_shown(self, tmp_path: Path) -> None:
        (found,) = problems(tmp_path, {"LOG_LEVEL": "\x1b[31m"})
        assert "\x1b" not in found
        assert "\\x1b" in found

    def test_option_is_refused_when_it_is_no_setting(self, tmp_path: Path) -> None:
        assert problems(tmp_path, nonsense=1) == ("nonsense is not a setting",)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("NO_SUCH=1", ".env: NO_SUCH is not a setting"),
            ("JWT_SECRT=1", ".env: JWT_SECRT is not a setting; did you mean JWT_SECRET?"),
            ("port=1", ".env: port is not a setting; did you mean PORT?"),
            ("AUTHCTL_PORT=1", ".env: AUTHCTL_PORT is not a setting; did you mean PORT?"),
            ("PORT", ".env, line 1: has to be NAME=value"),
            ("'PORT", ".env, line 1: has to be NAME=value"),
            ("PORT=1\nPORT=1", ".env, line 2: PORT is set twice"),
            ("A\x1bB=1", ".env: 'A\\x1bB' is not a setting"),
        ],
    )
    def test_line_of_dotenv_is_refused_when_it_sets_nothing_known(self, tmp_path: Path, line: str, said: str) -> None:
        """R-CF-03."""
        (tmp_path / ".env").write_text(f"{line}\n")
        assert said in problems(tmp_path)

    def test_dotenv_is_taken_literally_when_it_holds_comments_quotes_and_dollars(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_bytes(b"\xef\xbb\xbf# a comment\n\nexport RP_NAME='A ${HOME} B' # more\n")
        assert load_settings(environ={}, cwd=tmp_path).rp_name == "A ${HOME} B"

    def test_dotenv_is_refused_when_it_cannot_be_read_as_text(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_bytes(b"RP_NAME=\xff\n")
        assert problems(tmp_path) == (".env is not UTF-8 text",)

    def test_dotenv_is_refused_when_it_is_a_directory(self, tmp_path: Path) -> None:
        (tmp_path / ".env").mkdir()
        assert problems(tmp_path) == (".env cannot be read: Is a directory",)


class TestExposure:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
    def test_loopback_is_served_without_tls(self, tmp_path: Path, host: str) -> None:
        assert load_settings(environ={"HOST": host}, cwd=tmp_path).is_loopback

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "host.example", "localhost.example"])  # noqa: S104
    def test_other_addresses_are_refused_when_nothing_speaks_tls(self, tmp_path: Path, host: str) -> None:
        """R-CF-06."""
        (found,) = problems(tmp_path, {"HOST": host})
        assert "BEHIND_TLS_PROXY" in found

    def test_other_addresses_are_served_with_a_warning_when_a_proxy_speaks_tls(self, tmp_path: Path) -> None:
        """R-CF-06."""
        settings = load_settings(environ={"HOST": "::", "BEHIND_TLS_PROXY": "on"}, cwd=tmp_path)
        assert settings_warnings(settings) == ("listening on :: without TLS, trusting BEHIND_TLS_PROXY",)


class TestProduction:
    def test_production_starts_when_everything_is_given(self, tmp_path: Path) -> None:
        settings = load_settings(environ=production(), cwd=tmp_path)
        assert settings.is_production
        assert not settings.has_pages

    def test_pages_are_served_in_production_when_asked_for(self, tmp_path: Path) -> None:
        assert load_settings(environ=production(PAGES="on"), cwd=tmp_path).has_pages

    @pytest.mark.parametrize("name", ["JWT_SECRET", "AUDIT_KEY", "DECOY_KEY", "CHECKPOINT_KEY"])
    def test_production_is_refused_when_a_key_would_be_generated(self, tmp_path: Path, name: str) -> None:
        """D-6."""
        environ = production()
        del environ[name]
        (found,) = problems(tmp_path, environ)
        assert found.startswith(f"{name} has to be given in production")

    def test_production_needs_no_secret_when_tokens_are_signed_with_a_private_key(self, tmp_path: Path) -> None:
        environ = production(JWT_ALGORITHM="ES256", JWT_PRIVATE_KEY=PEM)
        del environ["JWT_SECRET"]
        assert load_settings(environ=environ, cwd=tmp_path).jwt_algorithm == "ES256"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("RATE_LIMITS", "off"),
            ("CORS_ORIGINS", "http://localhost:3000"),
            ("ALLOWED_TOP_ORIGINS", "http://localhost:3000"),
        ],
    )
    def test_production_is_refused_when_a_setting_is_insecure(self, tmp_path: Path, name: str, value: str) -> None:
        found = problems(tmp_path, production(**{name: value}))
        assert len(found) == 1
        assert found[0].startswith(name)

    def test_production_is_refused_when_the_origin_is_http(self, tmp_path: Path) -> None:
        environ = production(RP_ID="localhost", ORIGIN="http://localhost:8000")
        assert problems(tmp_path, environ) == ("ORIGIN http://localhost:8000 is not https, which production refuses",)

    def test_production_warns_when_the_database_is_the_default(self, tmp_path: Path) -> None:
        default = load_settings(environ=production(), cwd=tmp_path)
        named = load_settings(environ=production(DATABASE_URL="sqlite:////data/app.db"), cwd=tmp_path)
        said = "DATABASE_URL is the default, a file in the working directory"
        assert said in settings_warnings(default)
        assert said not in settings_warnings(named)


class TestNearMisses:
    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("ORIGINS", "ORIGIN"),
            ("JWT_SECRET_KEY", "JWT_SECRET"),
            ("JWTSECRET", "JWT_SECRET"),
            ("jwt_secret", "JWT_SECRET"),
            ("AUTHCTL_HOST", "HOST"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
            ("AUDIT_KEYFILE", "AUDIT_KEY_FILE"),
        ],
    )
    def test_name_in_the_environment_gets_a_suggestion_when_it_is_nearly_ours(
        self, tmp_path: Path, name: str, near: str
    ) -> None:
        """R-CF-03."""
        settings = load_settings(environ={name: "x"}, cwd=tmp_path)
        assert settings_warnings(settings) == (f"{name} in the environment is not a setting; did you mean {near}?",)

    @pytest.mark.parametrize(
        "name",
        [
            "HOSTNAME",
            "PAGER",
            "LOGNAME",
            "USERNAME",
            "PYTHONPATH",
            "APP_NAME",
            "POSTGRES_URL",
            "PORTS",
            "DATABASE_HOST",
        ],
    )
    def test_name_in_the_environment_is_left_alone_when_it_is_something_else(self, tmp_path: Path, name: str) -> None:
        assert settings_warnings(load_settings(environ={name: "x"}, cwd=tmp_path)) == ()

    def test_name_in_the_environment_is_left_alone_when_the_right_one_is_set_too(self, tmp_path: Path) -> None:
        settings = load_settings(environ={"ORIGINS": "x", "ORIGIN": "http://localhost:8000"}, cwd=tmp_path)
        assert settings_warnings(settings) == ()


def test_every_promised_variable_exists() -> None:
    """The names are a contract with everybody who runs the service."""
    promised = set(PROMISED.split())
    assert promised - set(FIELD_OF_VARIABLE) == set()
    others = set(FIELD_OF_VARIABLE) - promised
    assert all(name.startswith(("RATE_LIMIT_", "DETECT_")) for name in others)


def test_every_variable_belongs_to_one_field() -> None:
    assert set(FIELD_OF_VARIABLE.values()) == set(Settings.model_fields)
    assert FIELD_OF_VARIABLE["ORIGIN"] == "origins"
    assert set(Settings.model_fields) > WITH_FILE
