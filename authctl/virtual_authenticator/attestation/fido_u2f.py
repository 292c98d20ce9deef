"""Attestation statement format `fido-u2f` (WebAuthn Level 3 §8.6): what a U2F token signs at registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cbor2

from authctl.virtual_authenticator.attestation.authority import new_key
from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES256
from authctl.virtual_authenticator.authenticator.keys import algorithm_of
from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable


class FidoU2f:
    """A certificate and a signature over the U2F registration message; for ES256 keys only."""

    name = "fido-u2f"
    identifier = "fido-u2f"

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`x5c` with exactly one certificate, and `sig`."""
        attested = subject.authenticator_data.attested
        if attested is None or subject.key.algorithm.identifier != ES256:
            raise NotSupported("fido-u2f attests to ES256 keys only", hint="--algorithm ES256")
        members = cbor2.loads(attested.public_key)
        # Steps 2 and 3 of the signing procedure: the key as an uncompressed point, and what U2F has signed.
        point = b"\x04" + members[-2] + members[-3]
        message = b"".join(
            (
                b"\x00",
                subject.authenticator_data.rp_id_hash,
                subject.client_data_hash,
                attested.credential_id,
                point,
            )
        )
        key = new_key(subject.random)
        certificate = subject.authority.certify(key.public_key(), subject.random)
        return {"sig": algorithm_of(ES256).sign(key, message, subject.is_deterministic), "x5c": [certificate]}
