"""The place between two exports."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authctl.errors import UsageError
from authctl.server.audit.export.cursor import BEGINNING, GRACE, Cursor, Owner, Span, WriterEnd

OWNER = Owner("0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11", 3)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=2)
A, B, C, D = (f"{letter * 8}-2222-4333-8444-555555555555" for letter in "abcd")


def start() -> Cursor:
    return Cursor.at_the_beginning(OWNER)


def whole(cursor: Cursor, ends: list[WriterEnd], newest: datetime | None = NOW) -> Cursor:
    """After everything was exported."""
    return cursor.moved(ends, cursor.spans(ends), newest)


def test_at_the_beginning_nothing_was_exported() -> None:
    ends = [WriterEnd(B, NOW, True, 2), WriterEnd(A, OLD, False, 5)]
    assert start().spans(ends) == [Span(A, 0, 5), Span(B, 0, 2)]


def test_a_writer_that_may_still_write_is_named_and_an_old_closed_one_is_not() -> None:
    ends = [WriterEnd(A, OLD, False, 5), WriterEnd(B, OLD, True, 7)]
    cursor = whole(start(), ends)
    assert cursor.named == {B: 7}
    assert cursor.before == NOW - GRACE
    assert cursor.spans([*ends[:1], WriterEnd(B, OLD, True, 9)]) == [Span(B, 7, 9)]


def test_a_closed_writer_stays_named_as_long_as_the_grace_lasts() -> None:
    ends = [WriterEnd(A, NOW - timedelta(minutes=10), False, 5)]
    cursor = whole(start(), ends)
    assert cursor.named == {A: 5}
    assert cursor.spans(ends) == []
    later = whole(cursor, ends, NOW + timedelta(hours=2))
    assert later.named == {}
    assert later.spans(ends) == []


def test_a_writer_that_becomes_visible_late_is_exported_although_it_started_before_others() -> None:
    cursor = whole(start(), [WriterEnd(A, NOW, True, 5)])
    late = WriterEnd(B, NOW - timedelta(minutes=30), True, 1)
    assert cursor.spans([WriterEnd(A, NOW, True, 5), late]) == [Span(B, 0, 1)]


def test_an_open_writer_that_closed_meanwhile_is_exported_to_its_end_and_then_forgotten() -> None:
    cursor = whole(start(), [WriterEnd(A, OLD, True, 5)])
    ends = [WriterEnd(A, OLD, False, 8)]
    assert cursor.spans(ends) == [Span(A, 5, 8)]
    assert whole(cursor, ends).named == {}


def test_a_piece_of_a_backlog_leaves_the_rest_for_the_next_time() -> None:
    ends = [
        WriterEnd(A, OLD, False, 1000),
        WriterEnd(B, OLD + timedelta(hours=3), False, 10),
        WriterEnd(C, NOW, True, 4),
    ]
    cursor = start().moved(ends, [Span(A, 0, 250), Span(B, 0, 10)], NOW)
    assert cursor.before == OLD
    assert cursor.named == {A: 250, B: 10}
    assert cursor.spans(ends) == [Span(A, 250, 1000), Span(C, 0, 4)]
    cursor = whole(cursor, ends)
    assert (cursor.named, cursor.spans(ends)) == ({C: 4}, [])


def test_the_time_of_a_cursor_never_goes_back() -> None:
    cursor = whole(start(), [WriterEnd(A, OLD, True, 5)])
    earlier = whole(cursor, [WriterEnd(A, OLD, True, 9)], NOW - timedelta(days=1))
    assert earlier.before == cursor.before
    assert whole(cursor, [WriterEnd(A, OLD, True, 5)], None) == cursor


def test_an_empty_trail_leaves_the_cursor_at_the_beginning() -> None:
    assert whole(start(), [], None) == start()
    assert start().before == BEGINNING


def test_a_cursor_survives_being_written_down() -> None:
    cursor = whole(start(), [WriterEnd(A, OLD, True, 5), WriterEnd(D, NOW, True, 1)])
    text = cursor.to_text()
    assert text.isascii()
    assert not set(text) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert Cursor.from_text(f" {text}\n") == cursor
    assert Cursor.from_text(start().to_text()) == start()


def encoded(**changes: Any) -> str:
    content: dict[str, Any] = {
        "v": 1,
        "instance": OWNER.instance_id,
        "generation": 3,
        "before": NOW.isoformat(),
        "writers": {A: 5},
        **changes,
    }
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "häh",
        "!!!!",
        "e30",
        base64.urlsafe_b64encode(b"[1]").decode(),
        encoded(before="soon"),
        encoded(before="2026-11-24T12:00:00"),
        encoded(before=5),
        encoded(writers=[1]),
        encoded(writers={A: -1}),
        encoded(writers={A: 0}),
        encoded(writers={A: True}),
        encoded(writers={A: "5"}),
        encoded(writers={A: 1 << 63}),
        encoded(writers={"x' OR 1=1 --": 1}),
        encoded(instance=5),
        encoded(generation="3"),
        encoded(v=2),
        encoded() + "A",
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Cursor.from_text(text)
    assert "\n" not in caught.value.detail


def test_a_cursor_of_another_instance_or_of_the_time_before_a_reset_is_refused() -> None:
    start().require(OWNER)
    with pytest.raises(UsageError, match="another instance"):
        start().require(Owner("other", 3))
    with pytest.raises(UsageError, match="before the database was reset"):
        start().require(Owner(OWNER.instance_id, 4))
