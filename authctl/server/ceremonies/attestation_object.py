"""Attestation objects (WebAuthn section 6.5.4) and the statements in them: which are read, and which are accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import cbor
from authctl.server.ceremonies.reasons import Reason

NONE: Final = "none"
PACKED_SELF: Final = "packed-self"
PACKED_X5C: Final = "packed-x5c"

MAX_CERTIFICATES: Final = 6


@dataclass(frozen=True, slots=True)
class AttestationObject:
    """The three members of the outer map; `format` tells the two kinds of `packed` apart."""

    format: str
    statement: dict[int | str | bytes, cbor.Value]
    authenticator_data: bytes


def read(data: bytes) -> AttestationObject:
    """The parts of `data`; raises CeremonyFailed with `attestation_object_malformed`.

    The outer map has exactly its three members: another reader may prefer what an unknown one says.
    """
    try:
        members = cbor.read(data)
    except cbor.CborError as error:
        raise _malformed(str(error)) from error
    if not isinstance(members, dict) or set(members) != {"fmt", "attStmt", "authData"}:
        raise _malformed("not a map of fmt, attStmt and authData")
    name, statement, authenticator_data = members["fmt"], members["attStmt"], members["authData"]
    if not (isinstance(name, str) and isinstance(statement, dict) and isinstance(authenticator_data, bytes)):
        raise _malformed("a member of the wrong type")
    return AttestationObject(_kind(name, statement), statement, authenticator_data)


def check_statement(attestation: AttestationObject, *, expected_formats: frozenset[str], key_algorithm: int) -> None:
    """Raises CeremonyFailed unless the format is wanted and its statement has exactly the members it may have.

    Whether the signature in it holds is the library's part.
    """
    if attestation.format not in expected_formats or attestation.format not in _MEMBERS:
        raise CeremonyFailed(Reason.ATTESTATION_FORMAT_REFUSED, debug=attestation.format[:64])
    # Section 8.7: the statement of `none` is empty. Section 8.2: packed has nothing besides these.
    if set(attestation.statement) != _MEMBERS[attestation.format]:
        raise _invalid(f"a {attestation.format} statement with other members")
    if attestation.format != NONE:
        _check_packed(attestation, key_algorithm)


_MEMBERS: Final[dict[str, frozenset[str]]] = {
    NONE: frozenset(),
    PACKED_SELF: frozenset({"alg", "sig"}),
    PACKED_X5C: frozenset({"alg", "sig", "x5c"}),
}


def _kind(name: str, statement: dict[int | str | bytes, cbor.Value]) -> str:
    if name != "packed":
        # Our two names for the kinds of `packed` are not formats that an authenticator may claim.
        return name if name not in (PACKED_SELF, PACKED_X5C) else f"unknown {name}"
    return PACKED_X5C if "x5c" in statement else PACKED_SELF


def _check_packed(attestation: AttestationObject, key_algorithm: int) -> None:
    algorithm, signature = attestation.statement["alg"], attestation.statement["sig"]
    if type(algorithm) is not int or not isinstance(signature, bytes) or not signature:
        raise _invalid("alg is not an integer or sig is not a string with content")
    if attestation.format == PACKED_SELF and algorithm != key_algorithm:
        raise _invalid("the algorithm of self attestation is not the key's")
    if attestation.format == PACKED_X5C:
        chain = attestation.statement["x5c"]
        if not isinstance(chain, list) or not 1 <= len(chain) <= MAX_CERTIFICATES:
            raise _invalid("x5c is not a chain of certificates")
        if not all(isinstance(certificate, bytes) for certificate in chain):
            raise _invalid("x5c holds something else than certificates")


def _malformed(debug: str) -> CeremonyFailed:
    return CeremonyFailed(Reason.ATTESTATION_OBJECT_MALFORMED, debug=debug)


def _invalid(debug: str) -> CeremonyFailed:
    return CeremonyFailed(Reason.ATTESTATION_INVALID, debug=debug)
