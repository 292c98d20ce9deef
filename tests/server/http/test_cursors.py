"""A cursor leads on in its own question, and nowhere else."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from authctl.server.http.cursors import Cursor, read_cursor
from authctl.server.storage.event_query import Position

QUESTION = b'[["event",["login_complete"]]]'
CURSOR = Cursor(
    datetime(2026, 1, 31, 8, 0, 0, 1, tzinfo=UTC),
    Position(datetime(2026, 1, 30, 23, 59, 59, 999999, tzinfo=UTC), "0190a1b2-0000-7000-8000-000000000001"),
)


def test_a_cursor_leads_to_the_place_it_was_made_for() -> None:
    assert read_cursor(CURSOR.text(QUESTION), QUESTION) == CURSOR


@pytest.mark.parametrize("event_id", ["", "a.b", "ä", "made by hand"])
def test_a_cursor_stands_behind_any_event(event_id: str) -> None:
    cursor = Cursor(CURSOR.asked_at, Position(CURSOR.position.created_at, event_id))
    assert read_cursor(cursor.text(QUESTION), QUESTION) == cursor


def test_a_cursor_is_a_word_of_a_url() -> None:
    text = CURSOR.text(QUESTION)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert len(text) < 200


def test_a_cursor_means_nothing_in_another_question() -> None:
    assert read_cursor(CURSOR.text(QUESTION), b"[]") is None


@pytest.mark.parametrize("text", ["x", "xx", "ä", "=", "!!!!", "a" * 500, base64.b64encode(b"x" * 90).decode()])
def test_a_text_that_is_no_cursor_leads_nowhere(text: str) -> None:
    assert read_cursor(text, QUESTION) is None


def test_no_character_of_a_cursor_can_be_changed() -> None:
    text = CURSOR.text(QUESTION)
    for place, character in enumerate(text):
        other = "A" if character != "A" else "g"
        assert read_cursor(text[:place] + other + text[place + 1 :], QUESTION) is None
    assert read_cursor(text[:-4], QUESTION) is None
