"""Reads extension inputs in their JSON forms; what a browser would throw a TypeError at is OptionsInvalid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.errors import OptionsInvalid


def members_of(value: Any, name: str) -> Mapping[str, Any]:
    """The input as a dictionary."""
    if not isinstance(value, Mapping):
        raise OptionsInvalid(f"The input of the extension {name} is not an object")
    return value


def bytes_of(value: Any, name: str) -> bytes:
    """A buffer, which JSON writes as base64url."""
    try:
        return base64url.decode(value)
    except (TypeError, ValueError):
        raise OptionsInvalid(f"{name} is not base64url without padding") from None


def text_of(value: Any, name: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise OptionsInvalid(f"{name} is not a text")
    return value
