"""Identifiers: random ones for users and sessions, time-ordered ones for events."""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> str:
    """A UUIDv4 in text form: not guessable, not sequential."""
    return str(uuid.uuid4())


def new_event_id() -> str:
    """A UUIDv7 (RFC 9562 section 5.7) in text form: sorts by time, which keeps index inserts at the right edge."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
