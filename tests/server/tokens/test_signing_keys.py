"""Token keys fit their algorithm, have a stable name, and publish nothing that is private."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat

from authctl.server.tokens.codec import Codec
from authctl.server.tokens.signing_keys import ALGORITHMS, JwtKey, UnsuitableKey, key_set
from tests.server.tokens.workshop import key_for, pem_of, workshop_for

if TYPE_CHECKING:
    from authctl.clock import FixedClock
    from authctl.server.tokens.signing_keys import Algorithm, Asymmetric

ASYMMETRIC: tuple[Asymmetric, ...] = ("ES256", "EdDSA", "RS256")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_keeps_its_name_and_hides_its_private_half(algorithm: Algorithm) -> None:
    key = key_for(algorithm)
    if isinstance(key.signing, bytes):
        again, private = JwtKey.from_secret(key.signing), key.signing.decode()
    else:
        assert algorithm != "HS256"
        again, private = JwtKey.from_pem(algorithm, pem_of(key.signing)), pem_of(key.signing).decode()
    assert again.kid == key.kid
    assert repr(key) == f"JwtKey(algorithm='{algorithm}', kid='{key.kid}')"
    assert private not in repr(key)


def test_names_of_secrets_differ_and_tell_nothing_of_them() -> None:
    keys = [JwtKey.from_secret(secrets.token_urlsafe(32).encode()) for _ in range(3)]
    assert len({key.kid for key in keys}) == 3
    assert all(isinstance(key.signing, bytes) and key.kid.encode() not in key.signing for key in keys)


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 31])
def test_secret_is_refused_when_it_is_shorter_than_the_hash(secret: bytes) -> None:
    """R-TK-06."""
    with pytest.raises(UnsuitableKey, match="shorter than 32 bytes"):
        JwtKey.from_secret(secret)


@pytest.mark.parametrize(
    "head",
    [
        b"-----BEGIN PUBLIC KEY-----\n",
        b"-----BEGIN RSA PUBLIC KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        b"\n-----BEGIN PRIVATE KEY-----\n",
        b"ssh-rsa ",
        b"ecdsa-sha2-nistp256 ",
        b'{"kty": "oct", "k": "',
    ],
)
def test_secret_is_refused_when_it_is_a_key_document(head: bytes) -> None:
    """V-24, V-25: a public key as secret would let everybody sign."""
    with pytest.raises(UnsuitableKey, match="key document"):
        JwtKey.from_secret(head + b"A" * 64)


def test_key_is_refused_when_pyjwt_takes_the_secret_for_something_else() -> None:
    der = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    key = JwtKey.from_secret(der)
    with pytest.raises(UnsuitableKey, match="does not fit HS256"):
        Codec(key)


def test_key_is_refused_when_pyjwt_thinks_it_too_short() -> None:
    """V-27: its strict length check is in force, whatever made the key."""
    with pytest.raises(UnsuitableKey, match="32 bytes"):
        Codec(JwtKey("HS256", "kid", b"k" * 20, b"k" * 20))


def test_private_key_is_refused_when_it_is_of_another_kind() -> None:
    p384 = pem_of(ec.generate_private_key(ec.SECP384R1()))
    ed = pem_of(ed25519.Ed25519PrivateKey.generate())
    other_ed = ed448.Ed448PrivateKey.generate().private_bytes_raw()
    small = pem_of(rsa.generate_private_key(65537, 1024))  # noqa: S505  the point of the test
    cases: list[tuple[Asymmetric, bytes]] = [
        ("ES256", p384),
        ("ES256", ed),
        ("EdDSA", p384),
        ("EdDSA", other_ed),
        ("RS256", small),
        ("RS256", ed),
        ("ES256", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("ES256", b"no key at all"),
        ("ES256", b""),
    ]
    for algorithm, pem in cases:
        with pytest.raises(UnsuitableKey, match="has to be"):
            JwtKey.from_pem(algorithm, pem)


def test_private_key_is_refused_when_it_is_encrypted() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase"))
    with pytest.raises(UnsuitableKey, match="unencrypted"):
        JwtKey.from_pem("ES256", pem)


def test_key_set_is_empty_when_tokens_are_signed_with_a_secret() -> None:
    """R-TK-14."""
    assert key_set(key_for("HS256")) == {"keys": []}


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_key_set_verifies_tokens_elsewhere_and_holds_nothing_private(algorithm: Algorithm, clock: FixedClock) -> None:
    """R-TK-14: another service verifies with what is published."""
    workshop = workshop_for(key_for(algorithm), clock)
    (published,) = key_set(workshop.key)["keys"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & published.keys()
    assert published["kid"] == workshop.key.kid
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    claims = jwt.decode(workshop.token(), jwt.PyJWK(json.loads(json.dumps(published))), [algorithm], options=options)
    assert claims["sub"] == workshop.user.id


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_name_is_the_thumbprint_of_the_public_key(algorithm: Algorithm) -> None:
    """RFC 7638, against an independent reading: required members only, sorted, without blanks."""
    import base64
    import hashlib

    key = key_for(algorithm)
    published = key_set(key)["keys"][0]
    members = {name: published[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in published}
    text = "{" + ",".join(f'"{name}":"{members[name]}"' for name in sorted(members)) + "}"
    assert base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode() == key.kid
