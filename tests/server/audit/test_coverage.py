"""Sets of sequences, and what of a growing file was seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authctl.server.audit.coverage import Coverage, Ranges


@given(st.lists(st.integers(1, 30)))
def test_ranges_behave_like_a_set(numbers: list[int]) -> None:
    ranges, plain = Ranges(), set[int]()
    for number in numbers:
        assert ranges.add(number) == (number not in plain)
        plain.add(number)
    assert [number for number in range(32) if number in ranges] == sorted(plain)
    assert (ranges.first, ranges.last) == (min(plain, default=0), max(plain, default=0))


def test_numbers_in_order_make_one_range() -> None:
    ranges = Ranges()
    for number in (1, 2, 3, 5, 4):
        ranges.add(number)
    assert ranges._starts == [1]
    assert ranges._ends == [5]


def test_a_file_is_read_on_from_where_reading_stopped() -> None:
    data = b'{"writer_id":"w","seq":1,"generation":1}\nnonsense\n{"writer_id":"w","se'
    coverage = Coverage()
    coverage.catch_up(lambda offset, size: data[offset : offset + size])
    assert 1 in coverage.of("w")
    assert 2 not in coverage.of("w")
    data += b'q":2,"generation":1}\n'
    coverage.catch_up(lambda offset, size: data[offset : offset + size])
    assert 2 in coverage.of("w")
    assert 1 not in coverage.of("v")
