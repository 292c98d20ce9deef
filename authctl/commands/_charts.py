"""Draws numbers for a terminal: bars beside names, and a histogram over time. Failures have a pattern of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from authctl.commands._fitting import cut, padded, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEIGHT: Final = 8
_LONGEST_BAR: Final = 40
_SHORTEST_BAR: Final = 4
_GAP: Final = "  "
_FAILED: Final = "red"
_DIM: Final = "dim"


@dataclass(frozen=True, slots=True)
class Bar:
    """Something with a number, of which some failed."""

    name: str
    total: int
    failures: int


@dataclass(frozen=True, slots=True)
class Ink:
    """What bars are made of.

    parts  of a full character, from nothing to all of it, from below
    """

    full: str
    failed: str
    parts: str
    axis: str
    corner: str


BLOCKS: Final = Ink(full="█", failed="▒", parts=" ▁▂▃▄▅▆▇█", axis="─", corner="└")
LETTERS: Final = Ink(full="#", failed="x", parts=" #", axis="-", corner="+")
"""For terminals in a locale that has no blocks."""


def bars(heading: str, items: Sequence[Bar], room: int, ink: Ink) -> Text:
    """Names with their numbers and bars, as wide as there is room; the longest bar is that of the largest number."""
    most = max(item.total for item in items)
    numbers = [(str(item.total), str(item.failures) if item.failures else "") for item in items]
    heads = ("Total", "Failed" if any(failed for _, failed in numbers) else "")
    widths = [max(len(head), *map(len, column)) for head, column in zip(heads, zip(*numbers, strict=True), strict=True)]
    left = room - sum(widths) - len(_GAP) * 3
    longest = max(_SHORTEST_BAR, min(_LONGEST_BAR, left // 2))
    width = max(8, min(left - longest, max(len(heading), *(width_of(item.name) for item in items))))
    text = Text(f"{padded(cut(heading, width), width)}{_GAP}{_right(heads, widths)}", style="bold", no_wrap=True)
    lines = [text]
    for item, columns in zip(items, numbers, strict=True):
        length = max(1, round(item.total / most * longest))
        failed = min(length, max(1, round(item.failures / item.total * length))) if item.failures else 0
        line = Text(f"{padded(cut(item.name, width), width)}{_GAP}{_right(columns, widths)}{_GAP}", no_wrap=True)
        line.append(ink.failed * failed, style=_FAILED)
        line.append(ink.full * (length - failed))
        lines.append(line)
    return Text("\n").join(lines)


def histogram(heading: str, columns: Sequence[Bar], room: int, ink: Ink) -> Text:
    """Upright bars side by side, one character wide, with the first and the last name below."""
    most = max(1, *(column.total for column in columns))
    label = len(str(most)) + 1
    lines = [Text(heading, style="bold")]
    for row in range(_HEIGHT - 1, -1, -1):
        scale = str(most) if row == _HEIGHT - 1 else ""
        line = Text(f"{scale:>{label - 1}} ", style=_DIM, no_wrap=True)
        for column in columns:
            line.append(*_part_of(column, most, row, ink))
        lines.append(line)
    lines.append(Text(f"{'0':>{label - 1}} {ink.corner}{ink.axis * max(0, len(columns) - 1)}", style=_DIM))
    first, last = columns[0].name, columns[-1].name
    between = min(len(columns), room - label) - len(first) - len(last)
    ends = f"{first}{' ' * between}{last}" if between > 0 else f"{first} to {last}"
    lines.append(Text(f"{' ' * label}{ends}", style=_DIM))
    return Text("\n").join(lines)


def columns_in(room: int, most: int) -> int:
    """How many upright bars there is room for beside a scale up to `most`."""
    return max(8, room - len(str(most)) - 2)


def _part_of(column: Bar, most: int, row: int, ink: Ink) -> tuple[str, str]:
    """What stands in one row of a column, counted from below, and its style."""
    eighths = max(1, round(column.total / most * _HEIGHT * 8)) if column.total else 0
    failed_rows = max(1, round(column.failures / most * _HEIGHT)) if column.failures else 0
    if row < failed_rows:
        return ink.failed, _FAILED
    part = min(8, max(0, eighths - row * 8))
    return ink.parts[-(-part * (len(ink.parts) - 1) // 8)], ""


def _right(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(text.rjust(width) for text, width in zip(cells, widths, strict=True))
