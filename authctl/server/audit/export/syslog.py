"""Syslog messages by RFC 5424: a header for the collector, structured data, and the event in the chosen format."""

from __future__ import annotations

import re
import socket
from functools import cache
from typing import TYPE_CHECKING, Final

import authctl
from authctl.escaping import escaped
from authctl.server.audit.export.interface import time_of
from authctl.server.audit.export.kinds import weight_of

if TYPE_CHECKING:
    from authctl.server.audit.records import EventRecord

FACILITY: Final = 13
"""Log audit (section 6.2.1)."""
_SEVERITIES: Final = (6, 5, 4, 2)
"""Informational, notice, warning, critical."""
_SD_ID: Final = "authctl@32473"
"""32473 is the number that RFC 5612 reserves for whoever has none."""
_UNPRINTABLE: Final = re.compile(r"[^!-~]")
_SPECIAL: Final = re.compile(r'(["\\\]])')
_BOM: Final = b"\xef\xbb\xbf"
LARGEST_DATAGRAM: Final = 8192
"""Bytes; collectors take 2,048 at least (RFC 5426 section 3.2) and most of them 8 KB."""
CUT: Final = b" [cut]"


def message(record: EventRecord, payload: bytes) -> bytes:
    """The event as one message; `payload` is its line in some format, without the line break."""
    priority = FACILITY * 8 + _SEVERITIES[weight_of(record)]
    process, kind = _name(record.writer_id, 128), _name(record.event_type, 32)
    header = f"<{priority}>1 {time_of(record)} {_host()} authctl {process} {kind}"
    # Section 6.4: text that is not ASCII is UTF-8 and says so; ASCII would only confuse parsers with a mark.
    mark = b"" if payload.isascii() else _BOM
    return f"{header} {_structured(record)} ".encode() + mark + payload


def octet_counted(frame: bytes) -> bytes:
    """The message as it goes over a stream (RFC 6587 section 3.4.1, RFC 5425)."""
    return b"%d %b" % (len(frame), frame)


def datagram(frame: bytes) -> bytes:
    """The message as it goes over UDP: what does not fit is cut off, with a mark at the end."""
    if len(frame) <= LARGEST_DATAGRAM:
        return frame
    kept = frame[: LARGEST_DATAGRAM - len(CUT)]
    return kept.decode(errors="ignore").encode() + CUT


def _structured(record: EventRecord) -> str:
    members = {
        "id": record.id,
        "event": record.event_type,
        "outcome": "success" if record.success else "failure",
        "reason": record.reason,
        "writer": record.writer_id,
        "seq": str(record.seq),
    }
    given = "".join(f' {name}="{_value(value)}"' for name, value in members.items() if value is not None)
    return f'[origin software="authctl" swVersion="{authctl.__version__}"][{_SD_ID}{given}]'


def _value(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", escaped(text))


def _name(text: str, most: int) -> str:
    return _UNPRINTABLE.sub("?", text)[:most] or "-"


@cache
def _host() -> str:
    return _name(socket.gethostname(), 255)
