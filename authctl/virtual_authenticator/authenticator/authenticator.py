"""The authenticator as a whole: a profile, a store and a source of randomness behind the two operations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.authenticator.extensions.large_blob_key import LARGEST_BLOB
from authctl.virtual_authenticator.authenticator.gesture import CONFIRMED
from authctl.virtual_authenticator.authenticator.get_assertion import fitting, get_assertion
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.authenticator.make_credential import make_credential
from authctl.virtual_authenticator.authenticator.pin_protocol import SharedSecret, agreement_key
from authctl.virtual_authenticator.authenticator.presets import preset
from authctl.virtual_authenticator.credential_store.memory import MemoryStore
from authctl.virtual_authenticator.randomness import SeededRandom, SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.authenticator.get_assertion import Assertion, GetAssertionRequest
    from authctl.virtual_authenticator.authenticator.make_credential import MadeCredential, MakeCredentialRequest
    from authctl.virtual_authenticator.authenticator.presets import Profile
    from authctl.virtual_authenticator.credential_store.interface import Credential, CredentialStore
    from authctl.virtual_authenticator.randomness import RandomSource


def _now() -> datetime:
    return datetime.now(UTC)


class VirtualAuthenticator:
    """An authenticator without hardware.

    profile           a preset's name or a Profile
    store             where credentials are kept; in memory when None
    seed              makes keys, credential ids and ECDSA nonces the same in every run; `random` is its long form
    counter_override  replaces the counter policy of every credential, for tests of the relying party
    authority         who certifies its attestation keys; one of its own when None
    new_key           makes the keys of credentials, given the algorithm and `random`
    """

    def __init__(
        self,
        profile: Profile | str = "platform",
        *,
        store: CredentialStore | None = None,
        seed: str | bytes | None = None,
        random: RandomSource | None = None,
        counter_override: CounterPolicy | None = None,
        now: Callable[[], datetime] = _now,
        authority: Authority | None = None,
        new_key: Callable[[int, RandomSource], CredentialKey] | None = None,
    ) -> None:
        self.profile = preset(profile) if isinstance(profile, str) else profile
        self.store = MemoryStore() if store is None else store
        self.random = random or (SystemRandom() if seed is None else SeededRandom(seed))
        self.is_deterministic = self.random.is_deterministic
        self.counter_override = counter_override
        self.now = now
        self.new_key = new_key or CredentialKey.generate
        self.authority = (
            Authority(None if seed is None else SeededRandom(seed, "authority")) if authority is None else authority
        )

    def __repr__(self) -> str:
        return f"<VirtualAuthenticator {self.profile.name}>"

    def make_credential(self, request: MakeCredentialRequest, gesture: Gesture = CONFIRMED) -> MadeCredential:
        """Makes and keeps a credential; raises a subclass of AuthenticatorError."""
        return make_credential(self, request, gesture)

    def get_assertion(self, request: GetAssertionRequest, gesture: Gesture = CONFIRMED) -> Assertion:
        """Signs with a kept credential; raises a subclass of AuthenticatorError."""
        return get_assertion(self, request, gesture)

    def fitting(self, request: GetAssertionRequest, gesture: Gesture = CONFIRMED) -> list[Credential]:
        """The credentials that could answer, newest first, without a signature: a client looks before it asks."""
        return fitting(self, request, gesture)

    def shared_secret(self) -> SharedSecret:
        """A secret with a client, agreed anew (CTAP 2.1 §6.5.5.4): both sides are here, so both keys are."""
        platform, own = agreement_key(self.random), agreement_key(self.random)
        return SharedSecret(2, platform, own.public_key())

    def write_large_blob(self, credential_id: bytes, blob: bytes) -> bool:
        """Keeps a blob with a credential that has room for one (CTAP 2.1 §6.10); False when it has not."""
        held = next((each for each in self.store.all() if each.credential_id == credential_id), None)
        if held is None or not held.extensions.has_large_blob or len(blob) > LARGEST_BLOB:
            return False
        return self.store.keep_large_blob(credential_id, blob)

    def able(self, gesture: Gesture) -> Gesture:
        """The gesture as far as this model can observe it."""
        if gesture.is_user_verified and not self.profile.can_verify_user:
            return replace(gesture, is_user_verified=False)
        return gesture
