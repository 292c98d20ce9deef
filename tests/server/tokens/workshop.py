"""Builders for tokens: keys of every algorithm, made for this run, and a person to issue tokens to."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authctl.server.storage.tables import LoginSession, User
from authctl.server.tokens.codec import Codec
from authctl.server.tokens.issuing import Issuer
from authctl.server.tokens.signing_keys import Algorithm, JwtKey, PrivateKey
from authctl.server.tokens.verifying import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.clock import FixedClock

ISSUER = "http://localhost:8000"
AUDIENCE = "localhost"
LIFETIME = 3600


def pem_of(key: PrivateKey) -> bytes:
    """The unencrypted PKCS#8 PEM of a private key."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def key_for(algorithm: Algorithm) -> JwtKey:
    """One key per algorithm and run."""
    makers: dict[str, Callable[[], PrivateKey]] = {
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
    }
    if algorithm == "HS256":
        return JwtKey.from_secret(secrets.token_urlsafe(32).encode())
    return JwtKey.from_pem(algorithm, pem_of(makers[algorithm]()))


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that makes and takes tokens under one key."""

    key: JwtKey
    codec: Codec
    issuer: Issuer
    verifier: Verifier
    clock: FixedClock
    user: User
    session: LoginSession

    def token(self) -> str:
        """A token that verifies now."""
        return self.issuer.issue(self.user, self.session, self.clock.now(), True).text

    def claims(self) -> dict[str, Any]:
        """The claims of a token that verifies now."""
        return self.codec.decode(self.token())


def workshop_for(key: JwtKey, clock: FixedClock) -> Workshop:
    """A workshop around one key."""
    codec = Codec(key)
    now = clock.now()
    user = User(
        first_name="Jané",
        last_name="Doe",
        email="jane@example.com",
        date_of_birth=now,
        job_title="Tester",
        created_at=now,
        user_handle=b"handle",
    )
    session = LoginSession(user_id=user.id, credential_id="c", created_at=now, expires_at=now)
    names = {"issuer": ISSUER, "audience": AUDIENCE}
    issuer = Issuer(codec, **names, lifetime_seconds=LIFETIME)
    verifier = Verifier(codec, clock, **names, lifetime_seconds=LIFETIME)
    return Workshop(key, codec, issuer, verifier, clock, user, session)


def b64(data: bytes | str) -> str:
    """Base64url without padding."""
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(workshop: Workshop, header: dict[str, Any] | str, payload: dict[str, Any] | str) -> str:
    """A token signed with the right secret over any header and payload."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, payload)]
    head = f"{b64(texts[0])}.{b64(texts[1])}"
    assert isinstance(workshop.key.signing, bytes)
    return f"{head}.{b64(hmac.digest(workshop.key.signing, head.encode(), 'sha256'))}"


def header_of(workshop: Workshop, **changes: Any) -> dict[str, Any]:
    """The right header with changes; None removes a member."""
    header = {"alg": workshop.key.algorithm, "kid": workshop.key.kid, "typ": "at+jwt"} | changes
    return {name: value for name, value in header.items() if value is not None}
