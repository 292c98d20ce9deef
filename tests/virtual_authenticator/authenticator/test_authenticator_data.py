"""Authenticator data: bytes with fields."""

from __future__ import annotations

from hashlib import sha256

from authctl.virtual_authenticator.authenticator import cbor
from authctl.virtual_authenticator.authenticator.authenticator_data import (
    AttestedCredentialData,
    AuthenticatorData,
    Flag,
    rp_id_hash,
)

KEY = cbor.encode({1: 1, 3: -8, -1: 6, -2: bytes(32)})
ATTESTED = AttestedCredentialData.create(b"m" * 16, b"credential", KEY)


def test_an_assertion_has_37_bytes_and_no_attested_data() -> None:
    data = AuthenticatorData.create(rp_id_hash("localhost"), Flag.UP | Flag.UV, 7)
    assert len(data) == 37
    assert data.rp_id_hash == sha256(b"localhost").digest()
    assert (data.flags, data.sign_count, data.attested, data.extensions) == (Flag.UP | Flag.UV, 7, None, {})


def test_the_parts_of_a_registration_read_back() -> None:
    extensions = cbor.encode({"credProtect": 2})
    data = AuthenticatorData.create(bytes(32), Flag.UP, 2**32 - 1, ATTESTED, extensions)
    assert data.flags == Flag.UP | Flag.AT | Flag.ED
    assert data.attested == ATTESTED
    assert data.extensions == {"credProtect": 2}
    assert data.sign_count == 2**32 - 1


def test_extensions_read_back_without_attested_data() -> None:
    data = AuthenticatorData.create(bytes(32), 0, 0, extensions=cbor.encode({"x": True}))
    assert data.extensions == {"x": True}


def test_attested_data_gives_its_parts() -> None:
    assert (ATTESTED.aaguid, ATTESTED.credential_id, ATTESTED.public_key) == (b"m" * 16, b"credential", KEY)
