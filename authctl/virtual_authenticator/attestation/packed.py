"""Attestation statement format `packed` (WebAuthn Level 3 §8.2): by the credential itself, or with a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.attestation.authority import Extension, new_key
from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES256
from authctl.virtual_authenticator.authenticator.keys import algorithm_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.interface import Subject
    from authctl.virtual_authenticator.authenticator.cbor import Encodable

_AAGUID_OID: Final = "1.3.6.1.4.1.45724.1.1.4"


class PackedSelf:
    """Self attestation: the new key vouches for itself, which proves that the private key is there."""

    name = "packed"
    identifier = "packed"

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`alg` of the credential and a signature over authenticator data and client data hash; no `x5c`."""
        signature = subject.key.sign(subject.message, is_deterministic=subject.is_deterministic)
        return {"alg": subject.key.algorithm.identifier, "sig": signature}


class PackedCertified:
    """Basic attestation: an ES256 key of the model, certified by the authority (§8.2.1)."""

    name = "packed-x5c"
    identifier = "packed"

    def statement(self, subject: Subject) -> Mapping[str, Encodable]:
        """`alg` of the attestation key, its signature, and its certificate, which names the AAGUID."""
        key = new_key(subject.random)
        certificate = subject.authority.certify(key.public_key(), subject.random, extensions=_model_of(subject))
        signature = algorithm_of(ES256).sign(key, subject.message, subject.is_deterministic)
        return {"alg": ES256, "sig": signature, "x5c": [certificate]}


def _model_of(subject: Subject) -> tuple[Extension, ...]:
    attested = subject.authenticator_data.attested
    if attested is None or not subject.authority.has_models:
        return ()
    return (Extension.raw(_AAGUID_OID, der.tlv(der.OCTET_STRING, attested.aaguid)),)
