"""Attestation statement format `packed` (WebAuthn Level 3 §8.2), signed by the credential itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable


class PackedSelf:
    """Self attestation: the new key vouches for itself, which proves that the private key is there."""

    identifier = "packed"

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`alg` of the credential and a signature over authenticator data and client data hash; no `x5c`."""
        message = bytes(subject.authenticator_data) + subject.client_data_hash
        signature = subject.key.sign(message, is_deterministic=subject.is_deterministic)
        return {"alg": subject.key.algorithm.identifier, "sig": signature}
