"""Fits lines of columns into the width of a terminal: what is too wide is cut, what has no room is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.commands._rendering import Column

ELLIPSIS: Final = "…"
NOTHING: Final = "-"
_ATOM: Final = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[tnr])|.", re.DOTALL)
"""A visible escape, which means nothing in halves, or one character."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a terminal has room for, by their place, how wide each is, and how far they are apart."""

    places: tuple[int, ...]
    widths: tuple[int, ...]
    gap: int = 2

    def cells(self, line: Sequence[str]) -> list[tuple[int, str]]:
        """The place and the text of each column that is shown, cut and padded to its width."""
        return [
            (place, padded(cut(line[place], width), width))
            for place, width in zip(self.places, self.widths, strict=True)
        ]


def layout_of(lines: Sequence[Sequence[str]], columns: Sequence[Column], room: int) -> Layout:
    """The layout for a table that is there as a whole: each column as wide as its text, as far as there is room.

    lines  the headings first

    A column that may be cut and says nothing in any row is left out.
    """
    wanted = [max(map(width_of, texts)) for texts in zip(*lines, strict=True)]
    told = [any(line[place] != NOTHING for line in lines[1:]) for place in range(len(columns))]
    return _layout(
        wanted, columns, [place for place, column in enumerate(columns) if told[place] or not column.least], room
    )


def layout_ahead(columns: Sequence[Column], room: int) -> Layout:
    """The layout for rows that are still to come: columns of the widths they reserve, the last one takes the rest."""
    wanted = [column.width for column in columns]
    wanted[-1] = max(wanted[-1], room)
    return _layout(wanted, columns, list(range(len(columns))), room)


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells of a terminal; where something is missing it ends with an ellipsis.

    A visible escape stays whole, and so does a letter with what is drawn upon it.
    """
    if width_of(text) <= width:
        return text
    kept = ""
    for atom in _ATOM.findall(text):
        if width_of(kept + atom) > width - 1:
            break
        kept += atom
    return kept + ELLIPSIS if width > 0 else ""


def padded(text: str, width: int) -> str:
    """The text with as many blanks behind it as its cells leave free."""
    return text + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """How many cells of a terminal the text takes."""
    return len(text) if text.isascii() else cell_len(text)


def _layout(wanted: Sequence[int], columns: Sequence[Column], places: list[int], room: int) -> Layout:
    least = [min(width, column.least) if column.least else width for width, column in zip(wanted, columns, strict=True)]
    gap = 2 if _sum(least, places, 2) <= room else 1
    while len(places) > 1 and _sum(least, places, gap) > room:
        may_go = [place for place in places if columns[place].least]
        places.remove(may_go[-1] if may_go else places[-1])
    widths = {place: least[place] for place in places}
    spare = room - _sum(least, places, gap)
    # What lacks little becomes whole, before what lacks much takes the rest; the last column matters least.
    for place in sorted(places, key=lambda place: (place == len(columns) - 1, wanted[place] - widths[place])):
        given = max(0, min(wanted[place] - widths[place], spare))
        widths[place] += given
        spare -= given
    if spare < 0:  # not even one column has room
        widths[places[0]] = max(1, room)
    return Layout(tuple(places), tuple(widths[place] for place in places), gap)


def _sum(widths: Sequence[int], places: Sequence[int], gap: int) -> int:
    return sum(widths[place] for place in places) + gap * (len(places) - 1)
