"""The beginning of an answer for people to read, without what opens a door: tokens, sessions, passwords."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.virtual_authenticator.harness.transport import Answer

READ_BYTES: Final = 4096
"""So much of an answer is looked at, however long it is."""
MASK: Final = "…"

_NAMES: Final = "token|session|secret|password|passwd|cookie|jwt|bearer|api_?key"
_MEMBER: Final = re.compile(
    rf'("[^"\\]{{0,60}}(?:{_NAMES})[^"\\]{{0,60}}"\s{{0,9}}:\s{{0,9}}")(?:[^"\\]|\\.)*', re.IGNORECASE | re.DOTALL
)
_JWT: Final = re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){0,4}", re.ASCII)
_LEAST_SAVED: Final = 6
"""What is shorter stands in many answers by chance, and opens nothing."""


def beginning(answer: Answer, saved: Iterable[object] = ()) -> str:
    """The first part of the text, with a mask in place of secrets and of what a recipe saved from it."""
    text = answer.body[:READ_BYTES].decode("utf-8", errors="replace")
    for value in saved:
        if isinstance(value, str) and len(value) >= _LEAST_SAVED:
            text = text.replace(value, MASK)
    return _JWT.sub(MASK, _MEMBER.sub(rf"\g<1>{MASK}", text))
