"""Who is calling: the peer of the socket, or the client behind proxies that the operator listed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

UNIX_PEER = "local"
LONGEST_ENTRY = 80


@dataclass(frozen=True, slots=True)
class Source:
    """An address as text, and the network that limits count it under: IPv4 by itself, IPv6 by its /64."""

    address: str | None
    network: str


class ClientAddresses:
    """Derives the client's address from the peer and, behind listed proxies only, from X-Forwarded-For."""

    def __init__(self, trusted_proxies: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted_proxies)

    def resolve(self, peer: str | None, forwarded_for: Sequence[bytes]) -> Source:
        """The source that a request counts as; `forwarded_for` holds the header's lines in order.

        The walk goes from the right, skips listed hops and takes the first other. A value that is no address says that
        something before the proxies is not to be believed: the peer stands.
        """
        if not self._trusted or not forwarded_for:
            return source_of(peer)
        peer_address = parse_address(peer)
        if peer_address is None or not self.is_trusted(peer_address):
            return source_of(peer)
        for entry in reversed(b",".join(forwarded_for).split(b",")):
            # What is longer is no address, and has no place among those that are remembered.
            text = entry.strip(b" \t") if len(entry) <= LONGEST_ENTRY else b""
            address = parse_address(text.decode("latin-1"))
            if address is None:
                break
            if not self.is_trusted(address):
                return source_of(str(address))
        return source_of(peer)

    def is_trusted(self, address: Address) -> bool:
        """Whether the address belongs to a listed proxy."""
        return any(address.version == network.version and address in network for network in self._trusted)


@lru_cache(maxsize=4096)
def parse_address(text: str | None) -> Address | None:
    """The address that `text` spells, an IPv4 one also when it comes mapped into IPv6; None for anything else."""
    if text is None:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            return IPv6Address(address.packed)  # a zone is a name of this machine's own and proves nothing
    return address


@lru_cache(maxsize=4096)
def source_of(text: str | None) -> Source:
    """The source of an address in text form; of a peer without an address, as a Unix socket has it, `local`."""
    address = parse_address(text)
    if address is None:
        return Source(None, UNIX_PEER)
    network = str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))
    return Source(str(address), network)
