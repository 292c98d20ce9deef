r"""ArcSight's Common Event Format, version 0: a header between pipes, then pairs of key and value.

Two escape rules: in the header backslash and pipe are escaped, in the extension backslash, equals sign and line breaks.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

import authctl
from authctl.escaping import escaped
from authctl.server.audit.export.kinds import kind_of, parties, weight_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authctl.server.audit.records import EventRecord

_SEVERITIES = (1, 3, 5, 8)
"""0 to 3 is low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high."""
_LINE_BREAK = re.compile(r"(\r|\n)")
_BREAKS = {"\r": r"\r", "\n": r"\n"}


class Cef:
    """`--format cef`."""

    name = "cef"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def lines(self, records: Sequence[EventRecord]) -> bytes:
        """One line each."""
        return "".join(map(_line, records)).encode()


def _line(record: EventRecord) -> str:
    header = (
        "CEF:0",
        "authctl",
        "authctl",
        authctl.__version__,
        _in_header(record.event_type),
        _in_header(kind_of(record.event_type).title),
        str(_SEVERITIES[weight_of(record)]),
    )
    extension = " ".join(f"{key}={_in_extension(value)}" for key, value in _extension(record) if value is not None)
    return f"{'|'.join(header)}|{extension}\n"


def _extension(record: EventRecord) -> Iterator[tuple[str, str | None]]:
    acting, concerned = parties(record)
    yield "rt", str(int(record.created_at.timestamp() * 1000))
    yield "externalId", record.id
    yield "act", record.event_type
    yield "outcome", "success" if record.success else "failure"
    yield "reason", record.reason
    yield "suser", acting.name
    yield "suid", acting.id
    yield "duser", concerned.name
    yield "duid", concerned.id
    yield from _address(record.ip_address)
    yield "requestClientApplication", record.user_agent
    yield "msg", record.details
    yield from _labelled("cs1", "requestId", record.request_id)
    yield from _labelled("cs2", "actor", record.actor)
    yield from _labelled("cs3", "peerAddress", record.peer_address)
    yield from _labelled("cs4", "writerId", record.writer_id)
    yield from _labelled("cn1", "sequence", str(record.seq))


def _address(text: str | None) -> Iterator[tuple[str, str | None]]:
    """`src` holds IPv4 only."""
    if text is None:
        return
    try:
        is_long = isinstance(ip_address(text), IPv6Address)
    except ValueError:
        yield "shost", text
        return
    if is_long:
        yield from _labelled("c6a2", "Source IPv6 Address", text)
    else:
        yield "src", text


def _labelled(key: str, label: str, value: str | None) -> Iterator[tuple[str, str | None]]:
    if value is not None:
        yield f"{key}Label", label
        yield key, value


def _in_header(text: str) -> str:
    return escaped(" ".join(text.splitlines())).replace("\\", "\\\\").replace("|", "\\|")


def _in_extension(text: str) -> str:
    if "\n" in text or "\r" in text:
        return "".join(_BREAKS.get(part) or _in_extension(part) for part in _LINE_BREAK.split(text))
    return escaped(text).replace("\\", "\\\\").replace("=", "\\=")
