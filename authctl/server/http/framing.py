"""Judges the head of an HTTP request beyond what a parser does: one Host, one length, a target that is a path.

Two programs that read the same bytes differently are the root of request smuggling; whatever could be read in two ways
is refused (RFC 9112 sections 3, 6 and 11.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from authctl.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    Fields = Sequence[tuple[bytes, bytes]]

VERSIONS: Final = frozenset({"1.0", "1.1"})
AUTHORITY: Final = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?\Z")
"""A host in lower case, with or without port; the first group is the host."""

_VISIBLE: Final = re.compile(rb"[!-\"$-~]+\Z")
_ABSOLUTE: Final = re.compile(rb"https?://(?P<authority>[^/?]+)(?P<path>/[^?]*)?(?:\?(?P<query>.*))?\Z", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"[0-9]{1,19}\Z")


def check_head(method: str, target: bytes, fields: Fields, version: str) -> tuple[bytes, bytes]:
    """Path and query of an acceptable request; raises BadRequest for any other."""
    if version not in VERSIONS:
        raise BadRequest("The protocol version is not supported")
    if method == "CONNECT":
        raise BadRequest("This is not a proxy")
    _check_length(fields, version)
    return _split_target(method, target, _the_host(fields))


def _the_host(fields: Fields) -> bytes:
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) != 1:
        raise BadRequest("The request has to have exactly one Host header")
    host = hosts[0].lower()
    if not AUTHORITY.match(host):
        raise BadRequest("The Host header is not a host")
    return host


def _check_length(fields: Fields, version: str) -> None:
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise BadRequest("The request states the length of its body more than once")
    if lengths and not _LENGTH.match(lengths[0]):
        raise BadRequest("The Content-Length header is not a number")
    if codings and (codings[0].lower() != b"chunked" or version == "1.0"):
        raise BadRequest("The transfer coding is not supported")


def _split_target(method: str, target: bytes, host: bytes) -> tuple[bytes, bytes]:
    if not _VISIBLE.match(target):
        raise BadRequest("The request target is not valid")
    if target[:1] == b"/":
        path, _, query = target.partition(b"?")
        return path, query
    if target == b"*" and method == "OPTIONS":
        return target, b""
    absolute = _ABSOLUTE.match(target)
    if absolute is None or absolute["authority"].lower() != host:
        raise BadRequest("The request target is not valid")
    return absolute["path"] or b"/", absolute["query"] or b""
