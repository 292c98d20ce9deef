"""R-IN-04, R-IN-08: what may stand behind the question mark, for routes that read it."""

from __future__ import annotations

import pytest

from authctl.errors import InvalidRequest
from authctl.server.http.query_string import LONGEST_QUERY, LONGEST_VALUE, MOST_PARAMETERS, read_query


def complaints(query: bytes) -> list[tuple[str, str]]:
    """What is wrong with a query."""
    with pytest.raises(InvalidRequest) as caught:
        read_query(query)
    return list(caught.value.errors)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", {}),
        (b"&&", {}),
        (b"a=1&b=2", {"a": ["1"], "b": ["2"]}),
        (b"a=1&a=2&", {"a": ["1", "2"]}),
        (b"a=x=y", {"a": ["x=y"]}),
        (b"a=x;b=y", {"a": ["x;b=y"]}),
        (b"a=two+words&b=1%2B1", {"a": ["two words"], "b": ["1+1"]}),
        (b"%61=%C3%A4%F0%9F%94%91", {"a": ["ä🔑"]}),
        (b"a=" + b"%C3%A4" * LONGEST_VALUE, {"a": ["ä" * LONGEST_VALUE]}),
        (b"a=%27%3B+DROP+TABLE+users%3B--", {"a": ["'; DROP TABLE users;--"]}),
        (b"a=%25%5C%24%7Bx%7D%2e%2e%2f", {"a": ["%\\${x}../"]}),
    ],
)
def test_names_have_their_values_in_order(query: bytes, found: dict[str, list[str]]) -> None:
    assert read_query(query) == found


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (b"a", "is empty"),
        (b"a=", "is empty"),
        (b"a=+", "is empty"),
        (b"a=%", "has a percent sign that begins no escape: write %25"),
        (b"a=100%25%2", "has a percent sign that begins no escape: write %25"),
        (b"a=%zz", "has a percent sign that begins no escape: write %25"),
        (b"a=%ff", "is not UTF-8"),
        (b"a=\xff", "is not UTF-8"),
        (b"a=%C0%80", "is not UTF-8"),
        (b"a=%ED%A0%80", "is not UTF-8"),
        (b"a=x%00y", "has a NUL"),
        (b"a=" + b"x" * (LONGEST_VALUE + 1), f"is longer than {LONGEST_VALUE} characters"),
    ],
)
def test_a_value_that_can_be_read_in_two_ways_or_not_at_all_is_refused(query: bytes, complaint: str) -> None:
    assert complaints(query) == [("a", complaint)]


def test_every_parameter_that_is_wrong_is_named() -> None:
    assert complaints(b"a=%ff&b=1&c=") == [("a", "is not UTF-8"), ("c", "is empty")]


def test_the_name_of_a_wrong_parameter_is_shortened_and_readable() -> None:
    assert complaints(b"%ff" + b"x" * 100 + b"=") == [("\ufffd" + "x" * 63, "is empty")]


def test_a_query_is_bounded() -> None:
    """R-IN-02: by bytes and by number, before anything of it is kept."""
    assert complaints(b"a=" + b"x" * LONGEST_QUERY) == [("query", f"is longer than {LONGEST_QUERY} bytes")]
    assert complaints(b"a=1&" * (MOST_PARAMETERS + 1)) == [("query", f"has more than {MOST_PARAMETERS} parameters")]
