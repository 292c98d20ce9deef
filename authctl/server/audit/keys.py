"""The two keys of the trail: a secret one for the chains, a signing one for checkpoints. Neither is in the database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DOMAIN = b"authctl checkpoint\x00"


@dataclass(frozen=True, slots=True)
class TrailKeys:
    """What is needed to write the trail and to verify it.

    retired  raw public keys of earlier checkpoint keys, whose signatures still count
    """

    audit: bytes = field(repr=False)
    checkpoint: Ed25519PrivateKey = field(repr=False)
    retired: tuple[bytes, ...] = ()

    @property
    def public_key(self) -> bytes:
        """The raw public part of the checkpoint key; publish it, and anyone can check a checkpoint."""
        return self.checkpoint.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, anchors: str) -> bytes:
        """The signature of a checkpoint over its own text."""
        return self.checkpoint.sign(_DOMAIN + anchors.encode())

    def is_known(self, fingerprint: str) -> bool:
        """Whether a fingerprint is that of the checkpoint key or of a retired one."""
        return self._find(fingerprint) is not None

    def is_signature_valid(self, fingerprint: str, anchors: str, signature: bytes) -> bool:
        """Whether the key of this fingerprint, if it is one of ours, signed the text."""
        public = self._find(fingerprint)
        if public is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, _DOMAIN + anchors.encode())
        except InvalidSignature:
            return False
        return True

    def _find(self, fingerprint: str) -> bytes | None:
        known = (self.public_key, *self.retired)
        return next((public for public in known if fingerprint_of(public) == fingerprint), None)


def fingerprint_of(public_key: bytes) -> str:
    """SHA-256 of a raw public key, in hex."""
    return hashlib.sha256(public_key).hexdigest()
