"""Looks into an access token as its receiver would, without the key: the server alone can verify it."""

from __future__ import annotations

import json
from typing import Any

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.errors import UnexpectedAnswer


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT; UnexpectedAnswer when it is none, or is not signed."""
    parts = token.split(".")
    if len(parts) != 3:
        raise UnexpectedAnswer("The access token is not a JWT")
    try:
        header, claims = (json.loads(base64url.decode(part)) for part in parts[:2])
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer("The access token is not a JWT") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise UnexpectedAnswer("The access token is not a JWT")
    if not parts[2] or str(header.get("alg", "none")).lower() == "none":
        raise UnexpectedAnswer("The access token is not signed")
    return header, claims
