"""Networks as conditions on an address that is kept as text, in the one canonical spelling that Python gives it.

Wherever a network can be told by how its addresses are spelled, the condition is plain text matching, which runs in
any shell and is quick. Other IPv6 networks need arithmetic: SQLite gets the function `in_network` from whoever opens
it, PostgreSQL has a type for it, DuckDB compares addresses written out in full. No text makes any of them raise.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Network = IPv4Network | IPv6Network
    Bind = Callable[[str, object], str]

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4_FORM = rf"^{_OCTET}(\.{_OCTET}){{3}}$"
_GROUP = "[0-9a-f]{1,4}"
IPV6_FORM = "^({})$".format(
    "|".join(
        (
            f"({_GROUP}:){{7}}{_GROUP}",
            # The two colons stand for two groups or more.
            *(
                f"{':'.join([_GROUP] * before)}::({_GROUP}(:{_GROUP}){{0,{5 - before}}})?"
                if before < 6
                else f"{':'.join([_GROUP] * before)}::"
                for before in range(7)
            ),
        )
    )
)
"""Every canonical spelling of an IPv6 address, for POSIX and RE2 alike."""

# Both halves around the two colons, each group with its leading zeros, and as many zeros between them as it takes.
_WRITTEN_OUT = "rpad({left}, CAST(32 - length({right}) AS INTEGER), '0') || {right}".format(
    left="array_to_string([lpad(g, 4, '0') FOR g IN string_split(split_part({c}, '::', 1), ':') IF g <> ''], '')",
    right="array_to_string([lpad(g, 4, '0') FOR g IN string_split(split_part({c}, '::', 2), ':') IF g <> ''], '')",
)


def are_addresses(networks: Sequence[Network]) -> bool:
    """Whether there are some, and each is of one address."""
    return bool(networks) and all(network.prefixlen == network.max_prefixlen for network in networks)


def lies_in_any(column: str, networks: Sequence[Network], dialect: str, bind: Bind) -> str:
    """The condition that the address in `column` lies in one of the networks; `bind` makes a parameter of a value."""
    single = [str(network.network_address) for network in networks if network.prefixlen == network.max_prefixlen]
    places = [bind("address", text) for text in single]
    found = [f"{column} IN ({', '.join(places)})" if len(places) > 1 else f"{column} = {places[0]}"] if places else []
    for network in networks:
        if network.prefixlen < network.max_prefixlen:
            lies_in = _lies_in_ipv4 if isinstance(network, IPv4Network) else _lies_in_ipv6
            found.append(lies_in(column, network, dialect, bind))  # type: ignore[arg-type]  # chosen by the class
    return f"({' OR '.join(found)})" if len(found) > 1 else found[0]


def _lies_in_ipv4(column: str, network: IPv4Network, dialect: str, bind: Bind) -> str:
    octets, bits = divmod(network.prefixlen, 8)
    prefix = "".join(f"{octet}." for octet in network.network_address.packed[:octets])
    likeness = f"{column} LIKE {bind('addresses', f'{prefix}%.%' if octets < 3 else f'{prefix}%')}"
    if not octets:
        likeness += f" AND {column} NOT LIKE {bind('other_family', '%:%')}"
    if not bits:
        return f"({likeness})"
    if dialect == "postgresql":
        return _guarded_inet(column, network, IPV4_FORM, bind)
    first = network.network_address.packed[octets]
    place, last = len(prefix) + 1, first + 2 ** (8 - bits) - 1
    # SQLite reads the number that a text begins with.
    number = (
        f"CAST(substr({column}, {place}) AS INTEGER)"
        if dialect == "sqlite"
        else f"TRY_CAST(split_part(substr({column}, {place}), '.', 1) AS INTEGER)"
    )
    return f"({likeness} AND {number} BETWEEN {first} AND {last})"


def _lies_in_ipv6(column: str, network: IPv6Network, dialect: str, bind: Bind) -> str:
    patterns = _spellings(network)
    if patterns:
        return "({})".format(" OR ".join(f"{column} LIKE {bind('addresses', pattern)}" for pattern in patterns))
    if dialect == "postgresql":
        return _guarded_inet(column, network, IPV6_FORM, bind)
    if dialect == "sqlite":
        return f"({column} LIKE {bind('family', '%:%')} AND in_network({column}, {bind('network', str(network))}))"
    first, last = (address.packed.hex() for address in (network.network_address, network.broadcast_address))
    written_out = _WRITTEN_OUT.format(c=column)
    condition = (
        f"CASE WHEN regexp_full_match({column}, {bind('form', IPV6_FORM)}) "
        f"THEN {written_out} BETWEEN {bind('first', first)} AND {bind('last', last)} ELSE FALSE END"
    )
    # All of that is dear, and most addresses begin otherwise.
    return f"({column} LIKE {bind('addresses', _beginning(network) + '%')} AND {condition})"


def _spellings(network: IPv6Network) -> tuple[str, ...]:
    """Patterns that fit all addresses of the network and no other; none where the spelling does not tell.

    Zeros inside the prefix are written out as long as no two of them stand together. Up to two at its end are either
    written out, or the two colons begin there, which stand for two groups at least.
    """
    count, bits = divmod(network.prefixlen, 16)
    packed = network.network_address.packed
    groups = [int.from_bytes(packed[at : at + 2], "big") for at in range(0, 2 * count, 2)]
    zeros = 0
    while groups and groups[-1] == 0:
        groups.pop()
        zeros += 1
    has_run = any(groups[at : at + 2] == [0, 0] for at in range(len(groups)))
    if bits or not groups or has_run or zeros > 2:
        return ()
    prefix = ":".join(f"{group:x}" for group in groups)
    return (f"{prefix}::%", f"{prefix}:{'0:' * zeros}%") if zeros else (f"{prefix}:%",)


def _beginning(network: IPv6Network) -> str:
    """What every spelling of an address in the network begins with: the groups before the first that may be zero."""
    packed = network.network_address.packed
    groups = [int.from_bytes(packed[at : at + 2], "big") for at in range(0, 2 * (network.prefixlen // 16), 2)]
    return "".join(f"{group:x}:" for group in takewhile(bool, groups))


def _guarded_inet(column: str, network: Network, form: str, bind: Bind) -> str:
    # CASE, because PostgreSQL is free to evaluate the sides of an AND in any order.
    return (
        f"(CASE WHEN {column} ~ {bind('form', form)} "
        f"THEN CAST({column} AS inet) <<= CAST({bind('network', str(network))} AS inet) ELSE FALSE END)"
    )


def register_functions(raw: Any) -> None:
    """Gives an SQLite connection what the conditions need."""
    raw.create_function("in_network", 2, in_network, deterministic=True)


def in_network(address: str | None, network: str) -> bool | None:
    """Whether an IPv6 address lies in an IPv6 network; a text that is none lies in none, and NULL stays NULL."""
    if address is None:
        return None
    first, last = _bounds(network)
    try:
        return first <= socket.inet_pton(socket.AF_INET6, address) <= last and "." not in address
    except (OSError, ValueError, TypeError):
        return False


@lru_cache(maxsize=64)
def _bounds(network: str) -> tuple[bytes, bytes]:
    parsed = ip_network(network)
    return parsed.network_address.packed, parsed.broadcast_address.packed
