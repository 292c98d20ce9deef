"""Collects what is wrong with a recipe, all of it, each with the place where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_T = TypeVar("_T")


class Problems:
    """Sentences about a document, and readings of its members that add to them."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Notes a problem once."""
        sentence = f"{where}: {what}" if where else what
        if sentence not in self.found:
            self.found.append(sentence)

    def table(self, value: object, where: str, known: Collection[str]) -> Mapping[str, Any]:
        """A table without members that nobody knows; empty when it is none."""
        if not isinstance(value, Mapping):
            self.add(where, f"has to be a table, not {kind_of(value)}")
            return {}
        for name in value:
            if name not in known:
                near = get_close_matches(name, known, 1, 0.6)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                self.add(join(where, name), f"is no member of a recipe; {hint}")
        return value

    def text(self, table: Mapping[str, Any], name: str, where: str) -> str:
        """A member that is text; empty when it is not there."""
        value = table.get(name, "")
        if not isinstance(value, str):
            self.add(join(where, name), f"has to be text, not {kind_of(value)}")
            return ""
        return value

    def items(self, value: object, where: str) -> list[Any]:
        """An array; empty when it is none."""
        if not isinstance(value, list):
            self.add(where, f"has to be an array, not {kind_of(value)}")
            return []
        return value

    def parsed(self, parse: Callable[[str], _T], value: object, where: str) -> _T | None:
        """What a text means, or None with a note of why it means nothing."""
        if not isinstance(value, str):
            self.add(where, f"has to be text, not {kind_of(value)}")
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.add(where, str(error))
            return None


def join(*names: str) -> str:
    """The path of a member as TOML writes it."""
    return ".".join(name for name in names if name)


def kind_of(value: object) -> str:
    """What TOML calls a value."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "an array", dict: "a table"}
    return kinds.get(type(value), "a date or time")
