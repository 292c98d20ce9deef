"""What the authenticator makes is judged by three libraries that share no code with it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from authctl.virtual_authenticator import EDDSA, ES256, PRESETS, RS256, Client, FileStore, VirtualAuthenticator
from authctl.virtual_authenticator.attestation.formats import FORMATS
from authctl.virtual_authenticator.authenticator.keys import ALGORITHMS as KNOWN_ALGORITHMS
from tests.targets.programs import has_node
from tests.virtual_authenticator.relying_party import ORIGIN, PythonFido2, PyWebauthn, raw
from tests.virtual_authenticator.verifiers import (
    UNCERTIFIED,
    Verdict,
    ceremony,
    judged_by_fido2,
    judged_by_simplewebauthn,
    judged_by_webauthn,
    performed,
)

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


@dataclass(frozen=True)
class Refusal:
    """A cell of the matrix in which a library does not accept: what it says, why, and whether another Node accepts."""

    stage: str
    says: str
    why: str
    is_of_the_runtime: bool


def read_refusals() -> dict[tuple[str, str, str], Refusal]:
    """By library, algorithm and format; a cell that is not listed is accepted, registration and login."""
    with Path(__file__).with_name("verifier_refusals.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["library"], row["algorithm"], row["attestation"]): Refusal(
                row["stage"], row["says"], row["why"], row["depends"] == "runtime"
            )
            for row in csv.DictReader(file)
        }


REFUSALS = read_refusals()
LIBRARIES = ("webauthn", "fido2", "simplewebauthn")
ROWS = [
    *((algorithm.name, attestation) for algorithm in KNOWN_ALGORITHMS.values() for attestation in ("packed", "none")),
    *(("ES256", attestation) for attestation in FORMATS if attestation not in UNCERTIFIED),
]
"""Every algorithm with self attestation and with none, and every format that comes with a certificate, root trusted."""


@pytest.fixture(scope="session")
def by_simplewebauthn() -> dict[tuple[str, str], Verdict]:
    """The verdicts of the library under Node, asked once."""
    if not has_node():
        pytest.skip("Node and npm are not installed")
    return dict(zip(ROWS, judged_by_simplewebauthn([ceremony(*row) for row in ROWS]), strict=True))


@pytest.mark.parametrize("library", [*LIBRARIES[:2], pytest.param("simplewebauthn", marks=pytest.mark.targets)])
def test_a_library_accepts_all_that_the_table_does_not_list(library: str, request: pytest.FixtureRequest) -> None:
    """The matrix is what was seen: a library that learns an algorithm turns this red, and the table is to be mended."""
    if library == "simplewebauthn":
        verdicts: dict[tuple[str, str], Verdict] = request.getfixturevalue("by_simplewebauthn")
    else:
        judged = {"webauthn": judged_by_webauthn, "fido2": judged_by_fido2}[library]
        verdicts = {row: judged(ceremony(*row)) for row in ROWS}
    wrong = {
        row: (verdict, REFUSALS.get((library, *row)))
        for row, verdict in verdicts.items()
        if not is_as_listed(verdict, REFUSALS.get((library, *row)))
    }
    assert not wrong


def is_as_listed(verdict: Verdict, listed: Refusal | None) -> bool:
    """Whether a library said what the table says that it does."""
    if listed is None or (listed.is_of_the_runtime and not any(verdict)):
        return not any(verdict)
    seen = {"registration": verdict[0], "login": verdict[1]}
    return listed.says in seen[listed.stage] and bool(seen[listed.stage])


@pytest.mark.parametrize(("algorithm", "attestation"), ROWS)
def test_one_library_besides_ours_accepts_each_ceremony(algorithm: str, attestation: str) -> None:
    """Which depends on no runtime: all that is listed counts as refused."""
    accepting = [library for library in LIBRARIES if (library, algorithm, attestation) not in REFUSALS]
    assert accepting


def test_the_matrix_lists_nothing_that_is_not_judged() -> None:
    assert {(algorithm, attestation) for _, algorithm, attestation in REFUSALS} <= set(ROWS)
    assert {library for library, *_ in REFUSALS} <= set(LIBRARIES)
    assert {attestation for _, attestation in ROWS} == set(FORMATS)
    assert all(refusal.why for refusal in REFUSALS.values())


@pytest.mark.parametrize("name", PRESETS)
def test_a_library_accepts_every_preset(name: str) -> None:
    """A U2F token cannot verify its user, and is asked for presence alone."""
    authenticator = VirtualAuthenticator(name)
    attestation = authenticator.profile.attestation_formats[0]
    assert judged_by_webauthn(performed(authenticator, ES256, attestation)) == ("", "")


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
