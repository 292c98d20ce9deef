"""What counts as one place on the network: an IPv4 address by itself, an IPv6 address by its /64, as limits count."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=16_384)
def origin_of(address: str) -> str:
    """The place that an address belongs to, "192.0.2.1" or "2001:db8::/64"; what is no address stands for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def network_of(origin: str) -> Network | None:
    """The network to ask for events of a place; None for what is no address, such as the peer of a Unix socket."""
    try:
        return ip_network(origin)
    except ValueError:
        return None
