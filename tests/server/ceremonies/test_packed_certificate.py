"""Packed statements with certificates: refused unless roots are given, then judged by section 8.2.1."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies import messages
from tests.server.ceremonies.judging import CHALLENGE, NOW, PASSKEY, refusal_of, register
from tests.server.ceremonies.messages import ES256, RS256, authenticator_data, client_data, sign

if TYPE_CHECKING:
    from collections.abc import Callable


class Authority:
    """A root and the attestation certificates that it signs."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name_of("Root", unit="Authorities")
        self.certificate = self.sign(self.name, self.key.public_key(), is_authority=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        is_authority: bool | None = False,
        starts: datetime = NOW - timedelta(days=4000),
        ends: datetime = NOW + timedelta(days=4000),
        aaguid: bytes | None = None,
        is_critical: bool = False,
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number(), starts, ends)
        if is_authority is not None:
            builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        if aaguid is not None:
            oid = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, aaguid), critical=is_critical)
        return builder.sign(self.key, hashes.SHA256())


def name_of(common: str | None, *, unit: str | None = "Authenticator Attestation", country: str = "AA") -> x509.Name:
    parts = [
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, "Maker"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


AUTHORITY = Authority()
LEAF_KEY = ec.generate_private_key(ec.SECP256R1())
GOOD = name_of("Model 1")
X5C = frozenset({"packed-x5c"})


def attested(certificate: x509.Certificate, key: Any = LEAF_KEY, alg: int = ES256) -> dict[str, Any]:
    client = client_data("create", CHALLENGE)
    signature = sign(key, authenticator_data(attested=PASSKEY.attested) + sha256(client).digest())
    statement = {"alg": alg, "sig": signature, "x5c": [certificate.public_bytes(Encoding.DER)]}
    return PASSKEY.create_packed(CHALLENGE, client=client, statement=statement)


def leaf(subject: x509.Name = GOOD, **changes: Any) -> x509.Certificate:
    return AUTHORITY.sign(subject, LEAF_KEY.public_key(), **changes)


@pytest.mark.parametrize("changes", [{}, {"aaguid": b"\x04\x10" + messages.AAGUID}])
def test_a_certified_authenticator_is_accepted_under_its_root(changes: dict[str, Any]) -> None:
    verified = register(attested(leaf(**changes)), formats=X5C, roots=(AUTHORITY.pem,))
    assert verified.attestation_format == "packed-x5c"


def test_a_certified_authenticator_is_refused_when_no_root_is_configured() -> None:
    assert refusal_of(lambda: register(attested(leaf()), formats=X5C)) == Reason.ATTESTATION_FORMAT_REFUSED
    assert refusal_of(lambda: register(attested(leaf()))) == Reason.ATTESTATION_FORMAT_REFUSED


LEAVES: dict[str, Callable[[], x509.Certificate]] = {
    "expired": lambda: leaf(ends=NOW - timedelta(days=1)),
    "not yet in force": lambda: leaf(starts=NOW + timedelta(days=1)),
    "of an authority": lambda: leaf(is_authority=True),
    "without Basic Constraints": lambda: leaf(is_authority=None),
    "of another unit": lambda: leaf(name_of("Model 1", unit="Sales")),
    "without a unit": lambda: leaf(name_of("Model 1", unit=None)),
    "without a common name": lambda: leaf(name_of(None)),
    "without a country": lambda: leaf(name_of("Model 1", country="")),
    "of another model": lambda: leaf(aaguid=b"\x04\x10" + bytes(16)),
    "with a bare AAGUID": lambda: leaf(aaguid=messages.AAGUID),
    "with a critical AAGUID": lambda: leaf(aaguid=b"\x04\x10" + messages.AAGUID, is_critical=True),
}


@pytest.mark.parametrize("make", LEAVES.values(), ids=LEAVES)
def test_a_certified_authenticator_is_refused_when_its_certificate_breaks_a_rule(
    make: Callable[[], x509.Certificate],
) -> None:
    """Section 8.2.1."""
    answer = attested(make())
    assert refusal_of(lambda: register(answer, formats=X5C, roots=(AUTHORITY.pem,))) == Reason.ATTESTATION_INVALID


def test_a_certified_authenticator_is_refused_when_root_key_or_algorithm_is_another() -> None:
    roots = (Authority().pem,)
    assert refusal_of(lambda: register(attested(leaf()), formats=X5C, roots=roots)) == Reason.LIBRARY_REFUSED
    other = attested(leaf(), key=PASSKEY.key)
    assert refusal_of(lambda: register(other, formats=X5C, roots=(AUTHORITY.pem,))) == Reason.ATTESTATION_INVALID
    rsa = attested(leaf(), alg=RS256)
    assert refusal_of(lambda: register(rsa, formats=X5C, roots=(AUTHORITY.pem,))) == Reason.LIBRARY_REFUSED


def test_a_certificate_is_refused_when_it_is_not_of_version_3() -> None:
    """A certificate of version 1 has neither the five bytes of the version nor extensions."""
    made = leaf(is_authority=None).public_bytes(Encoding.DER)
    assert (made[:2], made[4:6], made[8:13]) == (b"\x30\x82", b"\x30\x82", b"\xa0\x03\x02\x01\x02")
    der = bytearray(made[:8] + made[13:])
    for at in (2, 6):
        der[at : at + 2] = (int.from_bytes(der[at : at + 2], "big") - 5).to_bytes(2, "big")
    answer = PASSKEY.create_packed(CHALLENGE, statement={"x5c": [bytes(der)]})
    with pytest.raises(CeremonyFailed) as refusal:
        register(answer, formats=X5C, roots=(AUTHORITY.pem,))
    assert refusal.value.debug == "certificate: not version 3"


def unknown_version() -> bytes:
    made = leaf().public_bytes(Encoding.DER)
    return made[:12] + b"\x09" + made[13:]


def unknown_kind_of_name() -> bytes:
    """An alternative name that is an X.400 address."""
    san = x509.UnrecognizedExtension(x509.OID_SUBJECT_ALTERNATIVE_NAME, b"\x30\x02\xa3\x00")
    builder = x509.CertificateBuilder(
        AUTHORITY.name, GOOD, LEAF_KEY.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days=1)
    )
    return builder.add_extension(san, critical=False).sign(AUTHORITY.key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("make", [unknown_version, unknown_kind_of_name])
def test_a_certificate_is_refused_when_its_parser_has_an_exception_of_its_own_for_it(
    make: Callable[[], bytes],
) -> None:
    """R-WA-20."""
    answer = PASSKEY.create_packed(CHALLENGE, statement={"x5c": [make()]})
    assert refusal_of(lambda: register(answer, formats=X5C, roots=(AUTHORITY.pem,))) == Reason.ATTESTATION_INVALID


def test_bytes_that_are_no_certificate_are_refused() -> None:
    answer = PASSKEY.create_packed(CHALLENGE, statement={"x5c": [b"no certificate"]})
    assert refusal_of(lambda: register(answer, formats=X5C, roots=(AUTHORITY.pem,))) == Reason.ATTESTATION_INVALID
