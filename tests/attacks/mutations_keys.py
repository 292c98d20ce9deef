"""Defects of the public key. Nothing signs it under attestation `none`, so that only its own check can tell."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed448

from tests.attacks.drafts import RegistrationDraft, encode
from tests.attacks.malformed_cbor import long_form, map_of, pairs_of
from tests.attacks.registry import mutation

KTY, ALG, CRV, X, Y = 1, 3, -1, -2, -3
RSA, ED448 = 3, 7
IDENTITY: Final = b"\x01" + bytes(31)
"""The neutral element of Ed25519, encoded: with it as a key, one signature fits every message."""


@mutation("reg.key.kty-missing")
def key_type_missing(draft: RegistrationDraft) -> None:
    del draft.cose[KTY]


@mutation("reg.key.kty-alg-mismatch")
def key_type_of_another_algorithm(draft: RegistrationDraft) -> None:
    draft.cose[KTY] = RSA


@mutation("reg.key.crv-missing")
def curve_missing(draft: RegistrationDraft) -> None:
    del draft.cose[CRV]


@mutation("reg.key.compressed")
def point_compressed(draft: RegistrationDraft) -> None:
    draft.cose[Y] = bool(draft.cose[Y][-1] & 1)


@mutation("reg.key.short-x")
def x_too_short(draft: RegistrationDraft) -> None:
    draft.cose[X] = draft.cose[X][1:]


@mutation("reg.key.long-x")
def x_too_long(draft: RegistrationDraft) -> None:
    draft.cose[X] = b"\x00" + draft.cose[X]


@mutation("reg.key.x-missing")
def x_missing(draft: RegistrationDraft) -> None:
    del draft.cose[X]


@mutation("reg.key.rsa-512")
def rsa_modulus_of_512_bits(draft: RegistrationDraft) -> None:
    modulus = int.from_bytes(draft.cose[CRV][:64], "big") | 1 << 511 | 1
    draft.cose[CRV] = modulus.to_bytes(64, "big")


@mutation("reg.key.rsa-empty")
def rsa_modulus_empty(draft: RegistrationDraft) -> None:
    draft.cose[CRV] = b""


@mutation("reg.key.ed-identity")
def ed25519_identity(draft: RegistrationDraft) -> None:
    draft.cose[X] = IDENTITY


@mutation("reg.key.ed-448-under-8")
def ed448_under_the_algorithm_of_ed25519(draft: RegistrationDraft) -> None:
    draft.cose |= {CRV: ED448, X: ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()}


@mutation("reg.key.cbor-array")
def array_with_the_values_where_the_labels_point(draft: RegistrationDraft) -> None:
    cose = draft.cose
    draft.cose_bytes = encode([0, cose[KTY], 0, cose[ALG], cose[Y], cose[X], cose[CRV]])


@mutation("reg.key.cbor-dup-keys")
def label_twice(draft: RegistrationDraft) -> None:
    draft.cose_bytes = map_of([*pairs_of(draft.cose), (KTY, draft.cose[KTY])])


@mutation("reg.key.cbor-nonminimal")
def integer_longer_than_needed(draft: RegistrationDraft) -> None:
    draft.cose_bytes = map_of(pairs_of({**draft.cose, KTY: long_form(0, draft.cose[KTY], 1)}))
