"""F-01: a server that is killed in the middle of its work keeps what it told, and forgets no challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.process.kill_rounds import run_rounds
from tests.process.site import site

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

ROUNDS = 5


def test_nothing_answered_is_lost_and_no_challenge_works_twice_when_the_server_is_killed(tmp_path: Path) -> None:
    """F-01, R-CH-05, R-LG-02: the trail verifies as each kill left it, and the server is ready again by itself."""
    with site(tmp_path / "site") as place:
        report = run_rounds(place, ROUNDS, seed=20260101)
        assert report.faults == []
        assert place.stop() == 0
        assert place.verify() == 0
    assert report.rounds == ROUNDS
    assert report.answered > 2 * ROUNDS
    assert report.unanswered >= ROUNDS
    assert report.replayed > 0
