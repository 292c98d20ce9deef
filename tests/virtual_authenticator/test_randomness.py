"""Seeds give the same values in every run, and the values of the standard's own examples."""

from __future__ import annotations

from authctl.virtual_authenticator import SeededRandom, SystemRandom, VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.make_credential import MakeCredentialRequest, UserEntity


def test_the_seed_of_the_standard_gives_the_values_of_its_first_example() -> None:
    values = SeededRandom("WebAuthn test vectors", "none.ES256")
    assert values.take(32).hex() == "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130"
    assert values.take(32).hex() == "6e68e7a58484a3264f66b77f5d6dc5bc36a47085b615c9727ab334e8c369c2ee"


def test_no_value_of_a_seed_comes_twice() -> None:
    values = SeededRandom(b"seed")
    assert len({values.take(16) for _ in range(600)}) == 600


def test_the_system_never_repeats_itself() -> None:
    assert SystemRandom().take(32) != SystemRandom().take(32)
    assert not SystemRandom().is_deterministic
    assert "seed" not in repr(SeededRandom("seed", "label")).lower().replace("seededrandom", "")


def test_two_authenticators_of_one_seed_make_the_same_credentials() -> None:
    def made(algorithm: int) -> tuple[bytes, bytes]:
        authenticator = VirtualAuthenticator(seed="one")
        request = MakeCredentialRequest(bytes(32), "localhost", UserEntity(b"1", "", ""), (algorithm,))
        response = authenticator.make_credential(request)
        return response.credential.credential_id, response.attestation_object()

    for algorithm in (-7, -8, -257):
        assert made(algorithm) == made(algorithm)
