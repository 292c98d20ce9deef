"""Makes the access token of a login."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.storage.tables import LoginSession, User
    from authctl.server.tokens.codec import Codec


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token; `expires_in` is in seconds."""

    text: str = field(repr=False)
    expires_in: int


class Issuer:
    """Signs access tokens (RFC 9068) of one issuer for one audience."""

    __slots__ = ("_audience", "_codec", "_issuer", "_lifetime")

    def __init__(self, codec: Codec, *, issuer: str, audience: str, lifetime_seconds: int) -> None:
        self._codec = codec
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime_seconds

    def issue(self, user: User, session: LoginSession, now: datetime, user_verified: bool) -> AccessToken:
        """A token for a session that was opened by an assertion at `session.created_at`."""
        issued_at = int(now.timestamp())
        text = self._codec.encode(
            {
                "iss": self._issuer,
                "aud": self._audience,
                "sub": user.id,
                "email": user.email,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "role": user.role,
                "iat": issued_at,
                "nbf": issued_at,
                "exp": issued_at + self._lifetime,
                "auth_time": int(session.created_at.timestamp()),
                "jti": secrets.token_hex(16),
                "sid": session.id,
                # RFC 8176: possession of a hardware-secured key, and presence or verification of the user
                "amr": ["hwk", "user"] if user_verified else ["hwk"],
            }
        )
        return AccessToken(text, self._lifetime)
