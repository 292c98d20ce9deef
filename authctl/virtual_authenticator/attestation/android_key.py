"""Attestation statement format `android-key` (WebAuthn Level 3 §8.4): a certificate of the key store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.attestation.authority import Extension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable

_KEY_DESCRIPTION_OID: Final = "1.3.6.1.4.1.11129.2.1.17"
_VERSION: Final = 300
_PURPOSE, _ORIGIN = 1, 702
_SIGN: Final = 2
_GENERATED: Final = 0


class AndroidKey:
    """The credential signs; its certificate carries the key description with the client data hash as challenge.

    has_lists  whether purpose and origin are stated, in the list that hardware enforces (§8.4.1)
    has_root   whether the chain ends with the root, as devices send it
    """

    identifier = "android-key"

    def __init__(self, name: str = "android-key", *, has_lists: bool = True, has_root: bool = True) -> None:
        self.name = name
        self._has_lists = has_lists
        self._has_root = has_root

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`alg` and `sig` of the credential key, and `x5c` with the certificate of that key first."""
        description = Extension.raw(_KEY_DESCRIPTION_OID, self.key_description(subject.client_data_hash))
        certificate = subject.authority.certify(subject.key.public(), subject.random, extensions=(description,))
        signature = subject.key.sign(subject.message, is_deterministic=subject.is_deterministic)
        chain = [certificate, subject.authority.root_der()] if self._has_root else [certificate]
        return {"alg": subject.key.algorithm.identifier, "sig": signature, "x5c": chain}

    def key_description(self, challenge: bytes) -> bytes:
        """KeyDescription: versions and security levels, the challenge, no unique id, and two lists of properties."""
        enforced = (
            der.tagged(_PURPOSE, der.tlv(der.SET, der.integer(_SIGN))) + der.tagged(_ORIGIN, der.integer(_GENERATED))
            if self._has_lists
            else b""
        )
        return der.tlv(
            der.SEQUENCE,
            der.integer(_VERSION),
            der.integer(0, der.ENUMERATED),
            der.integer(0),
            der.integer(0, der.ENUMERATED),
            der.tlv(der.OCTET_STRING, challenge),
            der.tlv(der.OCTET_STRING),
            der.tlv(der.SEQUENCE),
            der.tlv(der.SEQUENCE, enforced),
        )
