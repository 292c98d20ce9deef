"""Rules between settings: what contradicts, what is too weak, what production refuses, and what deserves a warning."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.settings.model import SECRETS, Settings, variable
from authctl.settings.values import MINIMUM_KEY_BYTES, host_of

if TYPE_CHECKING:
    from pydantic import SecretStr

Rule = Callable[[Settings], Iterator[str]]

_SYMMETRIC = ("jwt_secret", "audit_key", "decoy_key")
_FEWEST_DIFFERENT_CHARACTERS = 8
_PLACEHOLDERS = (
    "changeme", "changethis", "changeit", "changeinproduction", "yoursecret", "yourkey", "yoursupersecret",
    "mysecret", "supersecret", "topsecret", "secretkey", "placeholder", "replaceme", "replacethis", "insecure",
    "example", "donotuse", "default", "password", "your256bitsecret", "stringsecretatleast", "notasecret",
    "testsecret", "devsecret", "abcdefgh", "0123456789",
)  # fmt: skip
_PUBLISHED = frozenset({"570dad43de1af4c925f92c16a68a50936da42b7dd6fdeb24850507a1199aac89"})
"""SHA-256 of random-looking keys that stand in well-known tutorials."""


@dataclass(frozen=True, slots=True)
class _Declared:
    rule: Rule
    fields: frozenset[str]


_RULES: list[_Declared] = []


def _about(*fields: str) -> Callable[[Rule], Rule]:
    """Declares a rule and the fields it reads: it is silent when one of them is unusable by itself."""

    def declare(rule: Rule) -> Rule:
        _RULES.append(_Declared(rule, frozenset(fields)))
        return rule

    return declare


def problems_between(settings: Settings, unusable: frozenset[str]) -> list[str]:
    """All problems that only show when settings are seen together."""
    return [problem for declared in _RULES if not declared.fields & unusable for problem in declared.rule(settings)]


@_about("redis_url")
def _redis_waits(settings: Settings) -> Iterator[str]:
    if settings.redis_url:
        yield "REDIS_URL is not supported yet; leave it unset"


@_about("host", "behind_tls_proxy")
def _exposure_is_declared(settings: Settings) -> Iterator[str]:
    if not settings.is_loopback and not settings.behind_tls_proxy:
        yield (
            f"HOST {settings.host} is reachable from other machines without TLS; listen on 127.0.0.1, "
            "or set BEHIND_TLS_PROXY=on if a proxy in front speaks TLS"
        )


@_about("origins", "port")
def _free_port_has_an_origin(settings: Settings) -> Iterator[str]:
    if settings.port == 0 and not settings.origins:
        yield "PORT 0 takes any free port, so ORIGIN has to be set"


@_about("rp_id", "origins", "port")
def _relying_party_covers_origins(settings: Settings) -> Iterator[str]:
    for origin in settings.origins:
        host = host_of(origin)
        if host == settings.rp_id:
            continue
        if not host.endswith(f".{settings.rp_id}"):
            yield f"RP_ID {settings.rp_id} is not the host of ORIGIN {origin} or a domain above it"
        elif "." not in settings.rp_id and settings.rp_id != "localhost":
            yield f"RP_ID {settings.rp_id} is a top-level domain; browsers refuse it for ORIGIN {origin}"


@_about("jwt_algorithm", "jwt_private_key")
def _asymmetric_needs_its_key(settings: Settings) -> Iterator[str]:
    if settings.jwt_algorithm != "HS256" and settings.jwt_private_key is None:
        yield f"JWT_ALGORITHM {settings.jwt_algorithm} needs JWT_PRIVATE_KEY_FILE"


@_about()  # an unusable key counts as not given, which is nothing to say here
def _keys_are_strong(settings: Settings) -> Iterator[str]:
    for name in _SYMMETRIC:
        secret = getattr(settings, name)
        if secret is not None and (weakness := weakness_of(secret)):
            yield f"{variable(name)} {weakness}; make one with: openssl rand -base64 48"


@_about()
def _keys_differ(settings: Settings) -> Iterator[str]:
    seen: dict[bytes, str] = {}
    for name in _SYMMETRIC:
        secret: SecretStr | None = getattr(settings, name)
        if secret is None:
            continue
        digest = hashlib.sha256(secret.get_secret_value().encode()).digest()
        if digest in seen:
            yield f"{variable(name)} and {variable(seen[digest])} have to differ"
        seen.setdefault(digest, name)


def _production_has_given(name: str) -> Rule:
    def rule(settings: Settings) -> Iterator[str]:
        is_used = name != "jwt_secret" or settings.jwt_algorithm == "HS256"
        if settings.is_production and is_used and getattr(settings, name) is None:
            yield f"{variable(name)} has to be given in production; generated keys are for development"

    return rule


for _name in sorted(SECRETS - {"jwt_private_key"}):  # that one is never generated
    _about("environment", "jwt_algorithm", _name)(_production_has_given(_name))


@_about("environment", "rate_limits")
def _production_keeps_limits(settings: Settings) -> Iterator[str]:
    if settings.is_production and not settings.rate_limits:
        yield "RATE_LIMITS=off is refused in production"


@_about("environment", "origins", "cors_origins", "allowed_top_origins")
def _production_speaks_https(settings: Settings) -> Iterator[str]:
    if not settings.is_production:
        return
    for name in ("origins", "cors_origins", "allowed_top_origins"):
        for origin in getattr(settings, name):
            if not origin.startswith("https://"):
                yield f"{variable(name)} {origin} is not https, which production refuses"


def weakness_of(secret: SecretStr) -> str | None:
    """What makes a symmetric key unusable, or None. The answer never holds any of it."""
    text = secret.get_secret_value()
    if len(text.encode()) < MINIMUM_KEY_BYTES:
        return f"is shorter than {MINIMUM_KEY_BYTES} bytes"
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    if hashlib.sha256(text.encode()).hexdigest() in _PUBLISHED or any(word in plain for word in _PLACEHOLDERS):
        return "is a known placeholder"
    if len(set(text)) < _FEWEST_DIFFERENT_CHARACTERS:
        return "is too regular to be random"
    return None


def warnings_about(settings: Settings) -> Iterator[str]:
    """What works and should be known."""
    if settings.behind_tls_proxy and not settings.is_loopback:
        yield f"listening on {settings.host} without TLS, trusting BEHIND_TLS_PROXY"
    if not settings.rate_limits:
        yield "RATE_LIMITS=off: nothing slows an attacker down"
    if settings.jwt_algorithm == "HS256" and settings.jwt_private_key is not None:
        yield "JWT_PRIVATE_KEY is not used with JWT_ALGORITHM HS256"
    if settings.jwt_algorithm != "HS256" and settings.jwt_secret is not None:
        yield f"JWT_SECRET is not used with JWT_ALGORITHM {settings.jwt_algorithm}"
    if settings.user_verification != "required":
        yield "USER_VERIFICATION=preferred: a login may prove possession alone"
