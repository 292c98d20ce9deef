"""From the seed of the standard's test vectors the authenticator makes their registrations and logins, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator import (
    PLATFORM,
    ClientData,
    Gesture,
    GetAssertionRequest,
    MakeCredentialRequest,
    SeededRandom,
    UserEntity,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.authenticator.counters import NO_COUNTER
from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.client.client_data import CREATE, GET

if TYPE_CHECKING:
    from authctl.virtual_authenticator.randomness import RandomSource

DIGESTS = {
    "none.ES256": (
        "ca116797d5733da69f40faafb9b8db9f3b9bf01aef951e4092f366a00199a57c",
        "2c362f8399198d53ff577cf5c98d36c57758f3843bf1cb3cc44efb60e91e7896",
    ),
    "packed-self.ES256": (
        "fd0d89d617360cd0de376a18b8416a646bffc223d671fdfa3225d3eb86193628",
        "c6fbf36dee584187056e3feb241eed60ff625d7205fca6d13200883973236cd6",
    ),
}
"""SHA-256 of client data and attestation object, and of client data, authenticator data and signature."""

EXTRA = "clientDataJSON may be extended with additional fields in the future, such as this: "


class Prepared:
    """Gives values that were drawn before."""

    is_deterministic = True

    def __init__(self, *values: bytes) -> None:
        self._values = list(values)

    def take(self, length: int) -> bytes:
        """The next value, which has the length that is asked for."""
        value = self._values.pop(0)
        assert len(value) == length
        return value


def client_data(ceremony: str, challenge: bytes, random: RandomSource) -> bytes:
    # One byte of the sequence decides whether there is an additional member, drawn after it.
    extra = {"extraData": EXTRA + encode(random.take(16))} if random.take(1)[0] & 1 else {}
    return ClientData(ceremony, challenge, "https://example.org", extra=extra).serialise()


def gesture(bits: int, *, backup_eligible: bool | None = None) -> Gesture:
    # The byte's bits 2, 3 and 4 stand where the flags UV, BE and BS stand.
    eligible = bool(bits & 0x08) if backup_eligible is None else backup_eligible
    return Gesture(True, bool(bits & 0x04), True, eligible, eligible and bool(bits & 0x10))


@pytest.mark.parametrize("info", DIGESTS)
def test_the_published_example_comes_out_of_its_seed(info: str) -> None:
    random = SeededRandom("WebAuthn test vectors", info)
    challenge, key = random.take(32), random.take(32)
    data = client_data(CREATE, challenge, random)
    aaguid, credential_id, bits = random.take(16), random.take(32), random.take(1)[0]
    profile = replace(PLATFORM, aaguid=aaguid, counter=NO_COUNTER)
    authenticator = VirtualAuthenticator(profile, random=Prepared(key, credential_id))
    made = authenticator.make_credential(
        MakeCredentialRequest(
            sha256(data).digest(),
            "example.org",
            UserEntity(b"user", "", ""),
            (-7,),
            attestation_formats=("packed" if "self" in info else "none",),
        ),
        gesture(bits),
    )
    assert sha256(data + made.attestation_object()).hexdigest() == DIGESTS[info][0]

    data = client_data(GET, random.take(32), random)
    again = gesture(random.take(1)[0], backup_eligible=bool(bits & 0x08))
    assertion = authenticator.get_assertion(GetAssertionRequest("example.org", sha256(data).digest()), again)
    assert sha256(data + assertion.authenticator_data + assertion.signature).hexdigest() == DIGESTS[info][1]
