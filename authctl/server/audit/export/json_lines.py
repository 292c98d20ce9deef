"""One JSON document per line, exact and harmless: what acts on a terminal is a JSON escape."""

from __future__ import annotations

import orjson

from authctl.escaping import escaped_json


def json_line(document: dict[str, object]) -> bytes:
    """The document on one line."""
    line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    if line.isascii() and b"\x7f" not in line:
        return line
    return escaped_json(line.decode()).encode()


def without_empty(document: dict[str, object]) -> dict[str, object]:
    """The document without members that are None or have no members left, at any depth."""
    found: dict[str, object] = {}
    for name, value in document.items():
        kept = without_empty(value) if isinstance(value, dict) else value
        if kept is not None and kept != {} and kept != []:
            found[name] = kept
    return found
