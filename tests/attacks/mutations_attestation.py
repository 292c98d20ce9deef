"""Defects of the attestation object and of its statement.

The formats that carry certificates are not among those the settings accept: their cases are played with crude
statements, each of which has the defect, and show that the format is refused as a whole.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from tests.attacks.drafts import Encoded, RegistrationDraft
from tests.attacks.malformed_cbor import long_form, map_of, nested_arrays, pairs_of
from tests.attacks.registry import mutation

ES256 = -7
TPM_EKU = ObjectIdentifier("2.23.133.8.3")
ANDROID_KEY_DESCRIPTION = ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")


@mutation("reg.ao.fmt-missing")
def format_missing(draft: RegistrationDraft) -> None:
    del draft.members["fmt"]


@mutation("reg.ao.fmt-not-string")
def format_is_number(draft: RegistrationDraft) -> None:
    draft.members["fmt"] = 0


@mutation("reg.ao.fmt-bytes")
def format_is_bytes(draft: RegistrationDraft) -> None:
    draft.members["fmt"] = b"none"


@mutation("reg.ao.attstmt-missing")
def statement_missing(draft: RegistrationDraft) -> None:
    del draft.members["attStmt"]


@mutation("reg.ao.attstmt-text")
def statement_is_text(draft: RegistrationDraft) -> None:
    draft.members["attStmt"] = ""


@mutation("reg.ao.authdata-missing")
def authenticator_data_missing(draft: RegistrationDraft) -> None:
    del draft.members["authData"]


@mutation("reg.ao.authdata-not-bytes", "text")
def authenticator_data_is_text(draft: RegistrationDraft) -> None:
    draft.members["authData"] = draft.authenticator_data().hex()


@mutation("reg.ao.authdata-not-bytes", "array")
def authenticator_data_is_array(draft: RegistrationDraft) -> None:
    draft.members["authData"] = list(draft.authenticator_data())


@mutation("reg.ao.dup-keys")
def authenticator_data_twice(draft: RegistrationDraft) -> None:
    members = draft.outer_members()
    draft.object_bytes = map_of([*pairs_of(members), ("authData", members["authData"])])


@mutation("reg.ao.deep-nesting")
def nested_100_000_deep(draft: RegistrationDraft) -> None:
    draft.members["attStmt"] = {"x": nested_arrays(100_000)}


@mutation("reg.ao.deep-nesting", "as large as a body may be")
def nested_40_000_deep(draft: RegistrationDraft) -> None:
    draft.members["attStmt"] = {"x": nested_arrays(40_000)}


@mutation("reg.ao.huge-length")
def authenticator_data_said_to_have_2_to_the_60_bytes(draft: RegistrationDraft) -> None:
    draft.members["authData"] = Encoded(long_form(2, 1 << 60, 8) + draft.authenticator_data())


@mutation("reg.ao.unknown-fmt")
def format_unknown(draft: RegistrationDraft) -> None:
    draft.members["fmt"] = "homemade"


@mutation("reg.none.full-stmt")
def none_with_a_packed_statement(draft: RegistrationDraft) -> None:
    draft.members["attStmt"] = {"alg": ES256, "sig": draft.sign()}


@mutation("reg.none.unknown-member")
def none_with_a_member(draft: RegistrationDraft) -> None:
    draft.members["attStmt"] = {"note": "nothing is stated"}


@mutation("reg.none.policy")
def none_where_a_statement_is_demanded(draft: RegistrationDraft) -> None:
    draft.state("none", {})


@mutation("reg.packed.stmt-empty")
def packed_empty(draft: RegistrationDraft) -> None:
    draft.state("packed", {})


@mutation("reg.packed.alg-missing")
def packed_without_algorithm(draft: RegistrationDraft) -> None:
    del draft.statement["alg"]


@mutation("reg.packed.alg-not-number")
def packed_algorithm_is_text(draft: RegistrationDraft) -> None:
    draft.statement["alg"] = "ES256"


@mutation("reg.packed.sig-missing")
def packed_without_signature(draft: RegistrationDraft) -> None:
    del draft.statement["sig"]


@mutation("reg.packed.sig-empty")
def packed_signature_empty(draft: RegistrationDraft) -> None:
    draft.state("packed", {"alg": ES256, "sig": b""})


@mutation("reg.packed.x5c-empty")
def packed_with_no_certificate_in_its_chain(draft: RegistrationDraft) -> None:
    draft.statement["x5c"] = []


@mutation("reg.u2f.x5c-missing")
def u2f_without_certificate(draft: RegistrationDraft) -> None:
    draft.state("fido-u2f", {"sig": draft.sign()})


def _tpm(draft: RegistrationDraft, certificate: bytes, certified: bytes) -> None:
    statement = {
        "ver": "2.0",
        "alg": ES256,
        "x5c": [certificate],
        "sig": draft.sign(),
        "certInfo": certified,
        "pubArea": secrets.token_bytes(86),
    }
    draft.state("tpm", statement)


@mutation("reg.tpm.san-missing")
def tpm_certificate_without_alternative_name(draft: RegistrationDraft) -> None:
    _tpm(draft, certificate_with(x509.ExtendedKeyUsage([TPM_EKU])), secrets.token_bytes(161))


@mutation("reg.tpm.eku-missing")
def tpm_certificate_without_key_usage(draft: RegistrationDraft) -> None:
    name = x509.SubjectAlternativeName([x509.DNSName("tpm.example")])
    _tpm(draft, certificate_with(name), secrets.token_bytes(161))


@mutation("reg.tpm.certinfo-empty")
def tpm_certifies_nothing(draft: RegistrationDraft) -> None:
    _tpm(draft, certificate_with(x509.ExtendedKeyUsage([TPM_EKU])), b"")


@mutation("reg.android.lists-empty")
def android_with_empty_authorisation_lists(draft: RegistrationDraft) -> None:
    # Two versions and security levels, the challenge, no id, and two empty lists.
    lists = b"\x02\x01\x03\x0a\x01\x01\x02\x01\x04\x0a\x01\x01\x04\x02ch\x04\x00\x30\x00\x30\x00"
    description = x509.UnrecognizedExtension(ANDROID_KEY_DESCRIPTION, b"\x30" + bytes([len(lists)]) + lists)
    draft.state("android-key", {"alg": ES256, "sig": draft.sign(), "x5c": [certificate_with(description)]})


@mutation("reg.safetynet.ver-empty")
def safetynet_without_version(draft: RegistrationDraft) -> None:
    draft.state("android-safetynet", {"ver": "", "response": b"e30.e30.AA"})


@cache
def certificate_with(extension: x509.ExtensionType) -> bytes:
    """A self-signed certificate with one extension, in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    builder: Any = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=3650))
    certificate: x509.Certificate = builder.add_extension(extension, critical=False).sign(key, SHA256())
    return certificate.public_bytes(Encoding.DER)
