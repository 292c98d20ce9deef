"""Writes small MMDB files (MaxMind DB file format 2.0), the way makers of such databases do."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKER = b"\xab\xcd\xefMaxMind.com"
_SEPARATOR = bytes(16)


def mmdb(records: Mapping[str, Any], *, ip_version: int = 4) -> bytes:
    """A file in which networks of one version have records."""
    tree: list[list[Any]] = [[None, None]]
    for network, record in records.items():
        parsed = ip_network(network)
        bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]
        node = tree[0]
        for bit in map(int, bits[:-1]):
            if not isinstance(node[bit], list):
                node[bit] = [None, None]
                tree.append(node[bit])
            node = node[bit]
        node[int(bits[-1])] = _Record(record)
    places = {id(node): place for place, node in enumerate(tree)}
    data, nodes = b"", b""
    for node in tree:
        for side in node:
            value = len(tree)
            if isinstance(side, list):
                value = places[id(side)]
            elif side is not None:
                value += len(_SEPARATOR) + len(data)
                data += _encoded(side.value)
            nodes += value.to_bytes(3, "big")
    about = {
        "node_count": len(tree), "record_size": _Short(24), "ip_version": _Short(ip_version), "database_type": "Test",
        "languages": [], "binary_format_major_version": _Short(2), "binary_format_minor_version": _Short(0),
        "build_epoch": _Long(1), "description": {},
    }  # fmt: skip
    return nodes + _SEPARATOR + data + _MARKER + _encoded(about)


class _Record:
    def __init__(self, value: object) -> None:
        self.value = value


class _Short(int):
    """A uint16."""


class _Long(int):
    """A uint64."""


def _encoded(value: object) -> bytes:
    match value:
        case str():
            raw = value.encode()
            return bytes([2 << 5 | len(raw)]) + raw
        case _Short():
            return bytes([5 << 5 | 2]) + value.to_bytes(2, "big")
        case _Long():
            return bytes([8, 9 - 7]) + value.to_bytes(8, "big")
        case int():
            raw = value.to_bytes(4, "big")
            return bytes([6 << 5 | 4]) + raw
        case list():
            return bytes([len(value), 11 - 7]) + b"".join(map(_encoded, value))
        case dict():
            members = b"".join(_encoded(key) + _encoded(member) for key, member in value.items())
            return bytes([7 << 5 | len(value)]) + members
    raise TypeError(value)
