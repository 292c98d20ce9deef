"""Events for exports, plain ones and those that a hostile client would like to leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from authctl.server.audit.records import EventRecord

MOMENT: Final = datetime(2026, 11, 24, 9, 30, 15, 123456, tzinfo=UTC)
WRITER: Final = "11111111-2222-4333-8444-555555555555"

HOSTILE: Final = (
    "=cmd|'/c calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '"=1"',
    " =1",
    "'=1",
    "\uff1d1",
    "\u00a0=1",
    "a,b",
    'say "hi"',
    "line\r\nbreak",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\x7f",
    "\u202eevil\u2066",
    "zero\u200bwidth\ufeff",
    "\u2028",
    "\u3164",
    "pipe|equals=back\\slash",
    "héllo 李 🔑",
    "NBSP\u00a0here",
    "",
    " ",
    "]\"\\ x='y'",
    "\\u001b",
    "x" * 5000,
)
"""Texts that act somewhere: on a terminal, in a spreadsheet, in the syntax of a format."""


def a_record(number: int = 1, **changes: Any) -> EventRecord:
    """Login `number`, with what a test wants to be different."""
    usual: dict[str, Any] = {
        "id": f"01a20ce6-37ea-7958-a969-{number:012x}",
        "created_at": MOMENT,
        "event_type": "login_complete",
        "success": True,
        "reason": None,
        "user_email": "jane@example.com",
        "user_id": "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11",
        "actor": None,
        "target_user_id": None,
        "ip_address": "192.0.2.1",
        "peer_address": "198.51.100.9",
        "user_agent": "Mozilla/5.0 (X11; Linux)",
        "request_id": "r1",
        "details": "User Jane Doe logged in from IP: 192.0.2.1",
        "writer_id": WRITER,
        "seq": number,
    }
    return EventRecord(**(usual | changes))


def hostile_records() -> list[EventRecord]:
    """Each hostile text in every column that holds text of strangers."""
    columns = ("user_email", "ip_address", "user_agent", "details", "reason", "actor", "request_id", "target_user_id")
    return [a_record(number, **dict.fromkeys(columns, text)) for number, text in enumerate(HOSTILE, start=1)]
