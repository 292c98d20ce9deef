"""Statements with certificates: packed (§8.2), fido-u2f (§8.6) and apple (§8.8), and the table of all."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.attestation.authority import Extension
from authctl.virtual_authenticator.faults.android import AndroidStatement
from authctl.virtual_authenticator.faults.statement import Certified
from authctl.virtual_authenticator.faults.tpm import TpmStatement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.attestation.authority import Authority
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

AAGUID_OID: Final = "1.3.6.1.4.1.45724.1.1.4"
NONCE_OID: Final = "1.2.840.113635.100.8.2"
MODEL: Final = "aaguid"
NONCE: Final = "nonce"


class PackedStatement(Certified):
    """Full attestation: the certificate of the model's key, which names the AAGUID."""

    def __init__(self, authority: Authority, draft: RegistrationDraft) -> None:
        super().__init__("packed", authority)

    def extensions(self, draft: RegistrationDraft) -> Mapping[str, Extension]:
        """The AAGUID in an OCTET STRING."""
        return {MODEL: model(draft.aaguid)}


class U2fStatement(Certified):
    """What a U2F token signs at registration; its credentials have no AAGUID."""

    def __init__(self, authority: Authority, draft: RegistrationDraft) -> None:
        super().__init__("fido-u2f", authority)
        draft.aaguid = bytes(16)

    def to_be_signed(self, draft: RegistrationDraft) -> bytes:
        """§8.6, verification step 5: a zero, hash of the RP id and of the client data, credential id, point."""
        return b"\x00" + draft.rp_id_hash + draft.client_hash() + draft.credential_id + self.point(draft)

    def point(self, draft: RegistrationDraft) -> bytes:
        """The uncompressed point that the COSE key is for."""
        return b"\x04" + bytes(draft.cose[-2]) + bytes(draft.cose[-3])

    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """`sig` and `x5c`."""
        return {"sig": self.sign(draft), "x5c": self.x5c(draft)}


class AppleStatement(Certified):
    """A certificate for the credential's own key, with a nonce; nothing else is signed."""

    def __init__(self, authority: Authority, draft: RegistrationDraft) -> None:
        super().__init__("apple", authority, draft.private)
        self.nonce: Callable[[RegistrationDraft], bytes] = nonce_of

    def extensions(self, draft: RegistrationDraft) -> Mapping[str, Extension]:
        """The nonce, under a context tag in a sequence."""
        content = der.tlv(der.SEQUENCE, der.tagged(1, der.tlv(der.OCTET_STRING, self.nonce(draft))))
        return {NONCE: Extension.raw(NONCE_OID, content)}

    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """`x5c` alone."""
        return {"x5c": self.x5c(draft)}


def model(aaguid: bytes, *, critical: bool = False) -> Extension:
    """The extension id-fido-gen-ce-aaguid (§8.2.1)."""
    return Extension.raw(AAGUID_OID, der.tlv(der.OCTET_STRING, aaguid), critical=critical)


def nonce_of(draft: RegistrationDraft) -> bytes:
    """§8.8, verification step 2 and 3: the hash of what most formats sign."""
    return sha256(draft.message()).digest()


CERTIFIED: Final[dict[str, Callable[[Authority, RegistrationDraft], Certified]]] = {
    "packed-x5c": PackedStatement,
    "fido-u2f": U2fStatement,
    "tpm": TpmStatement,
    "android-key": AndroidStatement,
    "apple": AppleStatement,
}
"""By the names that options and presets use."""
