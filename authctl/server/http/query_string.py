"""Reads the query of a request target strictly: what could be read in two ways, or not at all, is refused."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from authctl.errors import InvalidRequest

LONGEST_QUERY: Final = 16 * 1024
LONGEST_VALUE: Final = 512
MOST_PARAMETERS: Final = 200

_HALF_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def read_query(query: bytes) -> dict[str, list[str]]:
    """The values of each name, in their order; `+` is a space, as HTML forms and browsers' scripts write it.

    Raises InvalidRequest with every parameter that cannot be read.
    """
    if len(query) > LONGEST_QUERY:
        raise InvalidRequest((("query", f"is longer than {LONGEST_QUERY} bytes"),))
    parts = [part for part in query.split(b"&") if part]
    if len(parts) > MOST_PARAMETERS:
        raise InvalidRequest((("query", f"has more than {MOST_PARAMETERS} parameters"),))
    found: dict[str, list[str]] = {}
    wrong: list[tuple[str, str]] = []
    for part in parts:
        raw_name, _, raw_value = part.partition(b"=")
        name = _decoded(raw_name).decode("utf-8", "replace")
        value = _decoded(raw_value)
        complaint = _complaint(raw_value, value)
        if complaint is None:
            found.setdefault(name, []).append(value.decode())
        else:
            wrong.append((name[:64], complaint))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return found


def _decoded(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _complaint(raw: bytes, value: bytes) -> str | None:
    if not value.strip():
        return "is empty"
    if _HALF_ESCAPE.search(raw):
        return "has a percent sign that begins no escape: write %25"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    if "\0" in text:
        return "has a NUL"
    return f"is longer than {LONGEST_VALUE} characters" if len(text) > LONGEST_VALUE else None
