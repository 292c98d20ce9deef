"""What the authenticator makes is judged by two libraries that share no code with it."""

from __future__ import annotations

import pytest

from authctl.virtual_authenticator import (
    EDDSA,
    ES256,
    PRESETS,
    RS256,
    Client,
    FileStore,
    VirtualAuthenticator,
)
from tests.virtual_authenticator.relying_party import ORIGIN, PythonFido2, PyWebauthn, raw

ALGORITHMS = (ES256, EDDSA, RS256)


@pytest.mark.parametrize("verifier", [PyWebauthn, PythonFido2])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("attestation", "expected"), [("none", "none"), ("direct", "packed")])
def test_both_libraries_accept_a_registration_and_a_login(
    verifier: type[PyWebauthn] | type[PythonFido2], algorithm: int, attestation: str, expected: str
) -> None:
    relying_party = verifier(algorithm)
    client = Client(VirtualAuthenticator(), ORIGIN)

    registration = client.create(relying_party.registration_options(attestation))
    assert relying_party.verify_registration(registration) == expected

    assertion = client.get(relying_party.request_options())
    assert relying_party.verify_authentication(assertion) == 1
    assert registration["response"]["publicKeyAlgorithm"] == algorithm


@pytest.mark.parametrize("verifier", [PyWebauthn, PythonFido2])
@pytest.mark.parametrize("preset", PRESETS)
def test_both_libraries_accept_every_preset(verifier: type[PyWebauthn] | type[PythonFido2], preset: str) -> None:
    relying_party = verifier(ES256)
    client = Client(VirtualAuthenticator(preset), ORIGIN)
    relying_party.verify_registration(client.create(relying_party.registration_options("direct")))
    count = relying_party.verify_authentication(client.get(relying_party.request_options()))
    assert count == (0 if preset == "synced-passkey" else 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_both_libraries_accept_what_a_seed_made(algorithm: int) -> None:
    relying_party = PyWebauthn(algorithm)
    client = Client(VirtualAuthenticator(seed="a seed"), ORIGIN)
    relying_party.verify_registration(client.create(relying_party.registration_options("direct")))
    assert relying_party.verify_authentication(client.get(relying_party.request_options())) == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_login_verifies_when_the_key_comes_from_a_file(algorithm: int, tmp_path: object) -> None:
    relying_party = PyWebauthn(algorithm)
    path = f"{tmp_path}/passkeys.json"
    client = Client(VirtualAuthenticator(store=FileStore(path)), ORIGIN)
    relying_party.verify_registration(client.create(relying_party.registration_options("none")))

    another = Client(VirtualAuthenticator(store=FileStore(path)), ORIGIN)
    assert relying_party.verify_authentication(another.get(relying_party.request_options())) == 1


def test_the_response_repeats_what_the_attestation_object_holds() -> None:
    relying_party = PythonFido2(ES256)
    response = Client(VirtualAuthenticator(), ORIGIN).create(relying_party.registration_options("none"))
    assert raw(response, "authenticatorData") in raw(response, "attestationObject")
    point = raw(response, "publicKey")[-64:]
    assert point[:32] in raw(response, "authenticatorData")
    assert point[32:] in raw(response, "authenticatorData")
