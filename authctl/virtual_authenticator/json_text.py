"""JSON that ordinary writers refuse to write: finished text in the place of a value, and members that come twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class JsonText:
    """Text that goes out as it stands where a value would; it need not be JSON."""

    text: str


def members(pairs: Iterable[tuple[str, object]]) -> JsonText:
    """An object of these pairs in their order, also where a name comes twice."""
    return JsonText("{" + ",".join(f"{json.dumps(name)}:{write(value)}" for name, value in pairs) + "}")


def write(document: object) -> str:
    """The document in ASCII as JSON, with every JsonText in it unaltered."""
    if isinstance(document, JsonText):
        return document.text
    finished: dict[str, str] = {}

    def stand_in(value: object) -> str:
        if not isinstance(value, JsonText):
            raise TypeError(f"{type(value).__name__} has no JSON form")
        placeholder = token_hex(16)
        finished[f'"{placeholder}"'] = value.text
        return placeholder

    text = json.dumps(document, separators=(",", ":"), default=stand_in)
    for placeholder, value in finished.items():
        text = text.replace(placeholder, value)
    return text
