"""Authenticator data (WebAuthn section 6.1): the bytes, cut into their parts, with nothing left over."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import cbor
from authctl.server.ceremonies.reasons import Reason

_USER_PRESENT: Final = 0x01
_USER_VERIFIED: Final = 0x04
_BACKUP_ELIGIBLE: Final = 0x08
_BACKED_UP: Final = 0x10
_ATTESTED: Final = 0x40
_EXTENSIONS: Final = 0x80

_HEADER: Final = 37
_ATTESTED_HEADER: Final = 18


@dataclass(frozen=True, slots=True)
class AttestedCredential:
    """The credential that a registration makes known; `public_key` is the COSE_Key, `key` the same decoded."""

    aaguid: str
    credential_id: bytes
    public_key: bytes
    key: cbor.Value


@dataclass(frozen=True, slots=True)
class AuthenticatorData:
    """Authenticator data, read. The reserved bits of `flags` are left alone, as the standard asks."""

    rp_id_hash: bytes
    flags: int
    sign_count: int
    attested: AttestedCredential | None

    @property
    def is_user_present(self) -> bool:
        """UP."""
        return bool(self.flags & _USER_PRESENT)

    @property
    def is_user_verified(self) -> bool:
        """UV."""
        return bool(self.flags & _USER_VERIFIED)

    @property
    def is_backup_eligible(self) -> bool:
        """BE."""
        return bool(self.flags & _BACKUP_ELIGIBLE)

    @property
    def is_backed_up(self) -> bool:
        """BS."""
        return bool(self.flags & _BACKED_UP)


def read(data: bytes) -> AuthenticatorData:
    """The parts of `data`; raises CeremonyFailed with `authenticator_data_malformed`."""
    try:
        return _read(data)
    except ValueError as error:
        raise CeremonyFailed(Reason.AUTHENTICATOR_DATA_MALFORMED, debug=str(error)) from error


def _read(data: bytes) -> AuthenticatorData:
    if len(data) < _HEADER:
        raise ValueError(f"{len(data)} bytes")
    flags, at = data[32], _HEADER
    attested: AttestedCredential | None = None
    if flags & _ATTESTED:
        attested, at = _attested(data, at)
    if flags & _EXTENSIONS:
        extensions, at = cbor.read_at(data, at)
        if not isinstance(extensions, dict) or not all(isinstance(name, str) for name in extensions):
            raise ValueError("extensions that are not a map of names")
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes after the end")
    return AuthenticatorData(data[:32], flags, int.from_bytes(data[33:37], "big"), attested)


def _attested(data: bytes, start: int) -> tuple[AttestedCredential, int]:
    id_start = start + _ATTESTED_HEADER
    key_start = id_start + int.from_bytes(data[id_start - 2 : id_start], "big")
    # An id that runs beyond the end leaves no byte for the key, which the reader then misses.
    key, end = cbor.read_at(data, key_start)
    aaguid = str(uuid.UUID(bytes=data[start : start + 16]))
    return AttestedCredential(aaguid, data[id_start:key_start], data[key_start:end], key), end
