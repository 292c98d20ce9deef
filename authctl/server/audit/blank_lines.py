"""Lines of the audit file without what names a person: as long as before, so that nothing behind them moves."""

from __future__ import annotations

import orjson

from authctl.server.storage.erasures import PERSONAL_COLUMNS


def blanked(line: bytes) -> bytes:
    """The line of a row after its erasure, padded with blanks to the length it had; a line end stays one.

    The same for a line that is blank already. What is no event, or would become longer, is left all blank: a line that
    somebody has tampered with must not keep a person's data.
    """
    text = line.rstrip(b"\n")
    try:
        content = orjson.loads(text)
        content.update(dict.fromkeys(PERSONAL_COLUMNS))
        made: bytes = orjson.dumps(content)
    except (ValueError, AttributeError, TypeError):
        made = b""
    if len(made) > len(text):
        made = b""
    return made.ljust(len(text)) + line[len(text) :]


def is_same_line(one: bytes, other: bytes) -> bool:
    """Whether two lines are of the same row, however much an erasure has left of either."""
    return one == other or blanked(one).rstrip() == blanked(other).rstrip() != b""


def is_empty(line: bytes) -> bool:
    """Whether a line is left of something that was taken out of the middle of the file."""
    return not line.strip(b" \n")
