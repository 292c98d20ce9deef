"""An Android key store's statement (§8.4) as parts: the key description with its two lists of what is enforced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.attestation.authority import Extension
from authctl.virtual_authenticator.faults.statement import Certified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.authority import Authority
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

DESCRIPTION_OID: Final = "1.3.6.1.4.1.11129.2.1.17"
DESCRIPTION: Final = "keyDescription"
PURPOSE, ALL_APPLICATIONS, ORIGIN = 1, 600, 702
SIGN, VERIFY = 2, 3
GENERATED, IMPORTED = 0, 2
NULL: Final = b"\x05\x00"
_VERSION: Final = 300


@dataclass
class KeyDescription:
    """KeyDescription of the Android key store: authorisations by tag, in software and in hardware.

    challenge  None for the hash of the client data
    """

    version: int = _VERSION
    challenge: bytes | None = None
    software: dict[int, bytes] = field(default_factory=dict)
    hardware: dict[int, bytes] = field(default_factory=lambda: {PURPOSE: purposes(SIGN), ORIGIN: origin(GENERATED)})
    trailing: bytes = b""

    def encode(self, challenge: bytes) -> bytes:
        """The DER, with this challenge unless there is one of its own."""
        made = der.tlv(
            der.SEQUENCE,
            der.integer(self.version),
            der.integer(1, der.ENUMERATED),
            der.integer(self.version),
            der.integer(1, der.ENUMERATED),
            der.tlv(der.OCTET_STRING, challenge if self.challenge is None else self.challenge),
            der.tlv(der.OCTET_STRING),
            _listed(self.software),
            _listed(self.hardware),
        )
        return made + self.trailing


class AndroidStatement(Certified):
    """The credential signs, and a certificate of its key says how the key is kept; the root ends the chain."""

    def __init__(self, authority: Authority, draft: RegistrationDraft) -> None:
        super().__init__("android-key", authority, draft.private)
        self.description = KeyDescription()
        self.ends_with = [authority.root_der()]

    def extensions(self, draft: RegistrationDraft) -> Mapping[str, Extension]:
        """The key description."""
        return {DESCRIPTION: Extension.raw(DESCRIPTION_OID, self.description.encode(draft.client_hash()))}


def purposes(*values: int) -> bytes:
    """What the key may be used for."""
    return der.tlv(der.SET, *(der.integer(value) for value in values))


def origin(value: int) -> bytes:
    """Where the key came from."""
    return der.integer(value)


def _listed(authorisations: Mapping[int, Any]) -> bytes:
    return der.tlv(der.SEQUENCE, *(der.tagged(tag, value) for tag, value in sorted(authorisations.items())))
