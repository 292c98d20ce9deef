"""Which texts of the address columns are addresses: schemas refuse anything else in their fields for them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=4096)
def usable(text: str | None) -> str | None:
    """The address in its plain form without a zone, or None when the text is none."""
    if text is None:
        return None
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None
