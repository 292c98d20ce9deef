"""Judges the claims of an access token (RFC 9068 section 4, RFC 8725 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authctl.errors import TokenRejected
from authctl.server.tokens.reasons import Reason

if TYPE_CHECKING:
    from authctl.clock import Clock
    from authctl.server.tokens.codec import Codec

LEEWAY_SECONDS = 5
"""How far the clocks of two instances may be apart."""
ROLES = frozenset({"user", "admin"})
_LONGEST_IDENTIFIER = 128
_LATEST = 253_402_300_799  # the end of the year 9999
_TEXTS = ("sub", "jti", "sid", "role", "iss", "aud")
_TIMES = ("iat", "nbf", "exp", "auth_time")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that verified says. Times are seconds since the epoch."""

    subject: str
    session_id: str
    token_id: str
    role: str
    issued_at: int
    expires_at: int
    authenticated_at: int
    methods: tuple[str, ...]


class Verifier:
    """Takes access tokens of one issuer for one audience; whether their session still lives is asked elsewhere."""

    __slots__ = ("_audience", "_clock", "_codec", "_issuer", "_lifetime")

    def __init__(self, codec: Codec, clock: Clock, *, issuer: str, audience: str, lifetime_seconds: int) -> None:
        self._codec = codec
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime_seconds

    def verify(self, token: str) -> Claims:
        """The claims of a token that is ours and valid now; raises TokenRejected with the reason for the trail."""
        claims = self._codec.decode(token)
        for name in _TEXTS:
            _require_text(claims, name)
        for name in _TIMES:
            _require_time(claims, name)
        methods = claims.get("amr")
        if not isinstance(methods, list) or not all(isinstance(method, str) for method in methods):
            raise TokenRejected(Reason.CLAIM_METHODS)
        if claims["role"] not in ROLES:
            raise TokenRejected(Reason.CLAIM_ROLE)
        if claims["iss"] != self._issuer:
            raise TokenRejected(Reason.ISSUER)
        if claims["aud"] != self._audience:
            raise TokenRejected(Reason.AUDIENCE)
        self._check_times(claims)
        return Claims(
            subject=claims["sub"],
            session_id=claims["sid"],
            token_id=claims["jti"],
            role=claims["role"],
            issued_at=claims["iat"],
            expires_at=claims["exp"],
            authenticated_at=claims["auth_time"],
            methods=tuple(methods),
        )

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now().timestamp()
        if claims["exp"] <= now - LEEWAY_SECONDS:
            raise TokenRejected(Reason.EXPIRED)
        if max(claims["iat"], claims["nbf"], claims["auth_time"]) > now + LEEWAY_SECONDS:
            raise TokenRejected(Reason.NOT_YET_VALID)
        if not 0 < claims["exp"] - claims["iat"] <= self._lifetime:
            raise TokenRejected(Reason.LIFETIME)


def _require_text(claims: dict[str, Any], name: str) -> None:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_IDENTIFIER:
        raise TokenRejected(Reason(f"token_claim_{name}"))


def _require_time(claims: dict[str, Any], name: str) -> None:
    """NumericDate (RFC 7519 section 2), in the whole seconds that we write: no bool, no text, no fraction."""
    value = claims.get(name)
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise TokenRejected(Reason(f"token_claim_{name}"))
