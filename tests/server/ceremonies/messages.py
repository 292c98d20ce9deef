"""Builds valid ceremony messages by hand, independently of the server and of the virtual authenticator.

Every part can be given as finished bytes, so that a test changes one thing of a valid message and signs the result.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

RP_ID = "localhost"
ORIGIN = "http://localhost:8000"
AAGUID = bytes.fromhex("00112233445566778899aabbccddeeff")

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
ES256, EDDSA, RS256 = -7, -8, -257
ABSENT: Any = object()


def text(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


class Raw(bytes):
    """Finished CBOR, put in as it is."""


def head(major: int, argument: int) -> bytes:
    """Major type and argument in the shortest form."""
    if argument < 24:
        return bytes([major << 5 | argument])
    width = next(width for width in (1, 2, 4, 8) if argument < 1 << 8 * width)
    return bytes([major << 5 | 24 + (1, 2, 4, 8).index(width)]) + argument.to_bytes(width, "big")


def cbor(value: Any) -> bytes:
    """CBOR with map members in the order given."""
    if isinstance(value, Raw):
        return bytes(value)
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(member) for key, member in value.items())


def client_data(kind: str, challenge: bytes, /, **members: Any) -> bytes:
    """Client data as browsers write it; a member given as ABSENT is left out."""
    value = {"type": f"webauthn.{kind}", "challenge": text(challenge), "origin": ORIGIN, "crossOrigin": False}
    value.update(members)
    return json.dumps({k: v for k, v in value.items() if v is not ABSENT}, separators=(",", ":")).encode()


def authenticator_data(
    flags: int = UP | UV, *, rp_id: str = RP_ID, sign_count: int = 0, attested: bytes = b"", extensions: bytes = b""
) -> bytes:
    """Authenticator data; AT and ED are set by what is given unless `flags` has them already."""
    flags |= (AT if attested else 0) | (ED if extensions else 0)
    return sha256(rp_id.encode()).digest() + bytes([flags]) + sign_count.to_bytes(4, "big") + attested + extensions


PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_RSA_KEY = rsa.generate_private_key(65537, 2048)


def new_key(algorithm: int) -> PrivateKey:
    """A private key for one of the three algorithms; RSA keys are slow to make, so there is one."""
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return _RSA_KEY if algorithm == RS256 else ec.generate_private_key(ec.SECP256R1())


def sign(key: PrivateKey, data: bytes, *, deterministic: bool = False) -> bytes:
    """A signature as WebAuthn wants it of this kind of key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=deterministic))


def cose_key(key: PrivateKey) -> dict[Any, Any]:
    """The COSE_Key of a private key's public part."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: EDDSA, -1: 6, -2: key.public_key().public_bytes_raw()}
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_numbers()
        return {1: 3, 3: RS256, -1: public.n.to_bytes((public.n.bit_length() + 7) // 8, "big"), -2: b"\x01\x00\x01"}
    point = key.public_key().public_numbers()
    return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}


def attested_data(credential_id: bytes, key: bytes, *, aaguid: bytes = AAGUID) -> bytes:
    """Attested credential data with an encoded COSE_Key."""
    return aaguid + len(credential_id).to_bytes(2, "big") + credential_id + key


def attestation_object(data: bytes, *, fmt: Any = "none", statement: Any = None) -> bytes:
    """The outer map in the canonical order."""
    return cbor({"fmt": fmt, "attStmt": {} if statement is None else statement, "authData": data})


class Passkey:
    """One credential: what an authenticator keeps, and the answers it gives."""

    def __init__(self, algorithm: int = ES256, *, user_handle: bytes = b"h" * 64, flags: int = UP | UV) -> None:
        self.algorithm = algorithm
        self.key = new_key(algorithm)
        self.credential_id = secrets.token_bytes(32)
        self.user_handle = user_handle
        self.flags = flags
        self.sign_count = 0

    @property
    def public_key(self) -> bytes:
        """The encoded COSE_Key."""
        return cbor(cose_key(self.key))

    @property
    def attested(self) -> bytes:
        """Attested credential data."""
        return attested_data(self.credential_id, self.public_key)

    def create(
        self, challenge: bytes, *, client: bytes | None = None, data: bytes | None = None, obj: bytes | None = None
    ) -> dict[str, Any]:
        """A registration, attestation `none`, as `toJSON()` gives it."""
        client = client_data("create", challenge) if client is None else client
        data = (
            authenticator_data(self.flags, sign_count=self.sign_count, attested=self.attested) if data is None else data
        )
        obj = attestation_object(data) if obj is None else obj
        return self._credential(
            {"clientDataJSON": text(client), "attestationObject": text(obj), "transports": ["internal", "hybrid"]}
        )

    def create_packed(
        self, challenge: bytes, *, client: bytes | None = None, statement: dict[Any, Any] | None = None
    ) -> dict[str, Any]:
        """A registration with self attestation; `statement` replaces or adds members."""
        client = client_data("create", challenge) if client is None else client
        data = authenticator_data(self.flags, attested=self.attested)
        signature = sign(self.key, data + sha256(client).digest())
        members = {"alg": self.algorithm, "sig": signature, **(statement or {})}
        members = {name: member for name, member in members.items() if member is not ABSENT}
        return self.create(challenge, client=client, obj=attestation_object(data, fmt="packed", statement=members))

    def get(
        self,
        challenge: bytes,
        *,
        client: bytes | None = None,
        data: bytes | None = None,
        signature: bytes | None = None,
    ) -> dict[str, Any]:
        """An assertion as `toJSON()` gives it."""
        client = client_data("get", challenge) if client is None else client
        data = authenticator_data(self.flags, sign_count=self.sign_count) if data is None else data
        signature = sign(self.key, data + sha256(client).digest()) if signature is None else signature
        return self._credential(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": text(self.user_handle),
            }
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": text(self.credential_id),
            "rawId": text(self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
