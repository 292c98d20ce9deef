"""Templates: text with `{name}`, `{name.member}` or `{name|filter}` in it, filled with what a visit knows."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from authctl.virtual_authenticator.errors import UnexpectedAnswer
from authctl.virtual_authenticator.harness.recipe.places import MISSING, within
from authctl.virtual_authenticator.json_text import JsonText, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CREDENTIAL: Final = "credential"
ACCOUNT: Final = ("user", "display_name", "first_name", "last_name", "date_of_birth", "job_title", "password")
PLACE_NAMES: Final = ("origin", "rp_id", "base_url")
FILTERS: Final = {"json": "as JSON text", "unescape": "with HTML's &amp; and the like undone"}
_PART: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_INSIDE: Final = re.compile(r"\s*([A-Za-z_]\w*)((?:\.[^.|{}\s]+)*)\s*(?:\|\s*(\w+)\s*)?")


@dataclass(frozen=True, slots=True)
class Hole:
    """One place to be filled."""

    name: str
    words: tuple[str, ...] = ()
    filter: str = ""

    def __str__(self) -> str:
        return ".".join((self.name, *self.words))

    def value(self, values: Mapping[str, Any]) -> Any:
        """What belongs there, or MISSING."""
        found = values.get(self.name, MISSING)
        for word in self.words:
            found = within(_opened(found), (word,))
        if found is MISSING or not self.filter:
            return found
        return write(found) if self.filter == "json" else html.unescape(as_text(found))


@dataclass(frozen=True, slots=True)
class Template:
    """Text with holes; a template that is one hole and nothing else gives the value itself, whatever it is."""

    parts: tuple[str | Hole, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """The template that is written so, `{{` and `}}` for braces; ValueError when it cannot be understood."""
        parts: list[str | Hole] = []
        position = 0
        for found in _PART.finditer(text):
            parts.append(text[position : found.start()])
            position = found.end()
            if found.group() in ("{{", "}}"):
                parts.append(found.group()[0])
            elif found.group(1) is None:
                raise ValueError(f"{text!r} has a brace without its partner; {{{{ and }}}} stand for braces")
            else:
                parts.append(_hole(found.group(1), text))
        parts.append(text[position:])
        return cls(tuple(part for part in parts if part != ""))

    def holes(self) -> Iterator[Hole]:
        """Every hole."""
        return (part for part in self.parts if isinstance(part, Hole))

    def fill(self, values: Mapping[str, Any]) -> Any:
        """The value: text, or whatever a single hole is filled with; MISSING when that is not there."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Hole):
            return self.parts[0].value(values)
        return self.text(values)

    def text(self, values: Mapping[str, Any], *, encode: Callable[[str], str] = str) -> str:
        """The value as text, each filling passed through `encode`; a hole in the credential may stay empty.

        UnexpectedAnswer when another one does: what the server was to give did not come.
        """
        return "".join(part if isinstance(part, str) else encode(_required(part, values)) for part in self.parts)

    def url(self, values: Mapping[str, Any]) -> str:
        """The value as an address: fillings are percent-encoded, except one with which the address begins."""
        if self.parts and isinstance(self.parts[0], Hole):
            rest = Template(self.parts[1:])
            return _required(self.parts[0], values) + rest.text(values, encode=_quoted)
        return self.text(values, encode=_quoted)


def fill(tree: Any, values: Mapping[str, Any]) -> Any:
    """A tree of templates as a JSON value; members and items whose value is not there are left out."""
    if isinstance(tree, Template):
        return tree.fill(values)
    if isinstance(tree, dict):
        filled = {name: fill(value, values) for name, value in tree.items()}
        return {name: value for name, value in filled.items() if value is not MISSING}
    if isinstance(tree, list):
        return [value for value in (fill(item, values) for item in tree) if value is not MISSING]
    return tree


def fill_fields(fields: Mapping[str, Template], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields of a form or query; those whose value is not there are left out."""
    filled = [(name, template.fill(values)) for name, template in fields.items()]
    return [(name, as_text(value)) for name, value in filled if value is not MISSING]


def templates_in(tree: object) -> Iterator[Template]:
    """Every template of a tree of them, such as a body or a step's headers."""
    if isinstance(tree, Template):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from templates_in(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from templates_in(value)


def as_text(value: Any) -> str:
    """A value where only text can stand."""
    return value if isinstance(value, str) else write(value)


def _hole(inside: str, text: str) -> Hole:
    found = _INSIDE.fullmatch(inside)
    if found is None:
        raise ValueError(f"{text!r}: {{{inside}}} is not {{name}}, {{name.member}} or {{name|filter}}")
    name, words, wanted = found.groups()
    if wanted and wanted not in FILTERS:
        raise ValueError(f"{text!r}: there is no filter {wanted!r}; there are {', '.join(FILTERS)}")
    return Hole(name, tuple(words.split(".")[1:]), wanted or "")


def _required(hole: Hole, values: Mapping[str, Any]) -> str:
    value = hole.value(values)
    if value is MISSING and hole.name != CREDENTIAL:
        raise UnexpectedAnswer(
            f"Nothing has been saved as {{{hole}}} yet", hint="`save` names values of earlier answers"
        )
    return "" if value is MISSING else as_text(value)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _opened(value: Any) -> Any:
    # Finished text in the place of a value has members only if it is JSON.
    if not isinstance(value, JsonText):
        return value
    try:
        return json.loads(value.text)
    except (ValueError, RecursionError):
        return MISSING
