from __future__ import annotations

import pytest
from rich.cells import cell_len

from authctl.commands._charts import BLOCKS, LETTERS, Bar, Ink, bars, columns_in, histogram

ITEMS = (Bar("203.0.113.66", 100, 50), Bar("a very long name that takes more than there is", 50, 0), Bar("x", 1, 1))


def test_a_bar_is_as_long_as_its_number_and_shows_what_failed() -> None:
    lines = bars("Address", ITEMS, 80, BLOCKS).plain.splitlines()
    longest = lines[1].count("█") + lines[1].count("▒")
    assert lines[0].split() == ["Address", "Total", "Failed"]
    assert lines[1].count("▒") == round(longest / 2)
    assert lines[2].count("█") == round(longest / 2)
    assert lines[3].endswith("▒")


@pytest.mark.parametrize("room", [20, 40, 80, 140])
def test_bars_fit_into_the_terminal(room: int) -> None:
    assert max(map(cell_len, bars("Address", ITEMS, max(room, 40), LETTERS).plain.splitlines())) <= max(room, 40)


def test_a_list_without_failures_has_no_heading_for_them() -> None:
    assert "Failed" not in bars("User", (Bar("a", 1, 0),), 60, BLOCKS).plain


@pytest.mark.parametrize("ink", [BLOCKS, LETTERS])
def test_a_histogram_shows_height_failures_and_both_ends(ink: Ink) -> None:
    columns = [Bar(f"08:0{number}", number * 10, number) for number in range(10)]
    lines = histogram("Events", columns, 40, ink).plain.splitlines()
    assert lines[0] == "Events"
    assert lines[1].startswith("90 ")
    assert lines[1].endswith(ink.full)
    assert ink.failed in lines[8]
    assert lines[8][3] == " "  # nothing happened in the first
    assert lines[-2].startswith(f" 0 {ink.corner}{ink.axis}")
    assert lines[-1].split()[0] == "08:00"
    assert lines[-1].endswith("08:09")


def test_the_ends_of_a_narrow_histogram_are_named_one_after_the_other() -> None:
    assert histogram("Events", [Bar("2026-11-01 08:00", 1, 0)], 40, BLOCKS).plain.endswith(
        "2026-11-01 08:00 to 2026-11-01 08:00"
    )


def test_a_histogram_of_nothing_is_empty() -> None:
    assert "█" not in histogram("Events", [Bar("a", 0, 0), Bar("b", 0, 0)], 40, BLOCKS).plain


def test_there_is_room_for_as_many_columns_as_the_scale_leaves() -> None:
    assert columns_in(80, 999) == 75
    assert columns_in(5, 999) == 8
