"""Keys of credentials."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from authctl.virtual_authenticator import SeededRandom, SystemRandom
from authctl.virtual_authenticator.authenticator.algorithms import rsa as rsa_algorithms
from authctl.virtual_authenticator.authenticator.keys import (
    ALGORITHMS,
    EDDSA,
    ES256,
    RS256,
    CredentialKey,
    algorithm_named,
)
from authctl.virtual_authenticator.authenticator.primes import _is_probable_prime
from authctl.virtual_authenticator.errors import NotSupported, StoreDamaged

pytestmark = pytest.mark.usefixtures("real_keys")


@pytest.mark.parametrize("identifier", ALGORITHMS)
def test_a_key_survives_the_store(identifier: int) -> None:
    key = CredentialKey.generate(identifier, SystemRandom())
    again = CredentialKey.from_pkcs8(identifier, key.to_pkcs8())
    assert again.public_cose() == key.public_cose()
    assert again.public_spki() == key.public_spki()
    assert again.to_pkcs8() == key.to_pkcs8()
    assert load_der_public_key(again.public_spki()) == load_der_public_key(key.public_spki())


LABELS = {
    1: {1, 3, -1, -2},
    2: {1, 3, -1, -2, -3},
    3: {1, 3, -1, -2},
    7: {1, 3, -1},
}
"""The required members of each key type: OKP, EC2, RSA and AKP."""


@pytest.mark.parametrize("identifier", ALGORITHMS)
def test_a_cose_key_has_the_required_members_and_no_other(identifier: int) -> None:
    members = cbor2.loads(CredentialKey.generate(identifier, SystemRandom()).public_cose())
    assert set(members) == LABELS[members[1]]
    assert members[3] == identifier


@pytest.mark.parametrize(("identifier", "width"), [(-7, 32), (-35, 48), (-36, 66), (-47, 32)])
def test_coordinates_have_the_width_of_their_curve(identifier: int, width: int) -> None:
    for number in range(6):
        key = CredentialKey.generate(identifier, SeededRandom(f"width {number}"))
        members = cbor2.loads(key.public_cose())
        assert (len(members[-2]), len(members[-3])) == (width, width)


@pytest.mark.parametrize("identifier", ALGORITHMS)
@pytest.mark.parametrize("is_deterministic", [False, True])
def test_a_signature_verifies_under_the_public_key(identifier: int, is_deterministic: bool) -> None:
    key = CredentialKey.generate(identifier, SystemRandom())
    signature = key.sign(b"message", is_deterministic=is_deterministic)
    verify(identifier, load_der_public_key(key.public_spki()), signature, b"message")
    with pytest.raises(InvalidSignature):
        verify(identifier, load_der_public_key(key.public_spki()), signature, b"another")


def verify(identifier: int, public: Any, signature: bytes, message: bytes) -> None:
    """Checks a signature with the library's own verification."""
    digests = (
        (SHA1(), {-65535}),  # noqa: S303
        (SHA256(), {-7, -9, -47, -257, -37}),
        (SHA384(), {-35, -51, -258, -38}),
        (SHA512(), {-36, -52, -259, -39}),
    )
    digest = next((digest for digest, those in digests if identifier in those), None)
    if digest is None:
        public.verify(signature, message)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(digest))
    elif identifier in (-37, -38, -39):
        scheme = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
        public.verify(signature, message, scheme, digest)
    else:
        public.verify(signature, message, padding.PKCS1v15(), digest)


@pytest.mark.parametrize("identifier", ALGORITHMS)
def test_a_stored_key_of_another_kind_is_refused(identifier: int) -> None:
    other = CredentialKey.generate(-7 if identifier in (-35, -51) else -35, SystemRandom())
    with pytest.raises(StoreDamaged):
        CredentialKey.from_pkcs8(identifier, other.to_pkcs8()).public_cose()


@pytest.mark.parametrize("identifier", [number for number, found in ALGORITHMS.items() if found.is_repeatable])
def test_signatures_are_the_same_in_every_run_when_they_are_deterministic(identifier: int) -> None:
    keys = [CredentialKey.generate(identifier, SeededRandom("seed")) for _ in range(2)]
    first, second = (key.sign(b"message", is_deterministic=True) for key in keys)
    assert first == second


def test_fully_specified_identifiers_name_the_same_keys() -> None:
    """RFC 9864: ESP256 is ES256 on P-256, and so on; only the identifier differs."""
    for general, exact in ((-7, -9), (-35, -51), (-36, -52), (-8, -19)):
        keys = [CredentialKey.generate(identifier, SeededRandom("same")) for identifier in (general, exact)]
        assert keys[0].public_spki() == keys[1].public_spki()
        assert keys[0].public_cose() != keys[1].public_cose()


@pytest.mark.parametrize("salt_bytes", [0, 8, 32])
def test_the_salt_of_a_repeatable_pss_signature_has_the_length_asked_for(salt_bytes: int) -> None:
    key = rsa_algorithms.ALGORITHMS[0].generate(SystemRandom())
    signature = rsa_algorithms.sign_pss(key, b"message", SHA256(), salt_bytes=salt_bytes)
    key.public_key().verify(signature, b"message", padding.PSS(padding.MGF1(SHA256()), salt_bytes), SHA256())


def test_a_seeded_rsa_key_has_2048_bits() -> None:
    members = cbor2.loads(CredentialKey.generate(RS256, SeededRandom("rsa")).public_cose())
    assert int.from_bytes(members[-1], "big").bit_length() == 2048
    assert members[-2] == b"\x01\x00\x01"


@pytest.mark.parametrize(
    ("number", "expected"), [(13, True), (97, True), (341, False), (2**89 - 1, True), (2**89 + 1, False), (25, False)]
)
def test_a_composite_is_found_out(number: int, expected: bool) -> None:
    assert all(_is_probable_prime(number, base) for base in (2, 3, 5)) is expected


def test_a_key_never_shows_itself() -> None:
    """R-CL-06: private keys are never printed."""
    key = CredentialKey.generate(ES256, SystemRandom())
    assert repr(key) == str(key) == "<CredentialKey ES256>"


def test_a_stored_key_is_refused_when_it_is_broken_or_of_another_algorithm() -> None:
    with pytest.raises(StoreDamaged):
        CredentialKey.from_pkcs8(ES256, b"garbage").sign(b"")
    with pytest.raises(StoreDamaged):
        CredentialKey.from_pkcs8(ES256, CredentialKey.generate(EDDSA, SystemRandom()).to_pkcs8()).public_cose()


def test_an_algorithm_is_found_by_name_or_refused() -> None:
    assert algorithm_named("eddsa").identifier == EDDSA
    with pytest.raises(NotSupported, match="'ES1'"):
        algorithm_named("ES1")
    with pytest.raises(NotSupported):
        CredentialKey.generate(-999, SystemRandom())
