"""Authenticator data (WebAuthn Level 3 §6.1) and attested credential data (§6.5.1): bytes with read-only fields."""

from __future__ import annotations

import struct
from enum import IntFlag
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Any

import cbor2

_HEAD = struct.Struct(">32sBI")
_ID_LENGTH = struct.Struct(">H")


class Flag(IntFlag):
    """The flags byte."""

    UP = 0x01
    UV = 0x04
    BE = 0x08
    BS = 0x10
    AT = 0x40
    ED = 0x80


@lru_cache(maxsize=256)
def rp_id_hash(rp_id: str) -> bytes:
    """SHA-256 of the RP id."""
    return sha256(rp_id.encode()).digest()


class AttestedCredentialData(bytes):
    """AAGUID, credential id and COSE public key of a new credential."""

    __slots__ = ()

    @classmethod
    def create(cls, aaguid: bytes, credential_id: bytes, public_key: bytes) -> AttestedCredentialData:
        """Puts the parts together; `public_key` is an encoded COSE key."""
        return cls(b"".join((aaguid, _ID_LENGTH.pack(len(credential_id)), credential_id, public_key)))

    @property
    def aaguid(self) -> bytes:
        """The 16 bytes that name the model of authenticator."""
        return self[:16]

    @property
    def credential_id(self) -> bytes:
        """The credential id."""
        (length,) = _ID_LENGTH.unpack_from(self, 16)
        return self[18 : 18 + length]

    @property
    def public_key(self) -> bytes:
        """The encoded COSE key."""
        return self[18 + len(self.credential_id) :]


class AuthenticatorData(bytes):
    """What an authenticator signs before the hash of the client data."""

    __slots__ = ()

    @classmethod
    def create(
        cls, rp_hash: bytes, flags: int, sign_count: int, attested: bytes = b"", extensions: bytes = b""
    ) -> AuthenticatorData:
        """Puts the parts together; AT and ED follow from what is there. `extensions` is an encoded CBOR map."""
        if attested:
            flags |= Flag.AT
        if extensions:
            flags |= Flag.ED
        return cls(_HEAD.pack(rp_hash, flags, sign_count) + attested + extensions)

    @property
    def rp_id_hash(self) -> bytes:
        """SHA-256 of the RP id."""
        return self[:32]

    @property
    def flags(self) -> Flag:
        """The flags byte."""
        return Flag(self[32])

    @property
    def sign_count(self) -> int:
        """The signature counter."""
        return int.from_bytes(self[33:37], "big")

    @property
    def attested(self) -> AttestedCredentialData | None:
        """The attested credential data, in a registration."""
        if not self.flags & Flag.AT:
            return None
        rest = self[37:]
        start = 18 + _ID_LENGTH.unpack_from(rest, 16)[0]
        return AttestedCredentialData(rest[: start + _length_of_first_item(rest[start:])])

    @property
    def extensions(self) -> dict[str, Any]:
        """The extension outputs, empty when there are none."""
        if not self.flags & Flag.ED:
            return {}
        outputs: dict[str, Any] = cbor2.loads(self[37 + len(self.attested or b"") :])
        return outputs


def _length_of_first_item(data: bytes) -> int:
    stream = BytesIO(data)
    cbor2.load(stream)
    return stream.tell()
