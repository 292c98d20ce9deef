from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.commands._people import people_of
from tests.commands.trail_in_memory import an_event

if TYPE_CHECKING:
    from tests.commands.conftest import Home


def test_accounts_are_known_by_the_database_here(home: Home) -> None:
    jane = home.add_user("jane@example.com")
    with people_of(None) as people:
        assert people.emails([jane.id, "gone"]) == {jane.id: "jane@example.com"}
        assert people.id_of("jane@example.com") == jane.id
        assert people.id_of("john@example.com") is None


def test_a_service_far_away_tells_nobodys_accounts(empty_home: Home) -> None:
    with people_of("https://login.example") as people:
        assert people.emails(["x"]) == {}
        assert people.id_of("jane@example.com") is None


def test_nothing_is_opened_for_events_that_look_at_nobody(empty_home: Home) -> None:
    with people_of(None) as people:
        (row,) = people.rows([an_event(1)])
    assert row["target_email"] is None


def test_any_number_of_events_gets_the_e_mails_of_their_targets(home: Home) -> None:
    jane = home.add_user("jane@example.com")
    events = [an_event(number, target_user_id=jane.id if number % 2 else None) for number in range(1201)]
    with people_of(None) as people:
        rows = list(people.rows(iter(events)))
    assert [row["target_email"] for row in rows[:2]] == [None, "jane@example.com"]
    assert sum(row["target_email"] is not None for row in rows) == 600
