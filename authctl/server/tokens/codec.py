"""The only door to PyJWT: turns claims into a signed text and back, with exactly one algorithm and one key.

PyJWT does the cryptography. The framing (RFC 7515 section 3.1) is read here, because a token has to have exactly one
text: padding, spare bits, duplicate members, unknown header members and other spellings of a number are refused.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import jwt
import orjson

from authctl.errors import TokenRejected
from authctl.server.tokens.reasons import Reason
from authctl.server.tokens.signing_keys import UnsuitableKey

if TYPE_CHECKING:
    from authctl.server.tokens.signing_keys import JwtKey

LONGEST_TOKEN = 4096
TYPE = "at+jwt"
"""RFC 9068 section 2.1: a token of another kind is never taken for an access token."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Codec:
    """Signs and verifies with one key. What the claims mean is not its business."""

    __slots__ = ("_algorithm", "_header", "_key", "_names")

    def __init__(self, key: JwtKey) -> None:
        """Raises UnsuitableKey for a key that PyJWT thinks too weak, or wrong, for its algorithm."""
        self._algorithm = jwt.get_algorithm_by_name(key.algorithm)
        try:
            self._key = (self._algorithm.prepare_key(key.signing), self._algorithm.prepare_key(key.verifying))
        except (jwt.PyJWTError, TypeError) as error:
            raise UnsuitableKey(f"does not fit {key.algorithm}") from error
        if weakness := self._algorithm.check_key_length(self._key[0]):
            raise UnsuitableKey(weakness)
        self._names = {"alg": key.algorithm, "kid": key.kid, "typ": TYPE}
        self._header = _encoded(orjson.dumps(self._names))

    def encode(self, claims: dict[str, Any]) -> str:
        """The signed token (JWS compact serialisation) with these claims."""
        signed = self._header + b"." + _encoded(orjson.dumps(claims))
        return (signed + b"." + _encoded(self._algorithm.sign(signed, self._key[0]))).decode()

    def decode(self, token: str) -> dict[str, Any]:
        """The claims of a token that this key signed; raises TokenRejected for everything else."""
        if len(token) > LONGEST_TOKEN:
            raise TokenRejected(Reason.TOO_LONG)
        if not _SHAPE.fullmatch(token):
            raise TokenRejected(Reason.MALFORMED)
        signed, _, signature = token.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        if header != self._header:
            self._check_header(header)
        if not self._algorithm.verify(signed, self._key[1], _decoded(signature)):
            raise TokenRejected(Reason.SIGNATURE)
        return _object(_decoded(payload))

    def _check_header(self, segment: bytes) -> None:
        """A header in other words than ours: the same three members, or the reason why not."""
        header = _object(_decoded(segment))
        if header.get("alg") != self._names["alg"]:
            raise TokenRejected(Reason.ALGORITHM)
        if header.get("typ") != TYPE:
            raise TokenRejected(Reason.TYPE)
        if header.get("kid") != self._names["kid"]:
            raise TokenRejected(Reason.KEY)
        if header.keys() != self._names.keys():  # crit, jku, jwk, x5u, x5c, b64, zip
            raise TokenRejected(Reason.HEADER)


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decoded(segment: bytes) -> bytes:
    """The bytes of a segment in its one canonical form, without padding and spare bits (RFC 7515 section 2)."""
    if len(segment) % 4 == 1:
        raise TokenRejected(Reason.MALFORMED)
    data = urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    if _encoded(data) != segment:
        raise TokenRejected(Reason.MALFORMED)
    return data


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object without duplicate members, at any depth, and without numbers that JSON does not know."""
    try:
        value = orjson.loads(data)
        if orjson.dumps(value) != data:  # not as we write it: look closer
            value = json.loads(data.decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, TypeError, RecursionError) as error:  # TypeError is orjson's word for nested too deep
        raise TokenRejected(Reason.MALFORMED) from error
    if not isinstance(value, dict):
        raise TokenRejected(Reason.MALFORMED)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members
