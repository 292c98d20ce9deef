"""Draws tables for a terminal: whole words where there is room for them, and nothing cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEGIBLE: Final = 12
"""How narrow the last column becomes before words of the others are broken."""


def drawn(headings: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> Table:
    """The table for a terminal that is `room` characters wide."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    frame = 2 * len(headings) + 1  # a space and a divider for each column, and the left edge
    for heading, width in zip(headings, column_widths([headings, *rows], room - frame), strict=True):
        table.add_column(Text(heading), overflow="fold", width=width)
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    return table


def column_widths(lines: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide each column is when there are `room` characters for all of them.

    Words stay whole, so that an address can be copied; only where even they do not fit are they broken, those of the
    last column first, which holds what matters least. The room that is left makes short columns as wide as their text,
    and the rest of it goes to the one with the most.
    """
    columns = list(zip(*lines, strict=True))
    wanted = [max(1, *map(cell_len, column)) for column in columns]
    widths = [max((cell_len(word) for text in column for word in text.split()), default=1) for column in columns]
    widths[-1] = max(min(widths[-1], _LEGIBLE), widths[-1] - max(0, sum(widths) - room))
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    spare = max(0, room - sum(widths))
    for index in sorted(range(len(columns)), key=lambda index: wanted[index] - widths[index]):
        lacking = wanted[index] - widths[index]
        if lacking <= spare or index == wanted.index(max(wanted)):
            widths[index] += min(lacking, spare)
            spare -= min(lacking, spare)
    return widths
