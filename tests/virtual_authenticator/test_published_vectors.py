"""From the seed of the standard's test vectors the authenticator makes every registration and login, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

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
from authctl.virtual_authenticator.attestation.android_key import AndroidKey
from authctl.virtual_authenticator.attestation.authority import Authority, Names
from authctl.virtual_authenticator.attestation.formats import FORMATS
from authctl.virtual_authenticator.attestation.tpm import Tpm
from authctl.virtual_authenticator.authenticator.counters import NO_COUNTER
from authctl.virtual_authenticator.authenticator.keys import CredentialKey, algorithm_of
from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.client.client_data import CREATE, GET
from tests.vectors.derivation import mersenne_key

if TYPE_CHECKING:
    from authctl.virtual_authenticator.randomness import RandomSource

PHRASE = "WebAuthn test vectors"
EXTRA = "clientDataJSON may be extended with additional fields in the future, such as this: "


@dataclass(frozen=True)
class Example:
    """How one example of the section "Test Vectors" differs from the others.

    digests  SHA-256 of client data and attestation object, and of client data, authenticator data and signature
    """

    info: str
    attestation: str
    digests: tuple[str, str]
    algorithm: int = -7
    challenge_bytes: int = 32
    credential_id_bytes: int = 32
    top_origin: str | None = None

    def __str__(self) -> str:
        return self.info


EXAMPLES: tuple[Example, ...] = (
    Example(
        "none.ES256",
        "none",
        (
            "ca116797d5733da69f40faafb9b8db9f3b9bf01aef951e4092f366a00199a57c",
            "2c362f8399198d53ff577cf5c98d36c57758f3843bf1cb3cc44efb60e91e7896",
        ),
    ),
    Example(
        "packed-self.ES256",
        "packed",
        (
            "fd0d89d617360cd0de376a18b8416a646bffc223d671fdfa3225d3eb86193628",
            "c6fbf36dee584187056e3feb241eed60ff625d7205fca6d13200883973236cd6",
        ),
    ),
    Example(
        "none.ES256.crossOrigin",
        "none",
        (
            "2326afe295be7a996ee6b96eecb95b6e68d871bfb1ed50259614cfd0aaac4000",
            "4307d45f111f57bc17f2edfa086b5b64295488c7b7b73e895b14c7d73a0c5a43",
        ),
    ),
    Example(
        "none.ES256.topOrigin",
        "none",
        (
            "4c9d95e4521ed0b6b6e2afaa37f308143151ebbde039550ee36b07b03bb6b248",
            "c9855cfc7900aeca3eee8edb4ead5ea11ab946762eaa8fb09e2f1bc8144ba02e",
        ),
        top_origin="https://example.com",
    ),
    Example(
        "none.ES256.long-credential-id",
        "none",
        (
            "cd55eafcd226de9025858c83e98edf5f7a2a22218c1e031a4a918c10faa01ba5",
            "dd43a1faa55c19bda5944b6148098b43faadc80580c295f58100f9c79719eacd",
        ),
        credential_id_bytes=1023,
    ),
    Example(
        "packed.ES256",
        "packed-x5c",
        (
            "a644533cb10ce3b7c08aeed4671156a298c4a34b7bacb1cc5caa793d6ccb63ed",
            "0b0fd0b617a2cee9e0837a37cf344b20d7dc525df31c2ec2226e23c92cfd1c07",
        ),
    ),
    Example(
        "packed.ES384",
        "packed-x5c",
        (
            "6c03e36d4013a93f5d3556422e8fcf7d2e7150e38d8111188c849ea0590455d9",
            "473443546730ea748c813c805df1946ee3e171a5f15ac3aa7cd9ef1cc7f5b714",
        ),
        algorithm=-35,
    ),
    Example(
        "packed.ES512",
        "packed-x5c",
        (
            "d8f892579d0472a38c74fa1fb939c646ce87025aa22ebe6f19ac1b180267b5cc",
            "8c65062f9738543d18449574ee90009a1fdff15bc57dc399a61a9841df9156f2",
        ),
        algorithm=-36,
        challenge_bytes=128,
    ),
    Example(
        "packed.RS256",
        "packed-x5c",
        (
            "4b37bf3d5b02deeabeaca7047d6974c576a46081c2a061c1df178c9f8cecd068",
            "91b248f83f55ee49d7b92e8a3fd1183bcfea7055e745968c6d12c5e865a17831",
        ),
        algorithm=-257,
    ),
    Example(
        "packed.EdDSA",
        "packed-x5c",
        (
            "6c5e33303a0a8683d729cf14ce4157866cafd259930e6b66b4a924f6159c1937",
            "1350478bdd45d9a7f8ee73b9de3f4c207521b741d51178e2c8e1ff562718fcdb",
        ),
        algorithm=-8,
    ),
    Example(
        "packed.Ed448",
        "packed-x5c",
        (
            "227314d273df9241d6ee37bc7517e7d792f2fd6bb040472d4b62fdd7257908a2",
            "ec290c61dfb21b61fefdaaba4f6e0328df98bae88ff8f0ad74a8513f2eff3db1",
        ),
        algorithm=-53,
    ),
    Example(
        "tpm.ES256",
        "tpm",
        (
            "0c56a53eb6832c281e3f2720fb5f212fb4e53f642df7e83889f70eeaf46b4122",
            "3f76ac711c1cfe12c874c52a39800e6a890b7a19148d5552bbd83888c2a0fa12",
        ),
    ),
    Example(
        "android-key.ES256",
        "android-key",
        (
            "9ece870b0c50e6e82fa488550825ae28eb9df2f2d040d6f6abe8f2317a44587c",
            "57a5ca978f3e8688b57c15bd6018c84950006f262eeef4ab7490a34f116db2cd",
        ),
    ),
    Example(
        "apple.ES256",
        "apple",
        (
            "c56d857ddc96abcad55f86dae086070870d766eafe2bbd78afa511f387a6a3af",
            "3138c9115c24620e729d4dd39fe0af3956755a5dc95e8c8c961f6a66eabb4061",
        ),
    ),
    Example(
        "fido-u2f.ES256",
        "fido-u2f",
        (
            "c263ebbbcc560350044eccb0affb907f7a31c6d1821e004a36c71ef55ee4ebb7",
            "e1be045b4984beb0139d295968f4cb6062e799225e918cf48c41fa61cd97aec3",
        ),
    ),
)


class Prepared:
    """Gives values that were drawn before, and then goes on in the sequence that they came from."""

    is_deterministic = True

    def __init__(self, sequence: RandomSource, *values: bytes) -> None:
        self._sequence = sequence
        self._values = list(values)

    def take(self, length: int) -> bytes:
        """The next value, which has the length that is asked for."""
        if not self._values:
            return self._sequence.take(length)
        value = self._values.pop(0)
        assert len(value) == length
        return value


def client_data(example: Example, ceremony: str, challenge: bytes, random: RandomSource) -> bytes:
    # One byte of the sequence decides whether there is an additional member, drawn after it.
    extra = {"extraData": EXTRA + encode(random.take(16))} if random.take(1)[0] & 1 else {}
    is_framed = "Origin" in example.info
    data = ClientData(ceremony, challenge, "https://example.org", is_framed, example.top_origin, extra=extra)
    return data.serialise()


def gesture(bits: int, *, backup_eligible: bool | None = None) -> Gesture:
    # The byte's bits 2, 3 and 4 stand where the flags UV, BE and BS stand.
    eligible = bool(bits & 0x08) if backup_eligible is None else backup_eligible
    return Gesture(True, bool(bits & 0x04), True, eligible, eligible and bool(bits & 0x10))


def draw_key(example: Example, random: RandomSource) -> list[bytes]:
    """The random bytes of the credential's key; the RSA key of the section is made of two known primes."""
    widths = {-7: 32, -35: 48, -36: 65, -8: 32, -53: 57}
    return [random.take(widths[example.algorithm])] if example.algorithm in widths else []


def make(example: Example, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Both digests, as they come out of the authenticator."""
    for name, attestation in (
        ("android-key", AndroidKey(has_lists=False, has_root=False)),
        (
            "tpm",
            Tpm(
                "id:00000000",
                PHRASE,
                "id:00000000",
                is_one_set=True,
                clock=bytes(8) + b"\x11" * 4 + b"\x22" * 4 + b"\x33",
            ),
        ),
    ):
        monkeypatch.setitem(FORMATS, name, attestation)
    if example.algorithm == -257:
        rsa = replace(algorithm_of(-257), generate=lambda _: mersenne_key())
        monkeypatch.setattr(CredentialKey, "generate", lambda identifier, _: CredentialKey(rsa, rsa.generate(None)))  # type: ignore[arg-type]
    random = SeededRandom(PHRASE, example.info)
    challenge, key = random.take(example.challenge_bytes), draw_key(example, random)
    data = client_data(example, CREATE, challenge, random)
    aaguid, credential_id = random.take(16), random.take(example.credential_id_bytes)
    # U2F tokens know neither user verification nor backup, and nothing is drawn for them.
    bits = 0 if example.attestation == "fido-u2f" else random.take(1)[0]
    authenticator = VirtualAuthenticator(
        replace(
            PLATFORM,
            aaguid=aaguid,
            counter=NO_COUNTER,
            algorithms=(example.algorithm,),
            attestation_formats=(example.attestation,),
            credential_id_length=example.credential_id_bytes,
        ),
        random=Prepared(random, *key, credential_id),
        authority=Authority(SeededRandom(PHRASE, "Attestation CA"), Names(PHRASE, "W3C"), has_models=False),
    )
    request = MakeCredentialRequest(
        sha256(data).digest(), "example.org", UserEntity(b"user", "", ""), (example.algorithm,)
    )
    made = authenticator.make_credential(request, gesture(bits))
    registered = sha256(data + made.attestation_object()).hexdigest()

    data = client_data(example, GET, random.take(example.challenge_bytes), random)
    again = gesture(random.take(1)[0], backup_eligible=bool(bits & 0x08))
    assertion = authenticator.get_assertion(GetAssertionRequest("example.org", sha256(data).digest()), again)
    return registered, sha256(data + assertion.authenticator_data + assertion.signature).hexdigest()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_published_example_comes_out_of_its_seed(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-WA-21: all fifteen, registration and login."""
    assert make(example, monkeypatch) == example.digests


def test_every_example_is_here() -> None:
    assert len(EXAMPLES) == 15


def test_no_digest_can_stand_for_another() -> None:
    digests: list[Any] = [digest for example in EXAMPLES for digest in example.digests]
    assert len(set(digests)) == 30
