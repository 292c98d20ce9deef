"""Keys of credentials."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from authctl.virtual_authenticator import SeededRandom, SystemRandom
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


@pytest.mark.parametrize("identifier", ALGORITHMS)
def test_a_key_survives_the_store(identifier: int) -> None:
    key = CredentialKey.generate(identifier, SystemRandom())
    again = CredentialKey.from_pkcs8(identifier, key.to_pkcs8())
    assert again.public_cose() == key.public_cose()
    assert again.public_spki() == key.public_spki()
    assert again.to_pkcs8() == key.to_pkcs8()
    assert load_der_public_key(again.public_spki()) == load_der_public_key(key.public_spki())


@pytest.mark.parametrize(
    ("identifier", "labels"), [(ES256, {1, 3, -1, -2, -3}), (EDDSA, {1, 3, -1, -2}), (RS256, {1, 3, -1, -2})]
)
def test_a_cose_key_has_the_required_members_and_no_other(identifier: int, labels: set[int]) -> None:
    members = cbor2.loads(CredentialKey.generate(identifier, SystemRandom()).public_cose())
    assert set(members) == labels
    assert members[3] == identifier


@pytest.mark.parametrize("identifier", ALGORITHMS)
def test_signatures_are_the_same_in_every_run_when_they_are_deterministic(identifier: int) -> None:
    keys = [CredentialKey.generate(identifier, SeededRandom("seed")) for _ in range(2)]
    first, second = (key.sign(b"message", is_deterministic=True) for key in keys)
    assert first == second


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
