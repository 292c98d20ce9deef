"""Profiles of authenticators: what a model can do and how its credentials behave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.authenticator.algorithms.rsa import RS1
from authctl.virtual_authenticator.authenticator.counters import GLOBAL, NO_COUNTER, PER_CREDENTIAL
from authctl.virtual_authenticator.authenticator.keys import ALGORITHMS, ES256, RS256
from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.counters import CounterPolicy

AAGUID: Final = b"authctl-test-key"
"""The model of every virtual authenticator, so that a relying party can tell it from a real one and refuse it."""


_IN_USE: Final = tuple(identifier for identifier in ALGORITHMS if identifier != RS1)
"""SHA-1 only when asked for by name."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One model of authenticator.

    attachment            `platform` or `cross-platform`
    algorithms            those it can make keys of; the relying party's order decides
    attestation_formats   those it can make, the one it prefers first
    extensions            those it takes part in, by their names in CTAP
    prefers_discoverable  makes discoverable credentials even where none is demanded
    """

    name: str
    summary: str
    attachment: str
    transports: tuple[str, ...]
    counter: CounterPolicy
    is_backup_eligible: bool = False
    is_backed_up: bool = False
    prefers_discoverable: bool = True
    can_store_discoverable: bool = True
    can_verify_user: bool = True
    algorithms: tuple[int, ...] = _IN_USE
    attestation_formats: tuple[str, ...] = ("packed", "none")
    aaguid: bytes = AAGUID
    credential_id_length: int = 32
    extensions: tuple[str, ...] = ("credProtect", "hmac-secret", "hmac-secret-mc", "largeBlobKey")
    min_pin_length: int = 4


PLATFORM: Final = Profile(
    name="platform",
    summary="built into the device, bound to it, a counter per credential",
    attachment="platform",
    transports=("internal",),
    counter=PER_CREDENTIAL,
)
SYNCED_PASSKEY: Final = Profile(
    name="synced-passkey",
    summary="kept by a provider and copied to every device of its user, no counter",
    attachment="platform",
    transports=("hybrid", "internal"),
    counter=NO_COUNTER,
    is_backup_eligible=True,
    is_backed_up=True,
)
SECURITY_KEY: Final = Profile(
    name="security-key",
    summary="a token on USB or NFC with one counter for all its credentials, discoverable ones on demand",
    attachment="cross-platform",
    transports=("nfc", "usb"),
    counter=GLOBAL,
    prefers_discoverable=False,
    extensions=("credProtect", "hmac-secret", "largeBlobKey", "minPinLength"),
)
U2F_TOKEN: Final = Profile(
    name="u2f-token",
    summary="an old token: one key per account, a touch and nothing else, no user verification, nothing discoverable",
    attachment="cross-platform",
    transports=("usb",),
    counter=GLOBAL,
    prefers_discoverable=False,
    can_store_discoverable=False,
    can_verify_user=False,
    algorithms=(ES256,),
    attestation_formats=("fido-u2f", "none"),
    aaguid=bytes(16),  # U2F knows no models
    credential_id_length=64,
    extensions=(),  # U2F has none
)
TPM_LAPTOP: Final = Profile(
    name="tpm-laptop",
    summary="a laptop whose TPM holds the keys and attests to them",
    attachment="platform",
    transports=("internal",),
    counter=PER_CREDENTIAL,
    algorithms=(ES256, RS256),
    attestation_formats=("tpm", "none"),
    extensions=("hmac-secret",),
)
ANDROID: Final = Profile(
    name="android",
    summary="a phone whose key store attests to keys that never leave it",
    attachment="platform",
    transports=("internal",),
    counter=NO_COUNTER,
    algorithms=(ES256,),
    attestation_formats=("android-key", "none"),
    extensions=("hmac-secret",),
)
APPLE: Final = Profile(
    name="apple",
    summary="a device with a secure enclave and anonymous attestation",
    attachment="platform",
    transports=("internal",),
    counter=NO_COUNTER,
    algorithms=(ES256,),
    attestation_formats=("apple", "none"),
    extensions=("hmac-secret", "largeBlobKey"),
)
PRESETS: Final[dict[str, Profile]] = {
    profile.name: profile for profile in (PLATFORM, SYNCED_PASSKEY, SECURITY_KEY, U2F_TOKEN, TPM_LAPTOP, ANDROID, APPLE)
}


def preset(name: str) -> Profile:
    """The profile of that name; NotSupported when there is none."""
    try:
        return PRESETS[name]
    except KeyError:
        raise NotSupported(f"There is no preset {name!r}", hint="One of: " + ", ".join(PRESETS)) from None
