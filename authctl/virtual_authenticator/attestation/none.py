"""Attestation statement format `none` (WebAuthn Level 3 §8.7): nothing is stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable


class NoAttestation:
    """An empty statement."""

    name = "none"
    identifier = "none"

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:  # the interface's signature
        """An empty map."""
        return {}
