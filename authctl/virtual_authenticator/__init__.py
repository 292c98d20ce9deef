"""A software authenticator and client that run WebAuthn ceremonies without a browser."""

from authctl.virtual_authenticator.attestation.interface import AttestationFormat, Subject
from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.authenticator_data import (
    AttestedCredentialData,
    AuthenticatorData,
    Flag,
)
from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
from authctl.virtual_authenticator.authenticator.gesture import Gesture
from authctl.virtual_authenticator.authenticator.get_assertion import Assertion, GetAssertionRequest
from authctl.virtual_authenticator.authenticator.keys import EDDSA, ES256, RS256
from authctl.virtual_authenticator.authenticator.make_credential import (
    MadeCredential,
    MakeCredentialRequest,
    UserEntity,
)
from authctl.virtual_authenticator.authenticator.presets import (
    AAGUID,
    PLATFORM,
    PRESETS,
    SECURITY_KEY,
    SYNCED_PASSKEY,
    Profile,
)
from authctl.virtual_authenticator.client.client import Client
from authctl.virtual_authenticator.client.client_data import ClientData
from authctl.virtual_authenticator.credential_store.file import FileStore
from authctl.virtual_authenticator.credential_store.interface import Credential, CredentialStore
from authctl.virtual_authenticator.credential_store.memory import MemoryStore
from authctl.virtual_authenticator.randomness import SeededRandom, SystemRandom

__all__ = [
    "AAGUID",
    "EDDSA",
    "ES256",
    "PLATFORM",
    "PRESETS",
    "RS256",
    "SECURITY_KEY",
    "SYNCED_PASSKEY",
    "Assertion",
    "AttestationFormat",
    "AttestedCredentialData",
    "AuthenticatorData",
    "Client",
    "ClientData",
    "CounterPolicy",
    "Credential",
    "CredentialStore",
    "FileStore",
    "Flag",
    "Gesture",
    "GetAssertionRequest",
    "MadeCredential",
    "MakeCredentialRequest",
    "MemoryStore",
    "Profile",
    "SeededRandom",
    "Subject",
    "SystemRandom",
    "UserEntity",
    "VirtualAuthenticator",
]
