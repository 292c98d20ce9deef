from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from authctl.commands._fitting import Layout, cut, layout_ahead, layout_of, padded
from authctl.commands._rendering import Column, cell

HOSTILE = "\x1b]0;pwned\x07\x1b[2J\u202e日本語\U0001f468\u200d\U0001f469\r\ne\u0301\U000e0041 end"
COLUMNS = (
    Column("time", "Time"),
    Column("user", "User", width=10, least=6),
    Column("reason", "Reason", width=8, least=5),
    Column("id", "Id", width=4, least=4),
)


def line(layout: Layout, cells: tuple[str, ...]) -> str:
    return (" " * layout.gap).join(text for _, text in layout.cells(cells))


@pytest.mark.parametrize("width", range(60))
def test_what_is_cut_fits_and_leaves_no_half_of_an_escape(width: int) -> None:
    """R-CL-01."""
    text = cut(cell(HOSTILE), width)
    assert cell_len(text) <= width
    assert text.isprintable()
    without = re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[rnt])", "", text)
    assert "\\" not in without


def test_text_that_fits_is_left_alone() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("日本", 4) == "日本"


def test_wide_letters_count_as_two_when_they_are_cut_and_padded() -> None:
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"
    assert padded("日", 4) == "日  "


def test_a_letter_keeps_what_is_drawn_upon_it_when_the_text_is_cut() -> None:
    assert cut("e\u0301e\u0301e\u0301", 2) == "e\u0301…"


def test_every_column_is_as_wide_as_its_text_when_there_is_room() -> None:
    cells = ("08:00", "jane@example.com", "denied", "0123456789")
    layout = layout_of([("Time", "User", "Reason", "Id"), cells], COLUMNS, 80)
    assert line(layout, cells) == "08:00  jane@example.com  denied  0123456789"


@pytest.mark.parametrize("room", range(1, 60))
def test_a_line_never_exceeds_the_room(room: int) -> None:
    cells = ("08:00", "jane@example.com", "access_denied", "0123456789")
    layout = layout_of([("Time", "User", "Reason", "Id"), cells], COLUMNS, room)
    assert cell_len(line(layout, cells)) <= room
    assert layout.places[0] == 0


def test_the_last_column_goes_first_when_there_is_no_room() -> None:
    cells = ("08:00", "jane@example.com", "access_denied", "0123456789")
    headings = ("Time", "User", "Reason", "Id")
    assert layout_of([headings, cells], COLUMNS, 24).places == (0, 1, 2, 3)
    assert layout_of([headings, cells], COLUMNS, 20).places == (0, 1, 2)
    assert layout_of([headings, cells], COLUMNS, 13).places == (0, 1)
    assert layout_of([headings, cells], COLUMNS, 11).places == (0,)


def test_columns_stand_closer_before_one_is_left_out() -> None:
    cells = ("08:00", "jane@example.com", "access_denied", "0123456789")
    assert layout_of([("Time", "User", "Reason", "Id"), cells], COLUMNS, 26).gap == 2
    assert layout_of([("Time", "User", "Reason", "Id"), cells], COLUMNS, 25).gap == 1


def test_a_column_that_may_not_be_cut_stays_whole_until_nothing_else_is_left() -> None:
    columns = (Column("a", "A"), Column("b", "B"))
    assert layout_of([("A", "B"), ("12345", "67890")], columns, 8).places == (0,)


def test_a_column_is_left_out_when_it_says_nothing_in_any_row() -> None:
    cells = ("08:00", "jane@example.com", "-", "1")
    assert layout_of([("Time", "User", "Reason", "Id"), cells], COLUMNS, 80).places == (0, 1, 3)


def test_rows_that_are_still_to_come_get_the_widths_that_columns_reserve() -> None:
    layout = layout_ahead(COLUMNS[:3], 40)
    assert layout.widths[1] == 10
    assert sum(layout.widths) + layout.gap * 2 == 40
