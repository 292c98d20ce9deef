"""What every attestation statement format is: a name, an identifier and a signing procedure."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData
    from authctl.virtual_authenticator.authenticator.cbor import Encodable
    from authctl.virtual_authenticator.authenticator.keys import CredentialKey
    from authctl.virtual_authenticator.randomness import RandomSource


@dataclass(frozen=True, slots=True)
class Subject:
    """What is attested: the authenticator data, the hash of the client data, and the new credential's key.

    authority  who certifies attestation keys
    random     where attestation keys and serial numbers come from
    """

    authenticator_data: AuthenticatorData
    client_data_hash: bytes
    key: CredentialKey
    is_deterministic: bool = False
    authority: Authority = field(default_factory=Authority)
    random: RandomSource = field(default_factory=SystemRandom)

    @property
    def message(self) -> bytes:
        """AttToBeSigned of most formats: authenticator data and client data hash."""
        return bytes(self.authenticator_data) + self.client_data_hash

    @property
    def nonce(self) -> bytes:
        """SHA-256 of the message."""
        return sha256(self.message).digest()


class AttestationFormat(Protocol):
    """One way to attest (WebAuthn Level 3 §6.5.2); formats with several ways have several names."""

    @property
    def name(self) -> str:
        """What options and presets call it."""
        ...

    @property
    def identifier(self) -> str:
        """The value of `fmt`."""
        ...

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """The value of `attStmt`: the format's signing procedure. Raises NotSupported for a key it has no place for."""
        ...
