"""Faults of the public key that leave its form alone: keys that anybody can sign with, or that cost too much to use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.cose_key import CRV, X, with_members, without
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

fault = partial(any_fault, Layer.COSE_KEY)

N, E = CRV, X
"""The labels of an RSA key (RFC 8230 §4): modulus and exponent."""

FIELD: Final = 2**255 - 19
"""The prime of Curve25519."""
IDENTITY: Final = b"\x01" + bytes(31)
"""The neutral element of Ed25519, encoded: with it as a key, one signature fits every message."""
ORDER_2: Final = (FIELD - 1).to_bytes(32, "little")
ORDER_4: Final = bytes(32)
ORDER_8: Final = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
IDENTITY_BEYOND: Final = (FIELD + 1).to_bytes(32, "little")
"""The neutral element with its coordinate written too large."""
IDENTITY_SIGNED: Final = b"\x01" + bytes(30) + b"\x80"
"""The neutral element with the sign of a coordinate that is zero."""


def _point(case_id: str, point: bytes, variant: str = "") -> None:
    with_members(case_id, lambda _: {X: point}, variant)


_point("reg.key.ed-identity", IDENTITY)
_point("reg.key.ed-small-order", ORDER_2, "order 2")
_point("reg.key.ed-small-order", ORDER_4, "order 4")
_point("reg.key.ed-small-order", ORDER_8, "order 8")
_point("reg.key.ed-noncanonical", IDENTITY_BEYOND)
_point("reg.key.ed-noncanonical", IDENTITY_SIGNED, "sign of zero")
_point("reg.key.ed-noncanonical", b"\xff" * 32, "beyond the field")
_point("reg.key.ed-off-curve", (2).to_bytes(32, "little"))


def _modulus(draft: RegistrationDraft, bits: int) -> bytes:
    """An odd number of that size; nobody has its factors, but its size is what matters."""
    start = bytes(draft.cose[N])
    number = int.from_bytes((start * (bits // 8 // len(start) + 1))[: bits // 8], "big")
    return (number | 1 << (bits - 1) | 1).to_bytes(bits // 8, "big")


for size in (512, 1024, 32768):
    fault(f"reg.key.rsa-{size}")(lambda draft, size=size: draft.cose.update({N: _modulus(draft, size)}))

with_members("reg.key.rsa-e1", lambda _: {E: b"\x01"})
with_members("reg.key.rsa-e2", lambda _: {E: b"\x02"})
with_members("reg.key.rsa-e3", lambda _: {E: b"\x03"})
with_members("reg.key.rsa-e0", lambda _: {E: b"\x00"})
with_members("reg.key.rsa-e-empty", lambda _: {E: b""})
with_members("reg.key.rsa-e-huge", lambda cose: {E: cose[N]})
with_members("reg.key.rsa-e-padded", lambda _: {E: b"\x00\x01\x00\x01"})
with_members("reg.key.rsa-even", lambda cose: {N: cose[N][:-1] + bytes([cose[N][-1] & 0xFE])})
with_members("reg.key.rsa-empty", lambda _: {N: b""})
with_members("reg.key.rsa-one", lambda _: {N: b"\x01"})
with_members("reg.key.rsa-zero", lambda _: {N: bytes(256)})
with_members("reg.key.rsa-padded", lambda cose: {N: b"\x00" + cose[N]})
with_members("reg.key.rsa-prime", lambda _: {N: (2**2203 - 1).to_bytes(276, "big")})
with_members("reg.key.rsa-text", lambda cose: {N: cose[N].hex()})
with_members("reg.key.rsa-kty", lambda _: {1: 2})
without("reg.key.rsa-n-missing", N)
without("reg.key.rsa-e-missing", E)
