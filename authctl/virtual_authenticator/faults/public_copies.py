"""What a browser tells of a new public key beside the attestation object (§5.2.1.1), whatever key stands in there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cbor2
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authctl.virtual_authenticator.authenticator.cbor import encode

if TYPE_CHECKING:
    from collections.abc import Callable

_KTY, _ALG, _CRV, _X, _Y = 1, 3, -1, -2, -3
_ED25519: Final = 6
_CURVES: Final[dict[int, Callable[[], ec.EllipticCurve]]] = {1: ec.SECP256R1, 2: ec.SECP384R1, 3: ec.SECP521R1}
_LONGEST: Final = 4096
"""Whatever is longer is no key that a browser reads, and may be made to cost its reader much."""


def copies_of(key: bytes) -> tuple[int | None, bytes | None]:
    """The algorithm and the key in DER; None for each that a browser cannot read out of the COSE key."""
    members = _read(key)
    algorithm = members.get(_ALG)
    if type(algorithm) is not int:
        return None, None
    try:
        public = _public(members)
    except (TypeError, ValueError, AttributeError, UnsupportedAlgorithm):
        return algorithm, None
    return algorithm, public and public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(key: bytes) -> dict[Any, Any]:
    """The members of a key in the one form that authenticators write; empty for every other."""
    if len(key) > _LONGEST:
        return {}
    try:
        members = cbor2.loads(key)
        return members if isinstance(members, dict) and encode(members) == key else {}
    except (cbor2.CBORDecodeError, TypeError, ValueError, OverflowError, RecursionError):
        return {}


def _public(members: dict[Any, Any]) -> Any:
    match members.get(_KTY):
        case 2 if members.get(_CRV) in _CURVES:
            x, y = (
                int.from_bytes(members[label], "big") for label in (_X, _Y) if isinstance(members.get(label), bytes)
            )
            return ec.EllipticCurvePublicNumbers(x, y, _CURVES[members[_CRV]]()).public_key()
        case 1 if members.get(_CRV) == _ED25519:
            return ed25519.Ed25519PublicKey.from_public_bytes(members.get(_X))  # type: ignore[arg-type]  # refused there
        case 3:
            n, e = (
                int.from_bytes(members[label], "big") for label in (_CRV, _X) if isinstance(members.get(label), bytes)
            )
            return rsa.RSAPublicNumbers(e, n).public_key()
    return None
