"""Faults of the public key's CBOR: the right values in a form that only some readers take for a COSE key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.faults.cose_key import ALG, CRV, KTY, X, Y
from authctl.virtual_authenticator.faults.drafts import encode
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.malformed_cbor import (
    half_precision,
    in_chunks,
    indefinite_map,
    long_form,
    long_string,
    map_of,
    nested_arrays,
    tagged,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

fault = partial(any_fault, Layer.COSE_KEY)

_ONE: Any = half_precision(b"\x3c\x00")
_NAMES = {KTY: "kty", ALG: "alg", CRV: "crv", X: "x", Y: "y"}


def _written(case_id: str, make: Callable[[RegistrationDraft], bytes], variant: str = "") -> None:
    fault(case_id, variant)(lambda draft: setattr(draft, "cose_bytes", make(draft)))


def _pairs(case_id: str, make: Callable[[dict[int, Any]], list[tuple[Any, Any]]], variant: str = "") -> None:
    _written(case_id, lambda draft: map_of(make(draft.cose)), variant)


def _spelled(cose: dict[int, Any], changes: dict[int, Any]) -> list[tuple[Any, Any]]:
    return list((cose | changes).items())


_pairs("reg.key.cbor-dup-keys", lambda cose: [*cose.items(), (KTY, cose[KTY])])
_pairs("reg.key.cbor-dup-keys", lambda cose: [(X, bytes(32)), *cose.items()], "another x first")
_pairs("reg.key.cbor-bool-alias", lambda cose: [*cose.items(), (True, 3)])
_pairs(
    "reg.key.cbor-float-alias", lambda cose: [(_ONE if label == KTY else label, value) for label, value in cose.items()]
)
_pairs("reg.key.cbor-text-labels", lambda cose: [(_NAMES[label], value) for label, value in cose.items()])
_pairs("reg.key.cbor-number-text-labels", lambda cose: [(str(label), value) for label, value in cose.items()])
_pairs("reg.key.cbor-nonminimal", lambda cose: _spelled(cose, {KTY: long_form(0, cose[KTY], 1)}))
_pairs("reg.key.cbor-nonminimal", lambda cose: _spelled(cose, {X: long_string(cose[X], 2)}), "length of x")
_pairs("reg.key.cbor-nonminimal", lambda cose: _spelled(cose, {ALG: long_form(1, -1 - cose[ALG], 8)}), "alg")
_pairs("reg.key.cbor-chunks", lambda cose: _spelled(cose, {X: in_chunks(cose[X])}))
_pairs("reg.key.cbor-unsorted", lambda cose: list(reversed(cose.items())))
_written("reg.key.cbor-indefinite", lambda draft: indefinite_map(draft.cose.items()))
_written(
    "reg.key.cbor-array",
    lambda draft: encode([0, draft.cose[KTY], 0, draft.cose[ALG], draft.cose[Y], draft.cose[X], draft.cose[CRV]]),
)
_written("reg.key.cbor-array-pairs", lambda draft: encode([item for pair in draft.cose.items() for item in pair]))
_written("reg.key.cbor-one-byte", lambda _: b"\x04")
_written("reg.key.cbor-empty-map", lambda _: encode({}))
_written("reg.key.cbor-text", lambda draft: encode(draft.cose[X].hex()))
_written("reg.key.cbor-null", lambda _: encode(None))
_written("reg.key.cbor-tagged", lambda draft: tagged(18, draft.cose))
_written("reg.key.cbor-wrapped", lambda draft: encode(encode(draft.cose)))
_written("reg.key.cbor-deep", lambda _: encode({KTY: nested_arrays(10_000)}))
_written("reg.key.cbor-huge-length", lambda draft: map_of([(KTY, 2), (X, long_form(2, 1 << 60, 8))]) + draft.cose[X])
_written("reg.key.raw-point", lambda draft: b"\x04" + draft.cose[X] + draft.cose[Y])
_written("reg.key.spki", lambda draft: draft.private.public_spki())
_written("reg.key.pem", lambda _: b"-----BEGIN PUBLIC KEY-----\n")
_written("reg.key.jwk", lambda _: b'{"kty":"EC","crv":"P-256"}')
