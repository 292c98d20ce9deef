"""Certificates that are issued anew: with a fault, and still signed by whom they name."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from authctl.virtual_authenticator.attestation.authority import Authority, Extension
from authctl.virtual_authenticator.faults.android import KeyDescription
from authctl.virtual_authenticator.faults.attestation_formats import certified_of, tpm_of
from authctl.virtual_authenticator.faults.certificate_contents import description_of
from authctl.virtual_authenticator.faults.certificates import CertificateDraft, Issuer, of_version_1, reissued
from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.stage import Lab, Person
from authctl.virtual_authenticator.faults.tpm import CertifyInformation, PublicArea
from tests.virtual_authenticator.faults.fake_party import FakeParty

AUTHORITY = Authority()
UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.55555.1")


def leaf() -> CertificateDraft:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = Issuer(AUTHORITY.root.subject, AUTHORITY.key)
    return CertificateDraft(AUTHORITY.names.of("Authenticator Attestation"), key.public_key(), issuer)


def test_a_certificate_is_one_of_its_authority() -> None:
    made = x509.load_der_x509_certificate(leaf().der())
    made.verify_directly_issued_by(AUTHORITY.root)
    assert [extension.oid._name for extension in made.extensions] == [
        "basicConstraints",
        "keyUsage",
        "subjectKeyIdentifier",
        "authorityKeyIdentifier",
    ]


def test_extensions_are_replaced_added_and_left_out_by_name() -> None:
    draft = leaf()
    draft.extensions |= {"keyUsage": None, "own": None}
    own = Extension(x509.UnrecognizedExtension(UNKNOWN, b"\x05\x00"))
    made = x509.load_der_x509_certificate(draft.der({"own": own, "other": own}))
    assert len(made.extensions) == 4
    assert made.extensions.get_extension_for_oid(UNKNOWN).value == own.value


def test_a_certificate_whose_bytes_were_changed_is_signed_again() -> None:
    made = leaf().der()
    again = reissued(made, AUTHORITY.key, of_version_1)
    with pytest.raises(ValueError, match="version"):
        x509.load_der_x509_certificate(again).extensions  # noqa: B018
    assert b"\xa0\x03\x02\x01\x00" in again
    parsed = x509.load_der_x509_certificate(reissued(made, AUTHORITY.key, lambda content: content))
    AUTHORITY.key.public_key().verify(parsed.signature, parsed.tbs_certificate_bytes, ec.ECDSA(SHA256()))


def test_the_parts_of_a_tpm_s_structures_make_them_again() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    area = PublicArea.of(key)
    assert area.encode()[:2] == b"\x00\x23"
    information = CertifyInformation.of(b"nonce", area.encode())
    assert information.encode().startswith(b"\xff\x54\x43\x47\x80\x17\x00\x00\x00\x05nonce")


def test_a_key_description_may_have_a_challenge_of_its_own() -> None:
    description = KeyDescription()
    assert b"given" in description.encode(b"given")
    description.challenge = b"own"
    assert b"given" not in description.encode(b"given")


def test_a_fault_of_one_format_is_not_for_another() -> None:
    draft = Person(Lab(FakeParty()), Needs()).make()
    for part in (certified_of, tpm_of, description_of):
        with pytest.raises(TypeError, match="the draft"):
            part(draft)
