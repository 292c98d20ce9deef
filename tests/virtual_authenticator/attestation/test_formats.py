"""Attestation statements."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from authctl.virtual_authenticator import MakeCredentialRequest, UserEntity, VirtualAuthenticator
from authctl.virtual_authenticator.attestation.formats import FORMATS, format_named
from authctl.virtual_authenticator.errors import NotSupported


def made(*formats: str) -> dict[str, object]:
    request = MakeCredentialRequest(
        bytes(32), "localhost", UserEntity(b"1", "", ""), (-8,), attestation_formats=formats
    )
    found: dict[str, object] = cbor2.loads(VirtualAuthenticator().make_credential(request).attestation_object())
    return found


def test_packed_self_is_signed_by_the_new_key_over_data_and_hash() -> None:
    attestation = made("packed")
    data, statement = attestation["authData"], attestation["attStmt"]
    assert isinstance(data, bytes)
    assert isinstance(statement, dict)
    assert statement["alg"] == -8
    Ed25519PublicKey.from_public_bytes(data[-32:]).verify(statement["sig"], data + bytes(32))


def test_none_states_nothing() -> None:
    assert made("none")["attStmt"] == {}


def test_the_authenticator_prefers_packed_when_nothing_it_knows_is_asked_for() -> None:
    assert made()["fmt"] == made("tpm")["fmt"] == "packed"


def test_each_format_is_found_by_its_identifier() -> None:
    assert set(FORMATS) == {"none", "packed"}
    assert all(format_named(name).identifier == name for name in FORMATS)
    with pytest.raises(NotSupported, match="'tpm'"):
        format_named("tpm")
