"""Attestation statements."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from authctl.virtual_authenticator import PLATFORM, Flag, MakeCredentialRequest, UserEntity, VirtualAuthenticator
from authctl.virtual_authenticator.attestation import der
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


def test_each_format_is_found_by_its_name() -> None:
    assert {name: found.identifier for name, found in FORMATS.items()} == {
        "none": "none",
        "packed": "packed",
        "packed-x5c": "packed",
        "fido-u2f": "fido-u2f",
        "tpm": "tpm",
        "android-key": "android-key",
        "apple": "apple",
    }
    assert all(format_named(name).name == name for name in FORMATS)
    with pytest.raises(NotSupported, match="'android-safetynet'"):
        format_named("android-safetynet")


def attested(name: str, algorithm: int = -7) -> tuple[dict[str, Any], VirtualAuthenticator]:
    authenticator = VirtualAuthenticator(replace(PLATFORM, attestation_formats=(name,)))
    request = MakeCredentialRequest(bytes(32), "localhost", UserEntity(b"1", "", ""), (algorithm,))
    return cbor2.loads(authenticator.make_credential(request).attestation_object()), authenticator


@pytest.mark.parametrize("name", ["packed-x5c", "fido-u2f", "tpm", "android-key", "apple"])
def test_a_certificate_is_issued_by_the_root_that_the_authenticator_shows(name: str) -> None:
    attestation, authenticator = attested(name)
    root = x509.load_pem_x509_certificate(authenticator.authority.root_pem())
    leaf = x509.load_der_x509_certificate(attestation["attStmt"]["x5c"][0])
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.version is x509.Version.v3


def test_a_packed_certificate_names_the_model_and_the_unit_of_the_standard() -> None:
    """WebAuthn §8.2.1."""
    attestation, _ = attested("packed-x5c")
    leaf = x509.load_der_x509_certificate(attestation["attStmt"]["x5c"][0])
    (model,) = [e.value for e in leaf.extensions if e.oid.dotted_string == "1.3.6.1.4.1.45724.1.1.4"]
    assert isinstance(model, x509.UnrecognizedExtension)
    assert model.value == b"\x04\x10" + attestation["authData"][37:53]
    (unit,) = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert unit.value == "Authenticator Attestation"


def test_a_u2f_attestation_refuses_a_key_that_u2f_does_not_know() -> None:
    with pytest.raises(NotSupported, match="ES256"):
        attested("fido-u2f", -8)


def test_a_tpm_refuses_a_key_that_it_has_no_area_for() -> None:
    with pytest.raises(NotSupported, match="TPM"):
        attested("tpm", -8)


@pytest.mark.parametrize(("algorithm", "kind"), [(-7, 0x0023), (-35, 0x0023), (-257, 0x0001)])
def test_a_tpm_certifies_the_area_of_the_key(algorithm: int, kind: int) -> None:
    statement = attested("tpm", algorithm)[0]["attStmt"]
    area, information = statement["pubArea"], statement["certInfo"]
    assert int.from_bytes(area[:2], "big") == kind
    assert information[:6].hex() == "ff5443478017"
    assert information.endswith(b"\x00\x22\x00\x0b" + sha256(area).digest() + b"\x00\x00")


def test_the_certificates_of_a_seed_are_the_same_in_every_run() -> None:
    roots = {VirtualAuthenticator(seed="s").authority.root_der() for _ in range(2)}
    assert len(roots) == 1
    assert VirtualAuthenticator(seed="other").authority.root_der() not in roots


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65536])
def test_a_length_in_der_is_the_shortest_that_says_it(length: int) -> None:
    element = der.tlv(der.OCTET_STRING, bytes(length))
    head = element[: len(element) - length]
    octets = (length.bit_length() + 7) // 8
    expected = bytes([length]) if length < 128 else bytes([0x80 | octets]) + length.to_bytes(octets, "big")
    assert head == b"\x04" + expected


@pytest.mark.parametrize(("number", "head"), [(1, "a1"), (30, "be"), (31, "bf1f"), (127, "bf7f"), (702, "bf853e")])
def test_a_context_tag_takes_as_many_octets_as_its_number_needs(number: int, head: str) -> None:
    assert der.tagged(number, b"\x05\x00").hex() == head + "020500"


@pytest.mark.parametrize(("value", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (300, "0202012c")])
def test_a_number_in_der_is_never_taken_for_a_negative_one(value: int, encoded: str) -> None:
    assert der.integer(value).hex() == encoded


@pytest.mark.parametrize(
    ("preset", "fmt", "flags"),
    [
        ("u2f-token", "fido-u2f", Flag.UP | Flag.AT),
        ("tpm-laptop", "tpm", Flag.UP | Flag.UV | Flag.AT),
        ("android", "android-key", Flag.UP | Flag.UV | Flag.AT),
        ("apple", "apple", Flag.UP | Flag.UV | Flag.AT),
    ],
)
def test_a_preset_attests_as_its_kind_of_device_does(preset: str, fmt: str, flags: Flag) -> None:
    request = MakeCredentialRequest(bytes(32), "localhost", UserEntity(b"1", "", ""), (-8, -7))
    made = VirtualAuthenticator(preset).make_credential(request)
    assert (made.format, made.authenticator_data.flags) == (fmt, flags)
