"""R-TK-08: the forms of the Authorization header."""

from __future__ import annotations

import pytest

from authctl.server.http.authentication import UNUSABLE, bearer_token


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
def test_the_scheme_is_read_in_any_case(scheme: bytes) -> None:
    assert bearer_token([scheme + b" abc.def-_~+/="]) == "abc.def-_~+/="


def test_blanks_around_the_token_do_not_count() -> None:
    assert bearer_token([b"Bearer   abc "]) == "abc"


@pytest.mark.parametrize("lines", [[], [b"Basic YTpi"], [b""], [b"abc.def"]])
def test_there_is_no_token_when_none_was_offered(lines: list[bytes]) -> None:
    assert bearer_token(lines) is None


@pytest.mark.parametrize(
    "lines",
    [
        [b"Bearer abc", b"Bearer abc"],
        [b"Basic YTpi", b"Bearer abc"],
        [b"Bearer"],
        [b"Bearer "],
        [b"Bearer abc def"],
        [b"Bearer abc,def"],
        [b"Bearer a=b"],
        [b"Bearer abc\tdef"],
        [b"Bearer caf\xc3\xa9"],
        [b"Bearer \x1b[0m"],
        [b'Bearer "abc"'],
    ],
)
def test_a_token_is_unusable_when_the_header_is_not_exactly_one_token(lines: list[bytes]) -> None:
    assert bearer_token(lines) == UNUSABLE
