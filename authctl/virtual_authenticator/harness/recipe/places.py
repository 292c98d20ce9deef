"""Places in an answer: a path into its JSON, a header, a cookie, or a pattern in its text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.harness.recipe.cookies import set_cookies

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.transport import Answer

_WORD: Final = re.compile(r"[^.\s]+")


class Missing(Enum):
    """Stands for a value that is not there, since null is a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is found; `text` is how the recipe writes it.

    $.a.b.0        a path into the JSON, $ alone for all of it
    header:NAME    a header of the answer
    cookie:NAME    a cookie that the answer sets
    re:PATTERN     the first group of a pattern in the text, or all that it matches
    """

    text: str
    kind: str
    words: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place that is written so; ValueError when it cannot be understood."""
        kind, colon, rest = text.partition(":")
        if colon and kind in ("header", "cookie"):
            if not rest.strip():
                raise ValueError(f"{text!r} names no {kind}")
            return cls(text, kind, (rest.strip(),))
        if colon and kind == "re":
            return cls(text, kind, pattern=pattern(rest))
        words = tuple(text.removeprefix("$").removeprefix(".").split(".")) if text != "$" else ()
        if not all(_WORD.fullmatch(word) for word in words):
            raise ValueError(f"{text!r} is no path such as $.data.options, header:NAME, cookie:NAME or re:PATTERN")
        return cls(text, "json", words)

    def find(self, answer: Answer) -> Any:
        """The value there, or MISSING."""
        match self.kind:
            case "header":
                return answer.headers.get(self.words[0].lower(), MISSING)
            case "cookie":
                values = [cookie.value for cookie in set_cookies(answer) if cookie.name == self.words[0]]
                return values[-1] if values else MISSING
            case "re":
                return self._search(answer)
            case _:
                return within(document(answer), self.words)

    def _search(self, answer: Answer) -> Any:
        found = None if self.pattern is None else self.pattern.search(text_of(answer))
        if found is None:
            return MISSING
        first = found.group(1) if found.re.groups else found.group()
        return MISSING if first is None else first


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression in which a dot is any character; ValueError when it is none."""
    try:
        return re.compile(text, re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def document(answer: Answer) -> Any:
    """The answer as JSON, or MISSING when it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return MISSING


def text_of(answer: Answer) -> str:
    """The answer as text."""
    return answer.body.decode("utf-8", errors="replace")


def within(value: Any, words: tuple[str, ...]) -> Any:
    """What a path leads to in a JSON value, or MISSING."""
    for word in words:
        if isinstance(value, dict):
            value = value.get(word, MISSING)
        elif isinstance(value, list) and word.isascii() and word.isdigit() and int(word) < len(value):
            value = value[int(word)]
        else:
            return MISSING
    return value
