from __future__ import annotations

import io

import pytest
from rich.console import Console

from authctl.commands._drawing import column_widths, drawn

HEADINGS = ["Time", "Event", "User", "Details"]
ROW = ["2026-11-24 07:18:24Z", "registration_complete", "jane@example.com", "User Jane Doe registered from 192.0.2.1"]


def lines(room: int, rows: list[list[str]]) -> list[str]:
    console = Console(file=io.StringIO(), width=room, no_color=True, highlight=False)
    console.print(drawn(HEADINGS, rows, room))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_everything_stands_on_one_line_when_there_is_room() -> None:
    assert any(all(cell in line for cell in ROW) for line in lines(150, [ROW]))


@pytest.mark.parametrize("room", [72, 80, 100])
def test_words_stay_whole_when_the_text_does_not_fit(room: int) -> None:
    drawing = lines(room, [ROW])
    assert max(map(len, drawing)) <= room
    for word in " ".join(ROW).split():
        assert any(word in line for line in drawing), word


@pytest.mark.parametrize("room", [16, 20, 40, 60])
def test_nothing_is_cut_off_when_even_words_do_not_fit(room: int) -> None:
    drawing = lines(room, [ROW])
    assert max(map(len, drawing)) <= room
    kept = "".join(character for line in drawing for character in line if character.isalnum())
    assert sorted(kept) == sorted(character for character in "".join([*HEADINGS, *ROW]) if character.isalnum())


def test_room_makes_a_short_column_whole_before_it_goes_to_a_long_one() -> None:
    assert column_widths([["a b", "word " * 9]], 30) == [3, 27]
    assert column_widths([["a b c d e f", "word " * 9]], 10) == [1, 9]


def test_the_last_column_breaks_its_words_first_when_words_do_not_fit() -> None:
    assert column_widths([["a" * 30, "some words and then " + "b" * 20]], 44) == [30, 14]
    assert column_widths([["a" * 30, "some words and then " + "b" * 20]], 40) == [28, 12]


def test_an_empty_column_still_has_a_place() -> None:
    assert column_widths([["", "x"]], 10) == [1, 1]


def test_wide_letters_count_as_two() -> None:
    assert column_widths([["東京"]], 10) == [4]
