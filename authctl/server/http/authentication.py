"""Takes the bearer token out of a request (RFC 6750 section 2.1), and out of nowhere but its Authorization header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

UNUSABLE = ""
"""Stands for credentials that no verifier accepts: the service refuses them and leaves the event of a rejection."""

_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*\Z")


def bearer_token(authorization: Sequence[bytes]) -> str | None:
    """The token in the lines of the Authorization header; None when no bearer token was offered.

    Two lines, a scheme without token, and anything that is not one token of RFC 6750's alphabet are UNUSABLE.
    """
    if not authorization:
        return None
    if len(authorization) > 1:
        return UNUSABLE
    scheme, _, rest = authorization[0].partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    token = rest.strip(b" ")
    return token.decode("ascii") if _TOKEN.match(token) else UNUSABLE
