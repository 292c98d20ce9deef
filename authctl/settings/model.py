"""The one frozen Settings value: a field per variable, its default, and the help that `config show` prints."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from authctl.settings.values import (
    bare_text,
    host_name,
    key_text,
    list_of,
    lower_case,
    network,
    origin,
    path_text,
    relying_party_id,
    supported_database,
    switch,
)

Network = IPv4Network | IPv6Network
Origin = Annotated[str, AfterValidator(origin)]
Origins = Annotated[tuple[Origin, ...], BeforeValidator(list_of)]
Networks = Annotated[tuple[Annotated[Network, BeforeValidator(network)], ...], BeforeValidator(list_of)]
Formats = Annotated[tuple[Literal["none", "packed-self"], ...], BeforeValidator(list_of), Field(min_length=1)]
NamedPath = Annotated[Path, BeforeValidator(path_text)]
Switch = Annotated[bool, BeforeValidator(switch)]
Secret = Annotated[SecretStr | None, AfterValidator(key_text)]
Level = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(lower_case)]
Limit = Annotated[int, Field(ge=1, le=1_000_000_000)]
Minutes = Annotated[int, Field(ge=1, le=525_600)]


def _limit(default: int, description: str) -> Any:
    return Field(default=default, description=description)


class Settings(BaseSettings):
    """What the service was told. `load_settings` makes it, and alone checks fields against each other."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True, case_sensitive=True
    )

    jwt_secret: Secret = Field(default=None, description="HMAC key of access tokens, at least 32 bytes")
    jwt_algorithm: Literal["HS256", "ES256", "EdDSA", "RS256"] = Field(
        default="HS256", description="signature algorithm of access tokens"
    )
    jwt_expiration_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=60, description="lifetime of an access token and of its session"
    )
    jwt_private_key: Secret = Field(default=None, description="PEM private key for ES256, EdDSA or RS256")
    rp_id: Annotated[str, AfterValidator(relying_party_id)] = Field(
        default="localhost", description="relying party id: the domain that passkeys are bound to"
    )
    rp_name: Annotated[str, AfterValidator(bare_text), Field(min_length=1, max_length=64)] = Field(
        default="Auth Example", description="name that the browser shows when it asks for a passkey"
    )
    origins: Origins = Field(
        default=(), description="exact origins of the pages that may log in, comma separated; follows PORT when unset"
    )
    audit_key: Secret = Field(default=None, description="HMAC key of the audit chain, at least 32 bytes")
    decoy_key: Secret = Field(default=None, description="key of the decoy credentials, at least 32 bytes")
    checkpoint_key: Secret = Field(default=None, description="PEM Ed25519 private key that signs audit checkpoints")
    host: Annotated[str, AfterValidator(host_name)] = Field(default="127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8000, description="port to listen on; 0 takes a free one and needs ORIGIN"
    )
    behind_tls_proxy: Switch = Field(
        default=False, description="says that a proxy in front speaks TLS; needed to listen beyond loopback"
    )
    attestation_formats: Formats = Field(
        default=("none", "packed-self"), description="attestation formats accepted at registration"
    )
    allowed_top_origins: Origins = Field(default=(), description="origins of pages that may frame the ceremony")
    audit_policy: Literal["db", "all"] = Field(
        default="db", description="what has to be written before an answer leaves: the table, or table and file"
    )
    database_url: Annotated[str, AfterValidator(supported_database)] = Field(
        default="sqlite:///app.db", description="SQLite or PostgreSQL (postgresql+psycopg://...)", repr=False
    )
    redis_url: str | None = Field(default=None, description="reserved; refused until it is supported", repr=False)
    log_file: NamedPath = Field(default=Path("app.log"), description="audit file, one JSON line per event")
    key_dir: NamedPath = Field(default=Path("app.keys"), description="directory of generated keys")
    challenge_ttl_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=300, description="how long a begun ceremony can be completed"
    )
    trusted_proxies: Networks = Field(
        default=(), description="networks of proxies whose X-Forwarded-For is believed, comma separated"
    )
    cors_origins: Origins = Field(default=(), description="exact origins whose scripts may call the API")
    authenticator_attachment: Literal["platform", "cross-platform", "any"] = Field(
        default="platform",
        description="kind of authenticator asked for at registration; with platform a further passkey may be on any",
    )
    user_verification: Literal["required", "preferred"] = Field(
        default="required", description="whether a ceremony without user verification is refused"
    )
    rate_limits: Switch = Field(default=True, description="off only for load tests")
    rate_limit_begins_per_source_per_minute: Limit = _limit(60, "begun ceremonies per source address and minute")
    # Far above what one source may send: nobody alone keeps an e-mail's owner from logging in.
    rate_limit_begins_per_email_per_minute: Limit = _limit(300, "begun ceremonies per e-mail and minute")
    rate_limit_begins_per_minute: Limit = _limit(600, "begun ceremonies of everyone per minute")
    rate_limit_completions_per_source_email: Limit = _limit(10, "completions per source and e-mail in 5 minutes")
    rate_limit_completions_per_source: Limit = _limit(100, "completions per source in 5 minutes")
    rate_limit_completions_per_minute: Limit = _limit(600, "completions of everyone per minute")
    rate_limit_questions_per_admin_per_minute: Limit = _limit(300, "questions to the trail per admin and minute")
    rate_limit_outstanding_per_source: Limit = _limit(50, "challenges a source may have open")
    rate_limit_outstanding_total: Limit = _limit(100_000, "challenges that may be open in all")
    detect_minutes: Minutes = _limit(10, "audit detect: minutes within which attempts are counted together")
    detect_address_failures: Limit = _limit(10, "audit detect: failed logins from one address")
    detect_account_failures: Limit = _limit(10, "audit detect: failed logins into one account, from anywhere")
    detect_probing_refusals: Limit = _limit(5, "audit detect: refusals of one address that no browser earns")
    detect_probing_reasons: Limit = _limit(3, "audit detect: different reasons of such refusals")
    detect_swept_accounts: Limit = _limit(10, "audit detect: accounts that one address tries without logging in")
    detect_denied_records: Limit = _limit(5, "audit detect: records that a user or address is refused")
    detect_user_addresses: Limit = _limit(3, "audit detect: addresses that one user logs in from")
    detect_user_addresses_minutes: Minutes = _limit(60, "audit detect: minutes within which a user does so")
    detect_admin_minutes: Minutes = _limit(15, "audit detect: minutes within which new admin rights are used")
    detect_country_history_days: Annotated[int, Field(ge=1, le=36_500)] = _limit(
        90, "audit detect: days back that a user's countries are known from"
    )
    detect_country_database: Annotated[Path | None, BeforeValidator(path_text)] = Field(
        default=None, description="audit detect: MMDB file with the countries of addresses; else the extra authctl[geo]"
    )
    pages: Annotated[bool | None, BeforeValidator(switch)] = Field(
        default=None, description="demo page and API page; on, off in production"
    )
    environment: Literal["development", "production"] = Field(
        default="development", description="production refuses insecure settings and generated keys"
    )
    log_level: Level = Field(default="info", description="operational log on stderr: debug to critical")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Takes only what `load_settings` gathered: no Settings depends on a process environment by accident."""
        return (init_settings,)

    @property
    def is_production(self) -> bool:
        """Whether insecure settings and generated keys are refused."""
        return self.environment == "production"

    @property
    def has_pages(self) -> bool:
        """Whether the demo page and the API page are served."""
        return self.pages if self.pages is not None else not self.is_production

    @property
    def is_loopback(self) -> bool:
        """Whether the service listens for this machine alone."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Every secret that was given: what no log may hold."""
        given = [secret.get_secret_value() for name in sorted(SECRETS) if (secret := getattr(self, name)) is not None]
        password = urlsplit(self.database_url).password
        return (*given, password) if password else tuple(given)

    @property
    def token_lifetime_seconds(self) -> int:
        """Lifetime of an access token."""
        return self.jwt_expiration_minutes * 60

    @property
    def issuer(self) -> str:
        """Issuer of access tokens: the first origin."""
        return self.origins[0]


EXCEPTIONAL_NAMES = {"origins": "ORIGIN"}
SECRETS = frozenset({"jwt_secret", "jwt_private_key", "audit_key", "decoy_key", "checkpoint_key"})
"""Fields that are secret as a whole."""
WITH_FILE = SECRETS | {"database_url", "redis_url"}
"""Fields that may be given as a file: secrets, and addresses that may hold a password."""


def variable(field: str) -> str:
    """The variable that sets a field."""
    return EXCEPTIONAL_NAMES.get(field, field.upper())


FIELD_OF_VARIABLE = {variable(name): name for name in Settings.model_fields}
FIELD_OF_FILE_VARIABLE = {f"{variable(name)}_FILE": name for name in sorted(WITH_FILE)}
