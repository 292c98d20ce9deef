"""What every attestation statement format is: an identifier and a signing procedure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData
    from authctl.virtual_authenticator.authenticator.cbor import Encodable
    from authctl.virtual_authenticator.authenticator.keys import CredentialKey


@dataclass(frozen=True, slots=True)
class Subject:
    """What is attested: the authenticator data, the hash of the client data, and the new credential's key."""

    authenticator_data: AuthenticatorData
    client_data_hash: bytes
    key: CredentialKey
    is_deterministic: bool = False


class AttestationFormat(Protocol):
    """One attestation statement format (WebAuthn Level 3 §6.5.2)."""

    @property
    def identifier(self) -> str:
        """The value of `fmt`."""
        ...

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """The value of `attStmt`: the format's signing procedure."""
        ...
