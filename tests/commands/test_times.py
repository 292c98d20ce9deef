from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from authctl.commands._times import parse_time
from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        (" 7D ", timedelta(days=7)),
        ("2 w", timedelta(weeks=2)),
        ("1y", timedelta(days=365)),
    ],
)
def test_a_span_reaches_back_from_now(text: str, span: timedelta) -> None:
    assert parse_time(text, option="--since", now=NOW) == NOW - span


@pytest.mark.usefixtures("_berlin")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T08:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00+05:00", datetime(2026, 1, 31, 3, tzinfo=UTC)),
        ("2026-01-31T08:00:30", datetime(2026, 1, 31, 7, 0, 30, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 30, 23, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_local(text: str, moment: datetime) -> None:
    parsed = parse_time(text, option="--since", now=NOW)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "soon", "7", "d7", "-7d", "7q", "2026-13-01", "999999w", "1;DROP", "\u0667d"])
def test_anything_else_is_refused_and_says_what_would_do(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_time(text, option="--since", now=NOW)
    assert caught.value.detail.startswith(f"--since {text}")
    assert caught.value.hint is not None
    assert "24h" in caught.value.hint
