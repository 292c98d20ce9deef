"""Faults of the public key. Nothing signs it under attestation `none`, so that only its own check can tell."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519

from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES384, ESP256
from authctl.virtual_authenticator.authenticator.algorithms.eddsa import EDDSA
from authctl.virtual_authenticator.authenticator.algorithms.rsa import RS1
from authctl.virtual_authenticator.authenticator.keys import ES256, CredentialKey
from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.malformed_cbor import tagged
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

fault = partial(any_fault, Layer.COSE_KEY)

KTY, KID, ALG, OPS, CRV, X, Y, D = 1, 2, 3, 4, -1, -2, -3, -4
OKP, EC2, RSA, SYMMETRIC, AKP = 1, 2, 3, 4, 7
P256, P384, X25519, ED25519, ED448, SECP256K1 = 1, 2, 4, 6, 7, 8
PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""Of the field of P-256."""
B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
"""The curve's constant: with x = 0, y is its square root."""


def with_members(case_id: str, make: Callable[[dict[int, Any]], dict[int, Any]], variant: str = "") -> None:
    """Members of the key, made of those that it has."""
    fault(case_id, variant)(lambda draft: draft.cose.update(make(draft.cose)))


def without(case_id: str, label: int) -> None:
    """A member left out."""
    fault(case_id)(lambda draft: draft.cose.pop(label))


def is_not_offered(draft: RegistrationDraft, algorithm: int) -> None:
    """Raises NotSupported where the options offer the algorithm, so that it is no fault."""
    if any(entry.get("alg") == algorithm for entry in draft.options.get("pubKeyCredParams", ())):
        raise NotSupported(f"The algorithm {algorithm} is offered")


def _replaced(case_id: str, algorithm: int) -> None:
    """A whole key of an algorithm that was not offered, and its signature."""

    def alter(draft: RegistrationDraft) -> None:
        is_not_offered(draft, algorithm)
        draft.private = CredentialKey.generate(algorithm, SystemRandom())
        draft.cose_bytes = draft.private.public_cose()

    fault(case_id)(alter)


_replaced("reg.key.alg-rs1-not-offered", RS1)
_replaced("reg.key.alg-esp256-not-offered", ESP256)
_replaced("reg.key.alg-es384-not-offered", ES384)

with_members("reg.key.alg-string", lambda _: {ALG: "ES256"})
with_members("reg.key.alg-zero", lambda _: {ALG: 0})
with_members("reg.key.alg-hmac", lambda _: {ALG: 5, KTY: SYMMETRIC})
with_members("reg.key.alg-float", lambda _: {ALG: float(ES256)})
with_members("reg.key.alg-eddsa-mismatch", lambda _: {ALG: EDDSA})
with_members("reg.key.alg-big", lambda _: {ALG: tagged(3, b"\x06")})
without("reg.key.alg-missing", ALG)
without("reg.key.kty-missing", KTY)
with_members("reg.key.kty-alg-mismatch", lambda _: {KTY: RSA})
with_members("reg.key.kty-unknown", lambda _: {KTY: 99})
with_members("reg.key.kty-zero", lambda _: {KTY: 0})
with_members("reg.key.kty-text", lambda _: {KTY: "EC2"})
with_members("reg.key.kty-okp", lambda _: {KTY: OKP})
without("reg.key.crv-missing", CRV)
with_members("reg.key.crv-wrong", lambda _: {CRV: P384})
with_members("reg.key.crv-text", lambda _: {CRV: "P-256"})
with_members("reg.key.crv-secp256k1", lambda _: {CRV: SECP256K1})
with_members("reg.key.crv-ed25519", lambda _: {CRV: ED25519})
with_members("reg.key.crv-bool", lambda _: {CRV: True})


@fault("reg.key.crv-p384-key")
def whole_key_on_another_curve(draft: RegistrationDraft) -> None:
    """A key on P-384, complete and consistent, under the algorithm of P-256."""
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    draft.cose |= {CRV: P384, X: numbers.x.to_bytes(48, "big"), Y: numbers.y.to_bytes(48, "big")}


def _off_curve(cose: dict[int, Any]) -> dict[int, Any]:
    return {Y: bytes(cose[Y][:-1]) + bytes([cose[Y][-1] ^ 1])}


def _beyond_the_prime(_: dict[int, Any]) -> dict[int, Any]:
    # x = 0 is on the curve, and the prime itself is the same x written too large.
    root = pow(B, (PRIME + 1) // 4, PRIME)
    return {X: PRIME.to_bytes(32, "big"), Y: root.to_bytes(32, "big")}


with_members("reg.key.off-curve", _off_curve)
with_members("reg.key.zero-point", lambda _: {X: bytes(32), Y: bytes(32)})
with_members("reg.key.empty-point", lambda _: {X: b"", Y: b""})
with_members("reg.key.x-beyond-prime", _beyond_the_prime)
with_members("reg.key.y-beyond-prime", lambda _: {Y: b"\xff" * 32})
with_members("reg.key.swapped", lambda cose: {X: cose[Y], Y: cose[X]})
with_members("reg.key.compressed", lambda _: {Y: True})
with_members("reg.key.compressed", lambda _: {Y: False}, "false")
with_members("reg.key.compressed-x", lambda cose: {X: bytes([2 + (cose[Y][-1] & 1)]) + cose[X]})
with_members("reg.key.short-x", lambda cose: {X: cose[X][1:]})
with_members("reg.key.long-x", lambda cose: {X: b"\x00" + cose[X]})
with_members("reg.key.short-y", lambda cose: {Y: cose[Y][1:]})
with_members("reg.key.long-y", lambda cose: {Y: cose[Y] + b"\x00"})
with_members("reg.key.x-text", lambda cose: {X: cose[X].hex()})
with_members("reg.key.x-null", lambda _: {X: None})
with_members("reg.key.x-array", lambda cose: {X: list(cose[X])})
with_members("reg.key.x-bignum", lambda cose: {X: tagged(2, bytes(cose[X]))})
with_members("reg.key.y-null", lambda _: {Y: None})
without("reg.key.x-missing", X)
without("reg.key.y-missing", Y)

fault("reg.key.ed-x25519")(
    lambda draft: draft.cose.update(
        {CRV: X25519, X: x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()}
    )
)
fault("reg.key.ed-448-under-8")(
    lambda draft: draft.cose.update({CRV: ED448, X: ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()})
)
with_members("reg.key.ed-kty-ec2", lambda _: {KTY: EC2})
with_members("reg.key.ed-length", lambda cose: {X: cose[X][1:]})
with_members("reg.key.ed-length", lambda cose: {X: cose[X] + b"\x00"}, "33 bytes")
with_members("reg.key.ed-empty", lambda _: {X: b""})
with_members("reg.key.ed-with-y", lambda cose: {Y: cose[X]})
without("reg.key.ed-crv-missing", CRV)

with_members("reg.key.mldsa-length", lambda cose: {CRV: cose[CRV][:-1]})
with_members("reg.key.mldsa-kty", lambda _: {KTY: OKP})
with_members("reg.key.mldsa-level", lambda _: {ALG: -49})
with_members("reg.key.mldsa-empty", lambda _: {CRV: b""})

with_members("reg.key.private-part", lambda _: {D: bytes(range(32))})
with_members("reg.key.extra-params", lambda _: {KID: b"kid", OPS: [2]})
with_members("reg.key.extra-params", lambda _: {OPS: [1]}, "key_ops of a signer")
with_members("reg.key.extra-params", lambda _: {-70000: b"x"}, "private use")
