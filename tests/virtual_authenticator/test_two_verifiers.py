"""What the authenticator makes is judged by two libraries that share no code with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from fido2.attestation.base import InvalidData, UnsupportedType
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat

from authctl.virtual_authenticator import (
    EDDSA,
    ES256,
    PLATFORM,
    PRESETS,
    RS256,
    Client,
    FileStore,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.attestation.formats import FORMATS, format_named
from authctl.virtual_authenticator.authenticator.keys import ALGORITHMS as KNOWN_ALGORITHMS
from authctl.virtual_authenticator.authenticator.keys import algorithm_named
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


UNKNOWN = "knows no such algorithm"
NO_FORMAT = "has no verifier for this format"
BY_ALGORITHM: dict[str, tuple[str, str]] = {
    "ES256": ("", ""),
    "ES384": (UNKNOWN, ""),
    "ES512": ("", ""),
    "ES256K": (UNKNOWN, ""),
    "ESP256": (UNKNOWN, ""),
    "ESP384": (UNKNOWN, ""),
    "ESP512": (UNKNOWN, ""),
    "EdDSA": ("", ""),
    "Ed25519": (UNKNOWN, ""),
    "Ed448": (UNKNOWN, ""),
    "RS256": ("", ""),
    "RS384": ("", UNKNOWN),
    "RS512": ("", UNKNOWN),
    "RS1": ("", ""),
    "PS256": ("", ""),
    "PS384": ("", UNKNOWN),
    "PS512": ("", UNKNOWN),
    "ML-DSA-44": ("", ""),
    "ML-DSA-65": ("", ""),
    "ML-DSA-87": ("", ""),
}
"""Why `webauthn`, and why `fido2`, cannot judge a self-attested registration and a login; empty: it accepts both."""
BY_FORMAT: dict[str, tuple[str, str]] = {
    "none": ("", ""),
    "packed": ("", ""),
    "packed-x5c": ("", ""),
    "fido-u2f": ("", ""),
    "tpm": ("", ""),
    "android-key": ("", NO_FORMAT),
    "apple": ("", ""),
}
"""The same of a registration with ES256, the authority's root trusted where the library takes roots."""


@pytest.mark.parametrize("name", BY_ALGORITHM)
def test_every_algorithm_is_accepted_by_each_library_that_knows_it(name: str) -> None:
    """The matrix is what was seen: a library that learns an algorithm turns this red, and the table is to be mended."""
    reasons = BY_ALGORITHM[name]
    assert "" in reasons, "at least one besides ours has to accept it"
    judge = (judged_by_webauthn, judged_by_fido2)
    seen = tuple(judged(algorithm_named(name).identifier, "packed") for judged in judge)
    assert tuple(bool(reason) for reason in seen) == tuple(bool(reason) for reason in reasons), seen


@pytest.mark.parametrize("name", BY_FORMAT)
def test_every_format_is_accepted_by_each_library_that_verifies_it(name: str) -> None:
    reasons = BY_FORMAT[name]
    assert "" in reasons, "at least one besides ours has to accept it"
    seen = tuple(judged(ES256, name) for judged in (judged_by_webauthn, judged_by_fido2))
    assert tuple(bool(reason) for reason in seen) == tuple(bool(reason) for reason in reasons), seen


def test_the_matrix_leaves_nothing_out() -> None:
    assert set(BY_ALGORITHM) == {algorithm.name for algorithm in KNOWN_ALGORITHMS.values()}
    assert set(BY_FORMAT) == set(FORMATS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_library_accepts_every_preset(preset: str) -> None:
    """A U2F token cannot verify its user, and is asked for presence alone."""
    authenticator = VirtualAuthenticator(preset)
    formats = authenticator.profile.attestation_formats
    assert judged_by_webauthn(ES256, formats[0], authenticator) == ""


def authenticator_for(algorithm: int, attestation: str) -> VirtualAuthenticator:
    """A platform authenticator with one algorithm and one format; a U2F attestation is of no model."""
    aaguid = bytes(16) if attestation == "fido-u2f" else PLATFORM.aaguid
    return VirtualAuthenticator(
        replace(PLATFORM, algorithms=(algorithm,), attestation_formats=(attestation,), aaguid=aaguid)
    )


def judged_by_webauthn(algorithm: int, attestation: str, authenticator: VirtualAuthenticator | None = None) -> str:
    """Why the library refuses a registration and a login; empty when it accepts both."""
    authenticator = authenticator or authenticator_for(algorithm, attestation)
    is_certified = attestation not in ("none", "packed")
    roots = {AttestationFormat(format_named(attestation).identifier): [authenticator.authority.root_pem()]}
    try:
        relying_party = PyWebauthn(
            algorithm,
            roots=roots if is_certified else None,
            requires_user_verification=authenticator.profile.can_verify_user,
        )
        client = Client(authenticator, ORIGIN)
        options = relying_party.registration_options("none" if attestation == "none" else "direct")
        expected = format_named(attestation).identifier
        assert relying_party.verify_registration(client.create(options, attestation=attestation)) == expected
        relying_party.verify_authentication(client.get(relying_party.request_options()))
    except (ValueError, WebAuthnException) as error:
        return str(error) or type(error).__name__
    return ""


def judged_by_fido2(algorithm: int, attestation: str) -> str:
    """The same; the statement is verified too, which the server leaves to whoever asks for attestation."""
    relying_party = PythonFido2(algorithm)
    client = Client(authenticator_for(algorithm, attestation), ORIGIN)
    try:
        options = relying_party.registration_options("direct")
        relying_party.verify_registration(client.create(options, attestation=attestation), is_attested=True)
        relying_party.verify_authentication(client.get(relying_party.request_options()))
    except (ValueError, InvalidSignature, InvalidData) as error:
        return str(error) or type(error).__name__
    except UnsupportedType:
        return NO_FORMAT
    return ""


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
