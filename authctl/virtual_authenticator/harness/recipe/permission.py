"""Only this machine is tested without asking: any other host has to be named by whoever answers for it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection


def require_permission(url: str, allowed: Collection[str]) -> None:
    """UsageError when the host of an address is neither this machine nor among those that were allowed by name."""
    host = _host(url)
    if is_loopback(host) or host in {name.strip().strip("[]").lower() for name in allowed}:
        return
    raise UsageError(
        f"{host or url} is not this machine, and nobody has said that it may be tested",
        hint=f"If you are responsible for it, or have permission: --i-am-allowed-to-test {host}",
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name alone: nothing is looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
