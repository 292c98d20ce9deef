"""R-WA-21: the test vectors of WebAuthn Level 3 verify through our relying party, and no bit of them may change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import authenticator_data, client_data, cose_key, relying_party
from authctl.server.ceremonies.envelope import AssertionResponse, RegistrationResponse
from authctl.server.ceremonies.reasons import Reason
from authctl.server.ceremonies.shared_steps import Expected
from tests.server.ceremonies.messages import attestation_object
from tests.vectors.derivation import EXAMPLES, ORIGIN, RP_ID, TOP_ORIGIN, Vector, all_vectors, attestation_root

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.thorough

DIGESTS = json.loads(Path(__file__).with_name("digests.json").read_text(encoding="ascii"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FORMATS = frozenset({"none", "packed-self", "packed-x5c"})

NOT_OFFERED = {
    "packed-es384": "ES384 is not offered, and the library cannot verify it",
    "packed-es512": "ES512 is not offered",
    "packed-ed448": "Ed448 is not offered, and the library cannot verify it",
}
FORMAT_NOT_ACCEPTED = {
    "tpm-es256": "tpm attestation is not accepted",
    "android-key-es256": "android-key attestation is not accepted",
    "apple-es256": "apple attestation is not accepted",
    "fido-u2f-es256": "fido-u2f attestation is not accepted",
}

VECTORS = {vector.example.id: vector for vector in all_vectors()}
ASSERTIONS = [name for name in VECTORS if name not in NOT_OFFERED]
REGISTRATIONS = [name for name in ASSERTIONS if name not in FORMAT_NOT_ACCEPTED]
PACKED = [name for name in REGISTRATIONS if name.startswith("packed")]
UNSIGNED = [name for name in REGISTRATIONS if name.startswith("none")]


def expected(vector: Vector, challenge: bytes, data: bytes) -> Expected:
    """User verification and framing as this vector has them."""
    is_framed = dict(vector.example.client)["crossOrigin"]
    return Expected(
        challenge_hash=sha256(challenge).digest(),
        origins=(ORIGIN,),
        top_origins=(TOP_ORIGIN,) if is_framed else (),
        rp_id=RP_ID,
        require_user_verification=bool(data[32] & 0x04),
    )


def registration(vector: Vector) -> RegistrationResponse:
    obj = vector.attestation_object or attestation_object(vector.registration_data, fmt="tpm")
    collected = vector.registration_client_data
    return RegistrationResponse(vector.credential_id, collected, client_data.read(collected), obj, ())


def register(vector: Vector, response: RegistrationResponse) -> relying_party.VerifiedRegistration:
    return relying_party.verify_registration(
        response,
        expected=expected(vector, vector.registration_challenge, vector.registration_data),
        expected_algorithms=cose_key.OFFERED,
        expected_formats=FORMATS,
        expected_roots=(attestation_root()[0].public_bytes(Encoding.PEM),),
        now=NOW,
    )


def assertion(vector: Vector) -> AssertionResponse:
    return AssertionResponse(
        vector.credential_id,
        vector.client_data,
        client_data.read(vector.client_data),
        vector.authenticator_data,
        vector.signature,
        user_handle=None,
    )


def log_in(vector: Vector, response: AssertionResponse) -> relying_party.VerifiedAssertion:
    return relying_party.verify_assertion(
        response,
        expected=expected(vector, vector.challenge, vector.authenticator_data),
        expected_user_handle=b"",
        expected_backup_eligible=bool(vector.registration_data[32] & 0x08),
        public_key=vector.public_key,
        require_user_handle=False,
    )


def flips(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every byte string that differs from `data` in one bit, with the bit's place."""
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 0x80 >> bit % 8
        yield bit, bytes(changed)


def accepted_flips(response: Any, field: str, verify: Any) -> list[int]:
    """The bits of one field that may change without a refusal; any other exception than a refusal fails the test."""
    accepted = []
    for bit, changed in flips(getattr(response, field)):
        try:
            changes = (
                {field: changed, "client": client_data.read(changed)} if field == "client_data" else {field: changed}
            )
            verify(replace(response, **changes))
        except CeremonyFailed:
            continue
        accepted.append(bit)
    return accepted


def test_every_vector_is_either_verified_or_listed_with_its_reason() -> None:
    assert {example.id for example in EXAMPLES} == set(VECTORS) == set(DIGESTS) - {"attestation-root"}
    assert set(REGISTRATIONS) | set(NOT_OFFERED) | set(FORMAT_NOT_ACCEPTED) == set(VECTORS)
    assert (len(VECTORS), len(ASSERTIONS), len(REGISTRATIONS)) == (15, 12, 8)


@pytest.mark.parametrize("name", VECTORS)
def test_what_the_rule_derives_is_what_was_published(name: str) -> None:
    vector = VECTORS[name]
    digests = {field: sha256(getattr(vector, field)).hexdigest() for field in DIGESTS[name]}
    assert digests == DIGESTS[name]
    assert ("attestation_object" in digests) == (name not in FORMAT_NOT_ACCEPTED)


def test_the_derived_authority_is_the_published_one() -> None:
    der = attestation_root()[0].public_bytes(Encoding.DER)
    assert sha256(der).hexdigest() == DIGESTS["attestation-root"]["certificate"]


@pytest.mark.parametrize("name", REGISTRATIONS)
def test_a_registration_verifies(name: str) -> None:
    vector = VECTORS[name]
    verified = register(vector, registration(vector))
    assert (verified.credential_id, verified.public_key) == (vector.credential_id, vector.public_key)
    assert verified.algorithm == vector.example.algorithm
    assert verified.is_user_verified == bool(vector.registration_data[32] & 0x04)


@pytest.mark.parametrize("name", ASSERTIONS)
def test_an_assertion_verifies(name: str) -> None:
    vector = VECTORS[name]
    verified = log_in(vector, assertion(vector))
    assert verified.sign_count == 0
    assert verified.is_backed_up == bool(vector.authenticator_data[32] & 0x10)


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_a_registration_is_refused_when_its_algorithm_is_not_offered(name: str) -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        register(VECTORS[name], registration(VECTORS[name]))
    assert refusal.value.reason == Reason.ALGORITHM_NOT_OFFERED


@pytest.mark.parametrize("name", FORMAT_NOT_ACCEPTED)
def test_a_registration_is_refused_when_its_format_is_not_accepted(name: str) -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        register(VECTORS[name], registration(VECTORS[name]))
    assert refusal.value.reason == Reason.ATTESTATION_FORMAT_REFUSED


@pytest.mark.parametrize("field", ["client_data", "authenticator_data", "signature"])
@pytest.mark.parametrize("name", ASSERTIONS)
def test_an_assertion_fails_when_any_one_bit_differs(name: str, field: str) -> None:
    vector = VECTORS[name]
    assert accepted_flips(assertion(vector), field, lambda changed: log_in(vector, changed)) == []


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_registration_fails_when_any_one_signed_bit_differs(name: str) -> None:
    vector, response = VECTORS[name], registration(VECTORS[name])
    assert accepted_flips(response, "client_data", lambda changed: register(vector, changed)) == []
    obj = response.attestation_object
    start = obj.index(vector.registration_data)
    for _, data in flips(vector.registration_data):
        changed = replace(response, attestation_object=obj[:start] + data + obj[start + len(data) :])
        with pytest.raises(CeremonyFailed):
            register(vector, changed)


@pytest.mark.parametrize("name", UNSIGNED)
def test_an_unsigned_registration_fails_when_a_bit_that_a_check_covers_differs(name: str) -> None:
    """Nothing signs `none`: left over are bits that no step compares with anything."""
    vector, response = VECTORS[name], registration(VECTORS[name])
    accepted = accepted_flips(response, "attestation_object", lambda changed: register(vector, changed))
    assert {bit for bit in accepted if bit not in uncompared_bits(vector, response.attestation_object)} == set()
    accepted = accepted_flips(response, "client_data", lambda changed: register(vector, changed))
    assert {bit for bit in accepted if bit not in uncompared_text(response.client_data)} == set()


def uncompared_text(collected: bytes) -> set[int]:
    """Names of members that may be missing, for a renamed one is missing; and the member that nobody knows."""
    names = [(collected.find(name), len(name)) for name in (b"crossOrigin", b"topOrigin") if name in collected]
    extra = collected.find(b'"extraData"')
    bits = {bit for start, length in names for bit in range(start * 8, (start + length) * 8)}
    return bits | (set(range(extra * 8, len(collected) * 8)) if extra > 0 else set())


def uncompared_bits(vector: Vector, obj: bytes) -> set[int]:
    """Flags that are policy or reserved, the count, the model, and coordinates that hit another point of the curve."""
    data = obj.index(vector.registration_data)
    flags = {(data + 32) * 8 + bit for bit in (2, 3, 4, 5, 6)}
    key = data + 37 + 18 + len(vector.credential_id)
    x = key + vector.public_key.index(b"\x21\x58\x20") + 3
    ranges = [(data + 33, data + 37), (data + 37, data + 53), (x, x + 32), (x + 35, x + 67)]
    return flags | {bit for start, end in ranges for bit in range(start * 8, end * 8)}


def test_the_public_key_is_cut_out_of_the_authenticator_data_unchanged() -> None:
    for vector in VECTORS.values():
        attested = authenticator_data.read(vector.registration_data).attested
        assert attested is not None
        assert attested.public_key == vector.public_key
