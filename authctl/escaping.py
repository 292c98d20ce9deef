"""Makes untrusted text harmless: for a terminal, for a spreadsheet, and inside JSON that lands on a terminal."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""General categories that move, hide or reorder: controls, formats (bidi, zero width, tags), surrogates, separators."""

_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u3164\uffa0")
"""Letters and marks that draw nothing although their category says otherwise."""

_BLANK: Final = re.compile(f"[{''.join(_BLANK_LETTERS)}]")
_FORMULA: Final = re.compile(r"""[\t\r]|[\s"']*[=+\-@\uff1d\uff0b\uff0d\uff20]""")
_FORMULA_STARTS: Final = frozenset(" \"'=+-@\uff1d\uff0b\uff0d\uff20")
"""What a text begins with that `_FORMULA` matches, but for white space that is not printable."""
_SHORT: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def escaped(text: str) -> str:
    r"""The text with everything that a terminal would act on, or not show, as a visible escape such as `\x1b`."""
    if is_harmless(text):
        return text
    return "".join(_escape(character) for character in text)


def is_harmless(text: str) -> bool:
    """Whether it is sure, after a quick look, that no character acts on a terminal or is invisible."""
    return text.isprintable() and (text.isascii() or _BLANK.search(text) is None)


def may_be_formula(starts: set[str]) -> bool:
    """Whether a text that begins with one of these characters could need more than `escaped` to be a CSV field."""
    return not _FORMULA_STARTS.isdisjoint(starts)


def neutralised(text: str) -> str:
    """The text as a CSV field that no spreadsheet takes for a formula; controls are visible escapes."""
    safe = escaped(text)
    return f"'{safe}" if _FORMULA.match(text) else safe


def escaped_json(document: str) -> str:
    """The same JSON document, with what `escaped` would touch as JSON escapes, so that its value is unchanged.

    Line feeds are kept: outside strings they are layout, and inside strings JSON has escaped them already.
    """
    if document.isascii() and "\x7f" not in document:
        return document
    return "\n".join(map(_escaped_json_line, document.split("\n")))


def _escaped_json_line(line: str) -> str:
    return line if is_harmless(line) else "".join(_json_escape(c) if _acts(c) else c for c in line)


@cache
def _acts(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE or character in _BLANK_LETTERS


def _escape(character: str) -> str:
    if not _acts(character):
        return character
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[i : i + 2], 'big'):04x}" for i in range(0, len(units), 2))
