r"""Makes untrusted text harmless before it is stored: nothing invisible, no secrets, bounded length.

A character that is not for printing (control, bidi, zero-width, surrogate) appears as JSON would escape it, `\u001b`.
So does a backslash that would read as such an escape: the original can be told from what is stored.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_EMAIL = 254
MAX_USER_AGENT = 512
MAX_NAME = 128
"""Characters of an identifier, an address, an actor or a reason."""
MAX_DETAILS = 4096
"""Bytes in UTF-8, because that is what fills a disk."""

# Hangul fillers and the grapheme joiner are letters and marks to Unicode and nothing to the eye.
_HIDDEN_LETTERS = frozenset("\u034f\u115f\u1160\u3164\uffa0")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_FAKE_ESCAPE = re.compile(r"\\(?=u[0-9a-fA-F]{4})")
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{0,3})?\Z")
_CUT_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\Z")
_CUT = "…"
_REDACTED = "[redacted]"
# A quick look tells most texts from those that deserve the slow expressions.
_HINTS = ("eyj", "bearer", "dpop", "basic", "passw", "secret", "key", "token", "://")
_LONG_RUN = re.compile(r"[\w-]{43}", re.ASCII)
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]*(?:\.[\w-]*)*", re.ASCII)
_SCHEME = re.compile(r"\b(bearer|dpop|basic)\s+[\w.~+/=-]{8,}", re.ASCII | re.IGNORECASE)
_ASSIGNED = re.compile(
    r"\b([\w-]*(?:password|passwd|secret|api[_-]?key|token))(\s*[=:]\s*)[^\s&;,\"'\[]{6,}", re.ASCII | re.IGNORECASE
)
_URL = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# 32 bytes in base64url are a challenge or a key. Not before "@": that is the start of somebody's address.
_THIRTY_TWO_BYTES = re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{43}=?(?![\w@-])", re.ASCII)


def neutralise(text: str) -> str:
    """The text with every character that is not for printing as a visible escape."""
    if text.isprintable() and "\\" not in text and _HIDDEN_LETTERS.isdisjoint(text):
        return text
    return "".join(map(_visible, _FAKE_ESCAPE.sub(r"\\u005c", text)))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES and character not in _HIDDEN_LETTERS:
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def redact(text: str) -> str:
    """The text without what looks like a token, a password, a private key or a challenge."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS) and _LONG_RUN.search(text) is None:
        return text
    text = _PEM.sub(_REDACTED, text)
    text = _TOKEN.sub(_REDACTED, text)
    text = _SCHEME.sub(rf"\1 {_REDACTED}", text)
    text = _ASSIGNED.sub(rf"\1\2{_REDACTED}", text)
    text = _URL.sub(rf"\1{_REDACTED}", text)
    return _THIRTY_TWO_BYTES.sub(_REDACTED, text)


def shorten(text: str, most: int) -> str:
    """At most `most` characters, the last one an ellipsis where something was cut off; never half an escape."""
    return text if len(text) <= most else _without_cut_escape(text[: most - 1]) + _CUT


def clean_name(text: str | None, most: int = MAX_NAME) -> str | None:
    """An e-mail, an identifier, an address or the like, fit to be stored."""
    return None if text is None else shorten(neutralise(text[: most + 1]), most)


def clean_identifier(text: str | None) -> str | None:
    """What a client put where an identifier belongs: it may as well be a token."""
    return None if text is None else clean_name(redact(text[: MAX_DETAILS + 1]))


@lru_cache(maxsize=512)
def clean_user_agent(text: str | None) -> str | None:
    """A user agent, fit to be stored; there are far fewer of them than requests."""
    return None if text is None else shorten(neutralise(redact(text[: 2 * MAX_USER_AGENT])), MAX_USER_AGENT)


def clean_details(text: str) -> str:
    """A sentence with untrusted parts, fit to be stored."""
    text = neutralise(redact(text[: MAX_DETAILS + 1]))
    if len(text) * 4 <= MAX_DETAILS:
        return text
    data = text.encode()
    if len(data) <= MAX_DETAILS:
        return text
    return _without_cut_escape(data[: MAX_DETAILS - len(_CUT.encode())].decode(errors="ignore")) + _CUT


def _without_cut_escape(text: str) -> str:
    return _CUT_PAIR.sub("", _CUT_ESCAPE.sub("", text))
